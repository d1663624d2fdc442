//! `hashcommons incident`.

use clap::Subcommand;

use super::connection::HubArgs;
use super::{Verdict, output};
use crate::domain::{Code, Timestamp};
use crate::wire::{timestamp, v1};

/// Open, extend and close incidents, list them, and see what they have come to
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example: hashcommons incident open harbour-2026 --type livestream\n\ndocs/incidents.md is the guide."
)]
pub enum Command {
    /// Open an incident: a second person has to say the same within 24 hours
    #[command(after_help = "Examples: hashcommons incident open harbour-2026 --type livestream\n          \
        hashcommons incident open exercise-7 --type footage --drill --until 2026-11-22T18:00:00Z\n\n\
        The two keys must not stem from the same key of the hub's first start. An incident ends by itself, after 24 hours by\n\
        default, unless it is extended.")]
    Open {
        /// What it is called from now on: 1 to 39 of a-z, 0-9 and -
        #[arg(value_name = "CODE")]
        code: Code,
        /// One of the policy's types of incidents, as in livestream, manifesto or footage
        #[arg(long = "type", value_name = "TYPE")]
        kind: Code,
        /// It is an exercise: its entries never match, but in checks for it
        #[arg(long)]
        drill: bool,
        /// When it ends unless it is extended [default: as late as the policy allows]
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Let an open incident go on for longer: a second person has to say the same within 24 hours
    #[command(after_help = "Example: hashcommons incident extend harbour-2026")]
    Extend {
        /// Which one
        #[arg(value_name = "CODE")]
        code: Code,
        /// When it ends unless it is extended again [default: as late as the policy allows]
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// End an open incident: a second person has to say the same within 24 hours
    #[command(after_help = "Example: hashcommons incident close harbour-2026")]
    Close {
        /// Which one
        #[arg(value_name = "CODE")]
        code: Code,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// List all incidents: open ones first, then the newest
    #[command(after_help = "Example: hashcommons incident list")]
    List {
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Print what an incident has come to, in numbers
    #[command(after_help = "Example: hashcommons incident debrief harbour-2026 --json")]
    Debrief {
        /// Which one
        #[arg(value_name = "CODE")]
        code: Code,
        #[command(flatten)]
        hub: HubArgs,
    },
}

pub(super) async fn run(command: Command, json: bool) -> anyhow::Result<Verdict> {
    let changed = match command {
        Command::Open { code, kind, drill, until, hub } => {
            let until = until.map(timestamp);
            let request =
                v1::OpenIncidentRequest { code: code.to_string(), r#type: kind.to_string(), is_drill: drill, until };
            hub.connect().await?.incidents().open_incident(request).await?
        }
        Command::Extend { code, until, hub } => {
            let request = v1::ExtendIncidentRequest { code: code.to_string(), until: until.map(timestamp) };
            hub.connect().await?.incidents().extend_incident(request).await?
        }
        Command::Close { code, hub } => {
            let request = v1::CloseIncidentRequest { code: code.to_string() };
            hub.connect().await?.incidents().close_incident(request).await?
        }
        Command::List { hub } => {
            let client = hub.connect().await?;
            let list = client.incidents().list_incidents(v1::ListIncidentsRequest {}).await?.into_inner();
            if json {
                output::json(&list)?;
            } else {
                output::columns(list.incidents.iter().map(row).collect())?;
            }
            return Ok(Verdict::Yes);
        }
        Command::Debrief { code, hub } => {
            let request = v1::GetDebriefRequest { code: code.to_string() };
            let debrief = hub.connect().await?.incidents().get_debrief(request).await?.into_inner();
            if json {
                output::json(&debrief)?
            } else {
                print_debrief(&debrief)?
            }
            return Ok(Verdict::Yes);
        }
    };
    let changed = changed.into_inner();
    if json {
        output::json(&changed)?;
    } else {
        let incident = changed.incident.unwrap_or_default();
        output::line(&row(&incident).join("  "))?;
        if !changed.is_enough {
            output::line("nothing has changed yet: a second person has to say the same within 24 hours")?;
        }
    }
    Ok(Verdict::Yes)
}

/// The columns of a list: code, state, type and label.
fn row(incident: &v1::Incident) -> Vec<String> {
    let state = match (&incident.opened, &incident.closed) {
        (None, _) => "proposed".to_owned(),
        _ if incident.is_open => format!("OPEN until {}", output::time(incident.until.as_ref())),
        (Some(_), closed) => format!("ended {}", output::time(closed.as_ref().or(incident.until.as_ref()))),
    };
    let drill = if incident.is_drill { ", a drill" } else { "" };
    let mut last = format!("label {}", output::plain(&incident.label));
    for proposal in &incident.proposed {
        let (change, key) = (output::plain(&proposal.change), output::plain(&proposal.key_id));
        let kind =
            if proposal.r#type.is_empty() { String::new() } else { format!(" {}", output::plain(&proposal.r#type)) };
        let drill = if proposal.is_drill { ", a drill" } else { "" };
        let at = output::time(proposal.at.as_ref());
        last.push_str(&format!("\n  proposed: {change}{kind}{drill}, with {key} at {at}; one more to go"));
    }
    vec![output::plain(&incident.code), state, format!("{}{drill}", output::plain(&incident.r#type)), last]
}

fn print_debrief(debrief: &v1::Debrief) -> anyhow::Result<()> {
    let incident = debrief.incident.clone().unwrap_or_default();
    output::line(&row(&incident).join("  "))?;
    let at = output::time(debrief.at.as_ref());
    let erased = if debrief.erased == 0 { String::new() } else { format!(" and {} that were erased", debrief.erased) };
    output::line(&format!("{} entries{erased} at {at}, after {} events", debrief.entries, debrief.ledger_size))?;
    for (title, counts) in [
        ("by member", &debrief.members),
        ("by standing", &debrief.standings),
        ("by label", &debrief.labels),
        ("by producer", &debrief.producers),
        ("signals by kind", &debrief.signal_kinds),
        ("reported outcomes", &debrief.outcomes),
        ("appeals", &debrief.appeals),
    ] {
        let counts: Vec<_> =
            counts.iter().map(|count| format!("{} {}", output::plain(&count.code), count.count)).collect();
        if !counts.is_empty() {
            output::line(&format!("{title:<17}  {}", counts.join(", ")))?;
        }
    }
    let of = debrief.corroborated.unwrap_or_default();
    let (late, waiting, demoted) = (of.late, of.waiting, of.demoted);
    output::line(&format!(
        "{:<17}  in time {}, late {late}, waiting {waiting}, demoted to review {demoted}",
        "corroborated", of.in_time
    ))?;
    for hour in &debrief.hours {
        output::line(&format!("{:<17}  {}", output::time(hour.hour.as_ref()), hour.count))?;
    }
    Ok(())
}
