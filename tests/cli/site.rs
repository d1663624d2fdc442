//! A hub, a member with a key for everything but administration, and a folder to work in.

use std::path::{Path, PathBuf};
use std::process::Command;

use hashcommons::client::Client;
use tempfile::TempDir;

use crate::process::{HubProcess, Ran, program};

/// A hub and everything needed to talk to it.
pub struct Site {
    pub hub: HubProcess,
    folder: TempDir,
}

/// Flags of a contribution that is as it must be, but for its signals.
pub const PROVENANCE: [&str; 14] = [
    "--label",
    "glorification",
    "--origin",
    "human",
    "--reviewers",
    "2+",
    "--basis",
    "behaviour",
    "--producer",
    "perpetrator",
    "--confidence",
    "90",
    "--tlp",
    "TLP:AMBER",
];

impl Site {
    /// A new hub, with `member.key` of a contributor, checker and reviewer.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same, started with further arguments or variables.
    pub fn with(more: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub = HubProcess::start_with(&folder.path().join("hub"), more);
        let site = Self { hub, folder };
        let enrol = ["member", "enrol", "--name", "Member", "--jurisdiction", "NZ", "--duty", "reviewer"];
        let approval = ["--to", "contributor", "--checked", "all"];
        let enrolled = site.ran_by("hub/admin.key", &[&enrol[..], &approval[..]].concat());
        assert_eq!(enrolled.code, 0, "{enrolled:?}");
        let approve = ["member", "approve", "Member", "--key-out", "member.key"];
        let approved = site.ran_by("hub/admin-2.key", &[&approve[..], &approval[..]].concat());
        assert_eq!(approved.code, 0, "{approved:?}");
        site
    }

    /// A path in the site's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; gives its name.
    pub fn write<'a>(&self, name: &'a str, text: impl AsRef<[u8]>) -> &'a str {
        std::fs::write(self.path(name), text).unwrap();
        name
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// A command in the site's folder, with the hub's address and the key in `key_file`.
    pub fn command(&self, key_file: &str) -> Command {
        let mut command = program();
        command.current_dir(self.folder.path()).env("HASHCOMMONS_HUB", self.hub.url());
        command.env("HASHCOMMONS_KEY_FILE", key_file);
        command
    }

    /// Runs it to its end.
    pub fn ran_by(&self, key_file: &str, arguments: &[&str]) -> Ran {
        self.command(key_file).args(arguments).output().unwrap().into()
    }

    /// Runs a command as the member.
    pub fn ran(&self, arguments: &[&str]) -> Ran {
        self.ran_by("member.key", arguments)
    }

    /// Contributes one PDQ hash; gives the entry.
    pub fn contribute(&self, hash: &str, more: &[&str]) -> u64 {
        let signal = format!("pdq:{hash}:100");
        let ran = self.ran(&[&["contribute", "--json", "--signal", &signal], &PROVENANCE[..], more].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.json()[0]["accepted"]["entry_id"].as_u64().unwrap()
    }

    /// Starts the hub again on its directory, which ends it if it still runs.
    pub fn restart(&mut self) {
        self.hub.kill_now();
        self.hub = HubProcess::start(&self.path("hub"));
    }

    /// The member's client.
    pub async fn client(&self) -> Client {
        client(&self.hub.url(), &self.path("member.key")).await
    }

    /// How many events the ledger has of each kind.
    pub fn events(&self, kind: &str) -> usize {
        let followed = self.ran(&["follow", "--until-now", "--json"]);
        assert_eq!(followed.code, 0, "{followed:?}");
        followed.json().iter().filter(|line| line["event"]["opening"]["kind"] == kind).count()
    }
}

/// A client with the key in `key_file`.
pub async fn client(url: &str, key_file: &Path) -> Client {
    let key = std::fs::read_to_string(key_file).unwrap().trim().parse().unwrap();
    Client::connect(url, Some(&key), None).await.unwrap()
}
