//! `hashcommons review`: what waits for reviewers, and what they decide.

use std::fmt::Write as _;

use anyhow::Context as _;
use clap::Subcommand;

use super::connection::HubArgs;
use super::member::confirm;
use super::{Verdict, output};
use crate::domain::{Action, Attention, Ruling, RulingReason, Standing};
use crate::wire::{Coded, v1};

/// See what waits for reviewers, and decide on it
#[derive(Debug, Subcommand)]
#[command(after_help = "Example: hashcommons review queue --key-file reviewer.key")]
pub enum Command {
    /// List what waits: what reached most members first, then what has waited longest
    #[command(after_help = "Examples: hashcommons review queue --key-file reviewer.key\n          \
        hashcommons review queue --attention appeal --attention disputed --limit 20\n\n\
        Exit codes: 0 something waits, 1 nothing does, 2 an error.")]
    Queue {
        /// Only what waits for this: disputed, flooded, compromised-key, benign-near, excess, appeal, proposal, expiring-incident,
        /// delisted; may be given several times
        #[arg(long, value_name = "REASON")]
        attention: Vec<String>,

        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,

        #[command(flatten)]
        hub: HubArgs,
    },
    /// Decide on an entry
    #[command(after_help = "Examples: hashcommons review decide 17 uphold --reason evidence-sound\n          \
        hashcommons review decide 17 relabel --reason wrong-label --label glorification\n\n\
        Rulings: uphold, confirm (takes two), lower, relabel, revoke, reinstate (takes two).\n\
        docs/review.md says what each does. With --yes it does not ask before lower, relabel and revoke.")]
    Decide {
        /// The entry's id
        #[arg(value_name = "ENTRY")]
        entry: u64,

        /// What is decided
        #[arg(value_name = "RULING")]
        ruling: String,

        /// Why: evidence-sound, false-positive, context, wrong-label, outdated, key-compromised, benign, delisted, appeal, legal.
        /// Everybody who follows the ledger sees it
        #[arg(long, value_name = "REASON")]
        reason: String,

        /// A label from now on, of relabel; may be given several times
        #[arg(long = "label", value_name = "LABEL")]
        labels: Vec<String>,

        /// Do not ask whether it is meant
        #[arg(long)]
        yes: bool,

        #[command(flatten)]
        hub: HubArgs,
    },
}

pub(super) async fn run(command: Command, json: bool) -> anyhow::Result<Verdict> {
    match command {
        Command::Queue { attention, limit, hub } => queue(&attention, limit, &hub, json).await,
        Command::Decide { entry, ruling, reason, labels, yes, hub } => {
            let ruling: Ruling = ruling.parse().context("RULING")?;
            let reason: RulingReason = reason.parse().context("--reason")?;
            if ruling.reverses() && !yes {
                let effect = effect(ruling);
                confirm(&format!("Entry {entry} {effect}, and everybody who matched it is told."))?;
            }
            let request =
                v1::DecideRequest { entry_id: entry, ruling: ruling.to_wire(), reason: reason.to_wire(), labels };
            let decided = hub.connect().await?.reviews().decide(request).await?.into_inner();
            if json {
                output::json(&decided)?;
            } else {
                let words = if decided.acts { "acts" } else { "waits for a second reviewer, for 30 days" };
                output::line(&format!("entry {entry}: {ruling} {words} (leaf {})", decided.event))?;
                output::line(output::assessment(decided.assessment.as_ref(), "  ").trim_end())?;
            }
            Ok(Verdict::Yes)
        }
    }
}

const fn effect(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Lower => "will support review at most",
        Ruling::Relabel => "will have other labels",
        Ruling::Revoke => "will no longer match",
        Ruling::Uphold | Ruling::Confirm | Ruling::Reinstate => "will stand",
    }
}

async fn queue(attention: &[String], limit: u32, hub: &HubArgs, json: bool) -> anyhow::Result<Verdict> {
    let attention = attention.iter().map(|reason| Ok(reason.parse::<Attention>()?.to_wire()));
    let attention: Vec<_> = attention.collect::<anyhow::Result<_>>().context("--attention")?;
    let mut reviews = hub.connect().await?.reviews();
    let mut queue = v1::ListQueueResponse::default();
    while (queue.items.len() as u32) < limit {
        let page_size = (limit - queue.items.len() as u32).min(500);
        let request = v1::ListQueueRequest { attention: attention.clone(), page_size, after: queue.next.clone() };
        let page = reviews.list_queue(request).await?.into_inner();
        let earlier = std::mem::replace(&mut queue, page);
        queue.items.splice(..0, earlier.items);
        if queue.next.is_empty() {
            break;
        }
    }
    if json {
        output::json(&queue)?;
    } else {
        output::line(words(&queue).trim_end())?;
    }
    Ok(if queue.items.is_empty() { Verdict::No } else { Verdict::Yes })
}

fn words(queue: &v1::ListQueueResponse) -> String {
    let mut text = String::new();
    for item in &queue.items {
        let reasons: Vec<_> = item.attention.iter().map(|reason| output::code::<Attention>(*reason)).collect();
        let since = output::time(item.since.as_ref());
        let own = if item.is_own { "  (of your own organisation: somebody else has to decide)" } else { "" };
        let _ = writeln!(text, "entry {}  {}  since {since}{own}", item.entry_id, reasons.join(", "));
        if let Some(assessment) = &item.assessment {
            let standing = output::code::<Standing>(assessment.standing);
            let action = output::code::<Action>(assessment.action);
            let labels = output::plain(&assessment.labels.join(", "));
            let _ = writeln!(text, "  {standing}; supports at most {action}; {labels}; reach {}", item.reach);
            // What holds it where it is.
            for reason in assessment.reasons.iter().filter(|reason| reason.ceiling == assessment.action) {
                let _ = writeln!(text, "  - {}", output::plain(&reason.words));
            }
        }
        for proposal in &item.proposals {
            let (ruling, reason) =
                (output::code::<Ruling>(proposal.ruling), output::code::<RulingReason>(proposal.reason));
            let (by, at) = (output::plain(&proposal.by), output::time(proposal.at.as_ref()));
            let labels: Vec<_> = proposal.labels.iter().map(|label| output::plain(label)).collect();
            let labels = if labels.is_empty() { String::new() } else { format!(" to {}", labels.join(", ")) };
            let _ = writeln!(text, "  {ruling}{labels} ({reason}) was proposed by {by} at {at}");
        }
    }
    let _ = match (queue.items.len() as u64, queue.total) {
        (0, _) => writeln!(text, "nothing waits"),
        (shown, total) if shown < total => writeln!(text, "{shown} of {total}; see more with --limit"),
        (shown, _) => writeln!(text, "{shown} in all"),
    };
    if !queue.is_complete {
        let _ = writeln!(text, "more waits than was looked at: decide on some of it, then look again");
    }
    text
}
