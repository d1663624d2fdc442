//! `hashcommons hold`.

use clap::Subcommand;

use super::connection::HubArgs;
use super::member::{confirm, resolve};
use super::{Verdict, output};
use crate::client::Client;
use crate::domain::{Code, EntryId, Timestamp};
use crate::wire::{timestamp, v1};

/// Keep hashes and provenance from being erased, for a court or an authority
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example: hashcommons hold place --entry 41 --reference 12-O-345/26 --authority 'Landgericht Berlin' \
    --until 2027-01-31T00:00:00Z\n\ndocs/retention.md is the guide."
)]
pub enum Command {
    /// Place a hold: what it is on is not erased while it lasts
    #[command(after_help = "Examples: hashcommons hold place --entry 41 --entry 42 --reference 12-O-345/26 \
        --authority 'Landgericht Berlin' --until 2027-01-31T00:00:00Z\n          \
        hashcommons hold place --incident harbour-2026 --reference PR-7 --authority Europol --until 2027-01-31T00:00:00Z\n\n\
        A hold lapses by itself. To go on with it, place another one before then.")]
    Place {
        #[command(flatten)]
        scope: Scope,
        /// The authority's own reference, as a case number: 1 to 64 of A-Z a-z 0-9 . _ : / -
        #[arg(long, value_name = "REFERENCE")]
        reference: String,
        /// Who asked for it: an authority, a court, counsel; never a person
        #[arg(long, value_name = "NAME")]
        authority: String,
        /// When it lapses: as late as the policy allows at most
        #[arg(long, value_name = "TIME")]
        until: Timestamp,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// End a hold before its time: another person than who placed it
    #[command(after_help = "Example: hashcommons hold lift 95 --key-file second.key")]
    Lift {
        /// Its id, as `hold list` shows it
        #[arg(value_name = "HOLD")]
        hold: u64,
        /// Do not ask whether it is meant
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// List the holds that are in force, oldest first
    #[command(after_help = "Example: hashcommons hold list --all --json")]
    List {
        /// Also those that have lapsed or were lifted
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        hub: HubArgs,
    },
}

/// What a hold is on.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Scope {
    /// This entry; can be given up to 100 times
    #[arg(long = "entry", value_name = "ENTRY")]
    entries: Vec<EntryId>,
    /// All entries of this incident, also later ones
    #[arg(long, value_name = "CODE")]
    incident: Option<Code>,
    /// All that this member, by id or name, contributed, also later
    #[arg(long, value_name = "MEMBER")]
    member: Option<String>,
}

impl Scope {
    async fn to_wire(&self, client: &Client) -> anyhow::Result<v1::HoldScope> {
        use v1::hold_scope::{Entries, Scope};
        let scope = match (&self.incident, &self.member) {
            (Some(incident), _) => Scope::Incident(incident.to_string()),
            (None, Some(member)) => Scope::MemberId(resolve(client, member).await?),
            (None, None) => Scope::Entries(Entries { entry_ids: self.entries.iter().map(|entry| entry.0).collect() }),
        };
        Ok(v1::HoldScope { scope: Some(scope) })
    }
}

pub(super) async fn run(command: Command, json: bool) -> anyhow::Result<Verdict> {
    match command {
        Command::Place { scope, reference, authority, until, hub } => {
            let client = hub.connect().await?;
            let (scope, until) = (Some(scope.to_wire(&client).await?), Some(timestamp(until)));
            let request = v1::PlaceHoldRequest { scope, reference, authority, until };
            let placed = client.retention().place_hold(request).await?.into_inner();
            if json { output::json(&placed)? } else { output::line(&line(placed.hold.as_ref()))? }
        }
        Command::Lift { hold, yes, hub } => {
            if !yes {
                confirm(&format!("What hold {hold} alone keeps, and what is due, is erased within the hour."))?;
            }
            let lifted = hub.connect().await?.retention().lift_hold(v1::LiftHoldRequest { hold_id: hold }).await?;
            let lifted = lifted.into_inner();
            if json { output::json(&lifted)? } else { output::line(&line(lifted.hold.as_ref()))? }
        }
        Command::List { all, hub } => {
            let mut list = hub.connect().await?.retention().list_holds(v1::ListHoldsRequest {}).await?.into_inner();
            list.holds.retain(|hold| all || hold.in_force);
            if json {
                output::json(&list)?;
            } else {
                output::columns(list.holds.iter().map(row).collect())?;
            }
        }
    }
    Ok(Verdict::Yes)
}

/// A hold in one line.
fn line(hold: Option<&v1::Hold>) -> String {
    hold.map(row).unwrap_or_default().join("  ")
}

/// The columns of a list: id, state, what it is on, for whom.
fn row(hold: &v1::Hold) -> Vec<String> {
    let until = output::time(hold.until.as_ref());
    let state = match &hold.lifted {
        Some(lifted) => format!("lifted {}", output::time(Some(lifted))),
        None if hold.in_force => format!("HELD until {until}"),
        None => format!("lapsed {until}"),
    };
    let [reference, authority] = [&hold.reference, &hold.authority].map(|text| output::plain(text));
    vec![
        format!("hold {}", hold.hold_id),
        state,
        scope_words(hold.scope.as_ref()),
        format!("{authority} ({reference})"),
    ]
}

/// What was placed, for whom, until when.
pub(super) fn terms_words(scope: Option<&v1::HoldScope>, authority: &str, reference: &str, until: &str) -> String {
    let whom = format!("{} ({})", output::plain(authority), output::plain(reference));
    format!("{}, for {whom}, until {until}", scope_words(scope))
}

/// What a hold is on, for people.
fn scope_words(scope: Option<&v1::HoldScope>) -> String {
    use v1::hold_scope::Scope;
    match scope.and_then(|scope| scope.scope.as_ref()) {
        Some(Scope::Entries(entries)) => output::entries(entries.entry_ids.iter().copied()),
        Some(Scope::Incident(incident)) => format!("incident {}", output::plain(incident)),
        Some(Scope::MemberId(member)) => format!("member {}", output::plain(member)),
        None => "nothing".to_owned(),
    }
}
