//! `hashcommons feedback`, `appeal`, `appeals`, `reversals`, `trust`: what became of matches.

use std::fmt::Write as _;

use anyhow::Context;

use super::connection::HubArgs;
use super::{Verdict, output};
use crate::client::Client;
use crate::domain::SignalKind;
use crate::wire::{Coded, v1};

/// Say what you found when you looked at a match
#[derive(Debug, clap::Args)]
#[command(after_help = "Outcomes: confirmed, false-positive, context-protects, wrong-label, no-longer-relevant.\n\
    Reasons: seen-by-person, different-content, news, evidence, counter-speech, satire, research, other-label, outdated,\n\
    appeal-upheld, other.\n\n\
    Example: hashcommons feedback hcm_… --outcome false-positive --reason different-content")]
pub struct FeedbackArgs {
    /// The match's receipt, as `check` shows it
    #[arg(value_name = "RECEIPT", required_unless_present = "entry")]
    receipt: Option<String>,

    /// The entry instead, for reviewers
    #[arg(long, value_name = "ENTRY", conflicts_with = "receipt")]
    entry: Option<u64>,

    /// What you found
    #[arg(long)]
    outcome: String,

    /// What that rests on
    #[arg(long)]
    reason: String,

    /// A label that it is about, may be given several times [default: all of the entry's]
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,

    /// By which kind of signal it matched: pdq, phash, dhash, md5 or sha256
    #[arg(long)]
    kind: Option<String>,

    /// A few words for reviewers and auditors, nothing about a person
    #[arg(long)]
    note: Option<String>,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn feedback(args: FeedbackArgs, json: bool) -> anyhow::Result<Verdict> {
    let kind = args.kind.as_deref().map(str::parse::<SignalKind>).transpose().context("--kind")?;
    let request = v1::ReportOutcomeRequest {
        receipt: args.receipt.unwrap_or_default(),
        entry_id: args.entry,
        outcome: args.outcome,
        labels: args.labels,
        kind: kind.map_or(0, Coded::to_wire),
        reason: args.reason,
        note: args.note.unwrap_or_default(),
    };
    let client = args.hub.connect().await?;
    let reported = client.feedback().report_outcome(request).await?.into_inner();
    if json {
        output::json(&reported)?;
    } else {
        output::line(&format!("reported about entry {}: leaf {}", reported.entry_id, reported.event))?;
    }
    Ok(Verdict::Yes)
}

/// Appeal against an entry that matched, for one of those who share through you
#[derive(Debug, clap::Args)]
#[command(after_help = "Grounds: not-the-content, lawful-context, wrong-label, outdated, other.\n\n\
    Example: hashcommons appeal hcm_… --ground lawful-context")]
pub struct AppealArgs {
    /// The match's receipt, as `check` shows it
    #[arg(value_name = "RECEIPT")]
    receipt: String,

    /// On what grounds
    #[arg(long)]
    ground: String,

