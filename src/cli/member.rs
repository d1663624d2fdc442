//! `hashcommons member`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use super::connection::HubArgs;
use super::key::KeyFile;
use super::{Verdict, output};
use crate::domain::{Role, Roles};
use crate::wire::{roles_to_wire, v1};

/// Enrol and list members
#[derive(Debug, Subcommand)]
#[command(after_help = "Example: hashcommons member enrol --name 'Example Video' --jurisdiction NZ --role contributor")]
pub enum Command {
    /// Enrol an organisation
    #[command(
        after_help = "Example: hashcommons member enrol --name 'Example Video' --jurisdiction NZ --role contributor"
    )]
    Enrol {
        /// The organisation's name; operators and auditors alone see it
        #[arg(long)]
        name: String,
        /// Where it is at home: an ISO 3166-1 code, as in NZ
        #[arg(long)]
        jurisdiction: String,
        /// What it may do: checker, contributor, reviewer, auditor or admin; may be given several times
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<String>,
        /// Issue a key with all these roles at once, into a new file that you alone can read
        #[arg(long, value_name = "FILE")]
        key_out: Option<PathBuf>,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// List all members
    #[command(after_help = "Example: hashcommons member list --json")]
    List {
        #[command(flatten)]
        hub: HubArgs,
    },
}

pub(super) async fn run(command: Command, json: bool) -> anyhow::Result<Verdict> {
    match command {
        Command::Enrol { name, jurisdiction, roles, key_out, hub } => {
            let key_file = key_out.map(KeyFile::new).transpose()?;
            let roles = roles_to_wire(&read_roles(&roles)?);
            let request = v1::EnrolMemberRequest { name, jurisdiction, roles };
            let client = hub.connect().await?;
            let member = client.admin().enrol_member(request).await?.into_inner();
            if json {
                output::json(&member)?
            } else {
                output::line(&words(&member))?
            }
            if let Some(file) = key_file {
                let request = v1::IssueKeyRequest { member_id: member.member_id, ..Default::default() };
                let issued = client.admin().issue_key(request).await?.into_inner();
                file.put(&issued.secret)?;
                if !json {
                    output::line(&format!("its key is in {}", file.path().display()))?;
                }
            }
        }
        Command::List { hub } => {
            let response = hub.connect().await?.admin().list_members(v1::ListMembersRequest {}).await?.into_inner();
            if json {
                output::json(&response)?;
            } else {
                for member in &response.members {
                    output::line(&words(member))?;
                }
            }
        }
    }
    Ok(Verdict::Yes)
}

/// Reads role codes.
pub(super) fn read_roles(texts: &[String]) -> anyhow::Result<Roles> {
    texts.iter().map(|text| text.parse::<Role>()).collect::<Result<_, _>>().context("--role")
}

/// Role codes in words.
pub(super) fn role_words(roles: &[i32]) -> String {
    roles.iter().map(|role| output::code::<Role>(*role)).collect::<Vec<_>>().join(", ")
}

fn words(member: &v1::Member) -> String {
    format!(
        "{}  {}  {}  {}  enrolled {}",
        output::plain(&member.member_id),
        output::plain(&member.jurisdiction),
        output::plain(&member.name),
        role_words(&member.roles),
        output::time(member.enrolled.as_ref())
    )
}
