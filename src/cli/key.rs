//! `hashcommons key`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;

use super::connection::HubArgs;
use super::member::{read_roles, resolve, role_words};
use super::{Verdict, output};
use crate::domain::Timestamp;
use crate::store::write_secret;
use crate::wire::{roles_to_wire, timestamp, v1};

/// Issue, list and revoke API keys
#[derive(Debug, Subcommand)]
#[command(after_help = "Example: hashcommons key issue m-abcd2345 --role checker --out checker.key")]
pub enum Command {
    /// Make a key; it is shown once
    #[command(after_help = "Example: hashcommons key issue m-abcd2345 --role checker --out checker.key")]
    Issue {
        /// The member's id or name
        #[arg(value_name = "MEMBER")]
        member: String,
        /// What the key is for
        #[arg(long, default_value = "")]
        label: String,
        /// At most the member's roles [default: all of them]
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// When it stops working, as in 2027-01-31T00:00:00Z
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
        /// Put the key into a new file that you alone can read, instead of on the screen
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// List keys, without their secrets
    #[command(after_help = "Example: hashcommons key list")]
    List {
        /// Only this member's, by id or name
        #[arg(long, default_value = "")]
        member: String,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Take a key away, from the next request on
    #[command(after_help = "Example: hashcommons key revoke k-abcd2345")]
    Revoke {
        /// The key's id
        #[arg(value_name = "KEY")]
        key_id: String,
        #[command(flatten)]
        hub: HubArgs,
    },
}

/// A new file for a key that is still to be made.
pub(super) struct KeyFile(PathBuf);

impl KeyFile {
    /// A key that could not be put away would be lost: looks before it is made.
    pub fn new(path: PathBuf) -> anyhow::Result<Self> {
        anyhow::ensure!(!path.exists(), "{} exists: name a new file", path.display());
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes the key, for its owner alone to read.
    pub fn put(&self, secret: &str) -> anyhow::Result<()> {
        write_secret(&self.0, &format!("{secret}\n"))
            .with_context(|| format!("the key is issued, but cannot be written to {}: revoke it", self.0.display()))
    }
}

pub(super) async fn run(command: Command, json: bool) -> anyhow::Result<Verdict> {
    match command {
        Command::Issue { member, label, roles, expires, out, hub } => {
            let file = out.map(KeyFile::new).transpose()?;
            let roles = roles_to_wire(&read_roles(&roles, "--role")?);
            let client = hub.connect().await?;
            let member_id = resolve(&client, &member).await?;
            let request = v1::IssueKeyRequest { member_id, label, roles, expires: expires.map(timestamp) };
            let mut issued = client.admin().issue_key(request).await?.into_inner();
            if let Some(file) = &file {
                file.put(&std::mem::take(&mut issued.secret))?;
            }
            if json {
                output::json(&issued)?;
            } else {
                output::line(&issued.key.as_ref().map(words).unwrap_or_default())?;
                match &file {
                    Some(file) => output::line(&format!("the key is in {}", file.path().display()))?,
                    None => output::line(&format!("this is shown once: {}", issued.secret))?,
                }
            }
        }
        Command::List { member, hub } => {
            let client = hub.connect().await?;
            let member_id = if member.is_empty() { member } else { resolve(&client, &member).await? };
            let request = v1::ListKeysRequest { member_id };
            let response = client.admin().list_keys(request).await?.into_inner();
            if json {
                output::json(&response)?;
            } else {
                for key in &response.keys {
                    output::line(&words(key))?;
                }
            }
        }
        Command::Revoke { key_id, hub } => {
            let key = hub.connect().await?.admin().revoke_key(v1::RevokeKeyRequest { key_id }).await?.into_inner();
            if json { output::json(&key)? } else { output::line(&words(&key))? }
        }
    }
    Ok(Verdict::Yes)
}

fn words(key: &v1::Key) -> String {
    let mut text = format!(
        "{}  {}  {}  issued {}",
        output::plain(&key.key_id),
        output::plain(&key.member_id),
        role_words(&key.roles),
        output::time(key.issued.as_ref())
    );
    if !key.label.is_empty() {
        text.push_str(&format!("  \"{}\"", output::plain(&key.label)));
    }
    if key.expires.is_some() {
        text.push_str(&format!("  expires {}", output::time(key.expires.as_ref())));
    }
    if key.revoked.is_some() {
        text.push_str(&format!("  REVOKED {}", output::time(key.revoked.as_ref())));
    }
    text
}
