//! `hashcommons key`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;

use super::connection::HubArgs;
use super::member::{confirm, read_roles, resolve, role_words};
use super::quota::{self, QuotaArgs};
use super::{Verdict, output};
use crate::client::Client;
use crate::domain::{Clock, SystemClock, Timestamp};
use crate::serve::client_fingerprint;
use crate::store::write_secret;
use crate::wire::{roles_to_wire, timestamp, timestamp_from_wire, v1};

/// Issue, rotate, list and revoke API keys
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
        /// From where alone it may be used: an address or a network, as in 192.0.2.0/24; may be given several times
        #[arg(long = "network", value_name = "CIDR")]
        networks: Vec<String>,
        /// No text, but a client certificate (PEM): whoever shows one of its public key has the key
        #[arg(long, value_name = "FILE", conflicts_with = "out")]
        certificate: Option<PathBuf>,
        #[command(flatten)]
        new: NewKey,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// List keys, without their secrets
    #[command(after_help = "Examples: hashcommons key list --member 'Example Video'\n          \
        hashcommons key list --expires-within 30")]
    List {
        /// Only this member's, by id or name
        #[arg(long, default_value = "")]
        member: String,
        /// Only those that are live, and end within so many days
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(..=36_500))]
        expires_within: Option<u64>,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Make a successor of a key, while the old one goes on for a time
    #[command(after_help = "Example: hashcommons key rotate k-abcd2345 --overlap-hours 48 --out new.key")]
    Rotate {
        /// The key's id
        #[arg(value_name = "KEY")]
        key_id: String,
        /// How long the old key goes on, at most 2160 (90 days)
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=2160))]
        overlap_hours: u32,
        #[command(flatten)]
        new: NewKey,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Take a key away that somebody else may have had, and list what was contributed with it
    #[command(after_help = "Example: hashcommons key compromised k-abcd2345 --since 2026-11-20T08:00:00Z")]
    Compromised {
        /// The key's id
        #[arg(value_name = "KEY")]
        key_id: String,
        /// From when on, as in 2026-11-20T08:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Timestamp,
        /// Do not ask whether it is meant, where it is the key that this is done with or one of the first start
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// List the entries that were contributed with a key
    #[command(after_help = "Example: hashcommons key entries k-abcd2345 --since 2026-11-20T08:00:00Z")]
    Entries {
        /// The key's id
        #[arg(value_name = "KEY")]
        key_id: String,
        /// From when on [default: since it is compromised, if it is]
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Give a key a quota of its own, narrower than its member's
    #[command(after_help = "Example: hashcommons key quota k-abcd2345 --checks-per-second 20")]
    Quota {
        /// The key's id
        #[arg(value_name = "KEY")]
        key_id: String,
        #[command(flatten)]
        quota: QuotaArgs,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Take a key away, from the next request on
    #[command(after_help = "Example: hashcommons key revoke k-abcd2345")]
    Revoke {
        /// The key's id
        #[arg(value_name = "KEY")]
        key_id: String,
        /// Do not ask whether it is meant, where it is the key that this is done with or one of the first start
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        hub: HubArgs,
    },
}

/// What is the same for every new key.
#[derive(Debug, clap::Args)]
pub struct NewKey {
    /// When it stops working, as in 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expires: Option<Timestamp>,
    /// Put the key into a new file that you alone can read, instead of on the screen
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
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
        Command::Issue { member, label, roles, networks, certificate, new: NewKey { expires, out }, hub } => {
            let file = out.map(KeyFile::new).transpose()?;
            let roles = roles_to_wire(&read_roles(&roles, "--role")?);
            let certificate = certificate.map(|file| client_fingerprint(&file)).transpose().context("--certificate")?;
            let certificate = certificate.map(|fingerprint| fingerprint.to_string()).unwrap_or_default();
            let client = hub.connect().await?;
            let member_id = resolve(&client, &member).await?;
            let expires = expires.map(timestamp);
            let request = v1::IssueKeyRequest { member_id, label, roles, expires, networks, certificate };
            show(client.admin().issue_key(request).await?.into_inner(), file, json)?;
        }
        Command::Rotate { key_id, overlap_hours, new: NewKey { expires, out }, hub } => {
            let file = out.map(KeyFile::new).transpose()?;
            let overlap_seconds = overlap_hours * 3_600;
            let request = v1::RotateKeyRequest { key_id, overlap_seconds, expires: expires.map(timestamp) };
            show(hub.connect().await?.admin().rotate_key(request).await?.into_inner(), file, json)?;
        }
        Command::Compromised { key_id, since, yes, hub } => {
            let client = hub.connect().await?;
            let is_own = confirm_end(&client, &hub, &key_id, yes).await?;
            let request = v1::MarkKeyCompromisedRequest { key_id: key_id.clone(), since: Some(timestamp(since)) };
            let key = client.admin().mark_key_compromised(request).await?.into_inner();
            if json {
                output::json(&key)?
            } else {
                output::line(&words(&key))?
            }
            if is_own {
                output::warn(&format!("with another key, see what it contributed: hashcommons key entries {key_id}"));
            } else {
                list(&client, v1::ListContributionsRequest { key_id, since: None }, json).await?;
            }
        }
        Command::Entries { key_id, since, hub } => {
            let request = v1::ListContributionsRequest { key_id, since: since.map(timestamp) };
            list(&hub.connect().await?, request, json).await?;
        }
        Command::List { member, expires_within, hub } => {
            let client = hub.connect().await?;
            let member_id = if member.is_empty() { member } else { resolve(&client, &member).await? };
            let request = v1::ListKeysRequest { member_id };
            let mut response = client.admin().list_keys(request).await?.into_inner();
            let now = SystemClock.now();
            if let Some(days) = expires_within {
                let until = now.plus(Duration::from_hours(days * 24));
                response
                    .keys
                    .retain(|key| State::of(key, now) == State::Live && ends(key).is_some_and(|at| at <= until));
            }
            if json {
                output::json(&response)?;
            } else {
                // Ids are random: the keys of a member together, as they were issued.
                let issued = |key: &v1::Key| key.issued.map(|at| (at.seconds, at.nanos));
                response.keys.sort_by_cached_key(|key| (key.member_id.clone(), issued(key)));
                output::columns(response.keys.iter().map(|key| row(key, now)).collect())?;
            }
        }
        Command::Quota { key_id, quota, hub } => {
            let request = v1::SetQuotaRequest { key_id, quota: Some(quota.quota()?), ..Default::default() };
            quota::set(&hub.connect().await?, request, json).await?;
        }
        Command::Revoke { key_id, yes, hub } => {
            let client = hub.connect().await?;
            confirm_end(&client, &hub, &key_id, yes).await?;
            let key = client.admin().revoke_key(v1::RevokeKeyRequest { key_id }).await?.into_inner();
            if json { output::json(&key)? } else { output::line(&words(&key))? }
        }
    }
    Ok(Verdict::Yes)
}

/// Prints a new key, or puts it into its file.
fn show(mut issued: v1::IssueKeyResponse, file: Option<KeyFile>, json: bool) -> anyhow::Result<()> {
    if let Some(file) = &file {
        file.put(&std::mem::take(&mut issued.secret))?;
    }
    if json {
        return output::json(&issued);
    }
    output::line(&issued.key.as_ref().map(words).unwrap_or_default())?;
    match &file {
        None if issued.secret.is_empty() => output::line("whoever shows that certificate has the key"),
        Some(file) => output::line(&format!("the key is in {}", file.path().display())),
        None => output::line(&format!("this is shown once: {}", issued.secret)),
    }
}

/// Prints the entries that were contributed with a key.
async fn list(client: &Client, request: v1::ListContributionsRequest, json: bool) -> anyhow::Result<()> {
    let mut entries = client.admin().list_contributions(request).await?.into_inner();
    let mut count = 0;
    while let Some(entry) = entries.message().await? {
        count += 1;
        if json {
            output::json(&entry)?;
        } else {
            let mark = if entry.is_withdrawn { "  withdrawn" } else { "" };
            let at = output::time(entry.contributed.as_ref());
            output::line(&format!("entry {}  contributed {at}{mark}", entry.entry_id))?;
        }
    }
    if json { Ok(()) } else { output::line(&format!("{count} entries were contributed with it")) }
}

/// Asks before a key is taken away that would be missed: the one that this is done with, or one of the first start. Gives whether it is
/// the former.
async fn confirm_end(client: &Client, hub: &HubArgs, key_id: &str, yes: bool) -> anyhow::Result<bool> {
    let is_own = hub.key_id()?.is_some_and(|own| own.to_string() == key_id);
    if yes {
        return Ok(is_own);
    }
    if is_own {
        confirm(&format!("{key_id} is the key that you do this with: it will open nothing any more; is that meant?"))?;
        return Ok(true);
    }
    // Who may not list keys may not take one away: the hub says so in a moment, and records it.
    let keys = client.admin().list_keys(v1::ListKeysRequest::default()).await;
    let keys = keys.map(|response| response.into_inner().keys).unwrap_or_default();
    let is_of_first_start = |key: &v1::Key| key.issued_by_key_id.is_empty() && key.revoked.is_none();
    if keys.iter().any(|key| key.key_id == key_id && is_of_first_start(key)) {
        confirm(&format!(
            "{key_id} is a key of the first start: approvals take two people, with keys that stem from both of those, and another \
             cannot be made; is that meant?"
        ))?;
    }
    Ok(false)
}

/// What has become of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    Expired,
    Revoked,
    Compromised,
}