    /// A few words for reviewers and auditors, nothing about a person
    #[arg(long)]
    note: Option<String>,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn appeal(args: AppealArgs, json: bool) -> anyhow::Result<Verdict> {
    let request =
        v1::OpenAppealRequest { receipt: args.receipt, ground: args.ground, note: args.note.unwrap_or_default() };
    let client = args.hub.connect().await?;
    let opened = client.feedback().open_appeal(request).await?.into_inner();
    if json {
        output::json(&opened)?;
    } else {
        let appeal = opened.appeal.unwrap_or_default();
        let again = if opened.repeated { " (was open already)" } else { "" };
        output::line(&format!("{}{again}", appeal_words(&appeal)))?;
    }
    Ok(Verdict::Yes)
}

/// List appeals: your organisation's; everybody's for reviewers, auditors and admins
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons appeals --open")]
pub struct AppealsArgs {
    /// Only those that nobody has decided
    #[arg(long)]
    open: bool,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn appeals(args: AppealsArgs, json: bool) -> anyhow::Result<Verdict> {
    let client = args.hub.connect().await?;
    let mut request = v1::ListAppealsRequest { open_only: args.open, from: None, page_size: 0 };
    loop {
        let page = client.feedback().list_appeals(request).await?.into_inner();
        if json {
            output::json(&page)?;
        } else {
            for appeal in &page.appeals {
                output::line(&appeal_words(appeal))?;
            }
        }
        let Some(next) = page.next else { return Ok(Verdict::Yes) };
        request.from = Some(next);
    }
}

fn appeal_words(appeal: &v1::Appeal) -> String {
    let mut text = format!(
        "appeal {} against entry {} by {}: {}, opened {}",
        appeal.appeal_id,
        appeal.entry_id,
        output::plain(&appeal.member_id),
        output::plain(&appeal.ground),
        output::time(appeal.opened.as_ref()),
    );
    let _ = match appeal.ended_by {
        Some(leaf) => write!(text, "; {} by leaf {leaf}", output::plain(&appeal.state)),
        None if appeal.is_overdue => write!(text, "; open, OVERDUE since {}", output::time(appeal.deadline.as_ref())),
        None => write!(text, "; open, to be decided by {}", output::time(appeal.deadline.as_ref())),
    };
    if !appeal.note.is_empty() {
        let _ = write!(text, "; note: {}", output::plain(&appeal.note));
    }
    text
}

/// List the decisions and withdrawals that concern matches of your organisation
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons reversals --since 1204")]
pub struct ReversalsArgs {
    /// Only leaves from this one on: what the command said the last time
    #[arg(long, value_name = "LEAF", default_value_t = 0)]
    since: u64,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn reversals(args: ReversalsArgs, json: bool) -> anyhow::Result<Verdict> {
    let client = args.hub.connect().await?;
    let mut since = args.since;
    loop {
        let page = list_reversals(&client, since).await?;
        if json {
            output::json(&page)?;
        } else {
            for reversal in &page.reversals {
                output::line(&reversal_words(reversal))?;
            }
        }
        since = page.next;
        if !page.more {
            break;
        }
    }
    if !json {
        output::line(&format!("that is all; next time --since {since}"))?;
    }
    Ok(Verdict::Yes)
}

async fn list_reversals(client: &Client, since: u64) -> anyhow::Result<v1::ListReversalsResponse> {
    let request = v1::ListReversalsRequest { since, page_size: 0 };
    Ok(client.feedback().list_reversals(request).await?.into_inner())
}

fn reversal_words(reversal: &v1::Reversal) -> String {
    let labels = if reversal.labels.is_empty() {
        String::new()
    } else {
        format!(" to {}", output::plain(&reversal.labels.join(", ")))
    };
    format!(
        "entry {}: {}{labels} ({}), leaf {}, {}; you had {} between {} and an hour from {}",
        reversal.entry_id,
        output::plain(&reversal.ruling),
        output::plain(&reversal.reason),
        reversal.event,
        output::time(reversal.at.as_ref()),
        if reversal.matches == 1 { "1 match".to_owned() } else { format!("{} matches", reversal.matches) },
        output::time(reversal.first.as_ref()),
        output::time(reversal.last.as_ref()),
    )
}

/// Show how far a member's contributions are believed: your own, or any for reviewers, auditors and admins
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons trust")]
pub struct TrustArgs {
    /// The member's id [default: your own]
    #[arg(value_name = "MEMBER")]
    member: Option<String>,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn trust(args: TrustArgs, json: bool) -> anyhow::Result<Verdict> {
    let client = args.hub.connect().await?;
    let request = v1::GetTrustRequest { member_id: args.member.unwrap_or_default() };
    let trust = client.feedback().get_trust(request).await?.into_inner();
    if json {
        output::json(&trust)?;
    } else {
        output::line(trust_words(&trust).trim_end())?;
    }
    Ok(Verdict::Yes)
}

fn trust_words(trust: &v1::GetTrustResponse) -> String {
    let mut text = format!("{}: trust {}\n", output::plain(&trust.member_id), output::plain(&trust.words));
    for (name, count) in [
        ("confirmed", trust.confirmed),
        ("objected", trust.objected),
        ("upheld", trust.upheld),
        ("reversed", trust.reversed),
        ("near benign", trust.near_benign),
    ] {
        let _ = writeln!(text, "  {name:<13} {count}");
    }
    text
}
