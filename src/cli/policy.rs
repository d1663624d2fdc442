//! `hashcommons policy`: the rules of standing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::connection::HubArgs;
use super::member::confirm;
use super::{Verdict, output};
use crate::client::Client;
use crate::domain::{Action, Standing};
use crate::policy::Rules;
use crate::wire::v1;

/// Show, try and set the rules of standing
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example: hashcommons policy preview policy.toml --key-file operator.key")]
pub enum Command {
    /// Show the rules in force, as a policy file
    #[command(after_help = "Example: hashcommons policy show --key-file operator.key > policy.toml")]
    Show {
        /// Show the rules that every hub begins with, without asking a hub
        #[arg(long)]
        default: bool,

        #[command(flatten)]
        hub: HubArgs,
    },
    /// Tell what the rules of a policy file would change, without setting them
    #[command(after_help = "Example: hashcommons policy preview policy.toml --key-file operator.key")]
    Preview {
        /// A policy file; what it leaves out is the default
        file: PathBuf,

        #[command(flatten)]
        hub: HubArgs,
    },
    /// Set the rules of a policy file, after telling what they change
    #[command(after_help = "Example: hashcommons policy set policy.toml --key-file operator.key")]
    Set {
        /// A policy file; what it leaves out is the default
        file: PathBuf,

        /// Do not ask whether it is meant
        #[arg(long)]
        yes: bool,

        #[command(flatten)]
        hub: HubArgs,
    },
}

pub(super) async fn run(command: Command, json: bool) -> anyhow::Result<Verdict> {
    match command {
        Command::Show { default: true, .. } => {
            let policy = Rules::default().to_toml();
            if json {
                output::json(&v1::GetPolicyResponse { policy, event: None })?;
            } else {
                output::line(policy.trim_end())?;
            }
        }
        Command::Show { hub, .. } => {
            let request = v1::GetPolicyRequest {};
            let in_force = hub.connect().await?.policy().get_policy(request).await?.into_inner();
            if json {
                output::json(&in_force)?;
            } else {
                let set =
                    in_force.event.map_or_else(|| "the hub began with".to_owned(), |leaf| format!("leaf {leaf} set"));
                output::line(&format!("# The rules that {set}.\n{}", output::lines(in_force.policy.trim_end())))?;
            }
        }
        Command::Preview { file, hub } => {
            let preview = preview(&hub.connect().await?, read(&file)?).await?;
            if json {
                output::json(&preview)?;
            } else {
                output::line(words(&preview).trim_end())?;
            }
        }
        Command::Set { file, yes, hub } => {
            let client = hub.connect().await?;
            let policy = read(&file)?;
            let preview = preview(&client, policy.clone()).await?;
            if !yes {
                ensure!(!json, "--json cannot ask whether it is meant: say --yes");
                output::line(words(&preview).trim_end())?;
                confirm("is that meant?")?;
            }
            let request = v1::SetPolicyRequest { policy, replaces: preview.event };
            let set = client.policy().set_policy(request).await?.into_inner();
            if json {
                output::json(&set)?;
            } else {
                output::line(&format!("the rules are set: leaf {}", set.event))?;
            }
        }
    }
    Ok(Verdict::Yes)
}

/// A policy file that is one.
fn read(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Rules::from_toml(&text).with_context(|| file.display().to_string())?;
    Ok(text)
}

async fn preview(client: &Client, policy: String) -> anyhow::Result<v1::PreviewPolicyResponse> {
    Ok(client.policy().preview_policy(v1::PreviewPolicyRequest { policy }).await?.into_inner())
}

/// What would change: first the sums, then each shift.
fn words(preview: &v1::PreviewPolicyResponse) -> String {
    let mut lines = Vec::new();
    for (verb, is_so) in [("lower", i32::lt as fn(&i32, &i32) -> bool), ("raise", i32::gt)] {
        let mut sums: BTreeMap<i32, u64> = BTreeMap::new();
        for shift in preview.shifts.iter().filter(|shift| is_so(&shift.action_after, &shift.action_before)) {
            *sums.entry(shift.action_after).or_default() += shift.entries;
        }
        lines.extend(sums.into_iter().map(|(action, entries)| {
            let noun = if entries == 1 { "entry" } else { "entries" };
            format!("this would {verb} {} {noun} to {}", output::count(entries), output::code::<Action>(action))
        }));
    }
    if lines.is_empty() {
        lines.push("this would change what no entry supports".to_owned());
    }
    lines.push(format!("of {} that match now", output::count(preview.entries)));
    if preview.due_after > preview.due_before {
        let more = output::count(preview.due_after - preview.due_before);
        lines.push(format!("and ERASE hashes and provenance of {more} more that ended, after a day and for good"));
    }
    for shift in &preview.shifts {
        let side =
            |standing, action| format!("{}, {}", output::code::<Standing>(standing), output::code::<Action>(action));
        let examples: Vec<_> = shift.examples.iter().map(ToString::to_string).collect();
        lines.push(format!(
            "  {} from {} to {}, as entry {}",
            output::count(shift.entries),
            side(shift.standing_before, shift.action_before),
            side(shift.standing_after, shift.action_after),
            examples.join(", ")
        ));
    }
    lines.join("\n")
}