impl State {
    fn of(key: &v1::Key, now: Timestamp) -> Self {
        if key.compromised_since.is_some() {
            Self::Compromised
        } else if key.revoked.is_some() {
            Self::Revoked
        } else if ends(key).is_some_and(|at| at <= now) {
            Self::Expired
        } else {
            Self::Live
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Expired => "EXPIRED",
            Self::Revoked => "REVOKED",
            Self::Compromised => "COMPROMISED",
        }
    }
}

fn ends(key: &v1::Key) -> Option<Timestamp> {
    key.expires.as_ref().and_then(|at| timestamp_from_wire(at, "expires").ok())
}

/// The columns of a list.
fn row(key: &v1::Key, now: Timestamp) -> Vec<String> {
    let [id, member, roles] = head(key);
    vec![id, State::of(key, now).word().to_owned(), member, roles, details(key)]
}

fn words(key: &v1::Key) -> String {
    format!("{}  {}", head(key).join("  "), details(key))
}

fn head(key: &v1::Key) -> [String; 3] {
    [output::plain(&key.key_id), output::plain(&key.member_id), role_words(&key.roles)]
}

fn details(key: &v1::Key) -> String {
    let mut text = format!("issued {}", output::time(key.issued.as_ref()));
    if !key.label.is_empty() {
        text.push_str(&format!("  \"{}\"", output::plain(&key.label)));
    }
    if key.last_used.is_some() {
        text.push_str(&format!("  last used {}", output::time(key.last_used.as_ref())));
    }
    if key.expires.is_some() {
        text.push_str(&format!("  expires {}", output::time(key.expires.as_ref())));
    }
    if !key.networks.is_empty() {
        let networks: Vec<_> = key.networks.iter().map(|network| output::plain(network)).collect();
        text.push_str(&format!("  from {}", networks.join(", ")));
    }
    if !key.certificate.is_empty() {
        text.push_str(&format!("  of the certificate {}", output::plain(&key.certificate)));
    }
    if let Some(own) = &key.quota {
        text.push_str(&format!("  {}", quota::words(own)));
    }
    if key.compromised_since.is_some() {
        text.push_str(&format!("  COMPROMISED since {}", output::time(key.compromised_since.as_ref())));
    }
    if key.revoked.is_some() {
        text.push_str(&format!("  REVOKED {}", output::time(key.revoked.as_ref())));
    }
    text
}
