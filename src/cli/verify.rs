//! `hashcommons verify`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;

use super::{Verdict, output};
use crate::domain::{Event, Fact, IncidentChange};
use crate::ledger::record::decode_event;
use crate::ledger::{Receipt, VerifierKey};

/// Check a receipt without asking anybody
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons verify photo.tlog-proof --ledger-key-file ledger.pub\n\n\
    The ledger's key is the text in <data-dir>/ledger.pub of the hub. Get it from the operator, not with the receipt.\n\
    Exit codes: 0 verified, 1 not verified, 2 an error.")]
pub struct Args {
    /// The receipt, a C2SP tlog-proof file
    #[arg(value_name = "RECEIPT")]
    receipt: PathBuf,

    /// The ledger's public key, as in hub.example/ledger+1a2b3c4d+A…
    #[arg(long, env = "HASHCOMMONS_LEDGER_KEY", value_name = "KEY")]
    ledger_key: Option<String>,

    /// File with the ledger's public key
    #[arg(long, env = "HASHCOMMONS_LEDGER_KEY_FILE", value_name = "FILE", conflicts_with = "ledger_key")]
    ledger_key_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args, json: bool) -> anyhow::Result<Verdict> {
    let key = ledger_key(args.ledger_key.as_deref(), args.ledger_key_file.as_deref())?;
    let bytes =
        std::fs::read(&args.receipt).with_context(|| format!("cannot read the receipt {}", args.receipt.display()))?;
    let Ok(text) = str::from_utf8(&bytes) else { return refused(json, "it is not a receipt: a receipt is text") };
    let receipt = match text.parse::<Receipt>() {
        Ok(receipt) => receipt,
        Err(error) => return refused(json, &error.to_string()),
    };
    let verified = match receipt.verify(&key) {
        Ok(verified) => verified,
        Err(error) => return refused(json, &error.to_string()),
    };
    let event = match verified.event().map(decode_event) {
        None => None,
        Some(Ok(event)) => Some(event),
        Some(Err(error)) => return refused(json, &format!("the proof holds, but the event {error}")),
    };
    let checkpoint = verified.checkpoint();
    let event_words = event.as_ref().map_or_else(|| "sealed".to_owned(), words);
    if json {
        let (origin, size) = (checkpoint.origin(), checkpoint.size());
        let facts = json!({
            "verified": true,
            "ledger": origin,
            "index": verified.index(),
            "tree_size": size,
            "root": checkpoint.root().to_string(),
            "event": event_words,
            "at": event.as_ref().map(|event| event.at.to_string()),
        });
        output::line(&facts.to_string())?;
    } else {
        output::line(&format!(
            "verified: {} signed a ledger of {} events, and event {} in it is: {event_words}",
            checkpoint.origin(),
            checkpoint.size(),
            verified.index()
        ))?;
    }
    Ok(Verdict::Yes)
}

/// The ledger's public key: given, or in a file.
pub(super) fn ledger_key(text: Option<&str>, file: Option<&Path>) -> anyhow::Result<VerifierKey> {
    let key = match (text, file) {
        (Some(text), _) => text.to_owned(),
        (None, Some(path)) => {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
        }
        (None, None) => bail!("give the ledger's public key with --ledger-key or --ledger-key-file"),
    };
    key.trim().parse().context("the ledger's key")
}

fn refused(json: bool, problem: &str) -> anyhow::Result<Verdict> {
    if json {
        output::line(&json!({ "verified": false, "problem": problem }).to_string())?;
    } else {
        output::line(&format!("NOT verified: {problem}"))?;
    }
    Ok(Verdict::No)
}

fn incident_words(change: &IncidentChange) -> &'static str {
    match change {
        IncidentChange::Open { is_drill: true, .. } => "opening as a drill",
        IncidentChange::Open { is_drill: false, .. } => "opening",
        IncidentChange::Extend { .. } => "extension",
        IncidentChange::Close => "closing",
    }
}

fn words(event: &Event) -> String {
    let what = match &event.fact {
        Fact::Contributed { draft, .. } => {
            let labels: Vec<_> = draft.labels().iter().map(ToString::to_string).collect();
            format!("an entry of {} signals labelled {}", draft.signals().len(), labels.join(", "))
        }
        Fact::Withdrawn { entry, reason, .. } => format!("the withdrawal of entry {entry} ({reason})"),
        Fact::Expired { entries } => format!("the expiry of {}", output::entries(entries.iter().map(|entry| entry.0))),
        Fact::Erased { erased, .. } => {
            format!("the erasure of {}", output::entries(erased.iter().map(|one| one.entry.0)))
        }
        Fact::Remains(remains) => {
            let labels: Vec<_> = remains.labels.iter().map(ToString::to_string).collect();
            format!("what remains of an entry labelled {}", labels.join(", "))
        }
        Fact::HoldPlaced(terms) => format!("a preservation hold until {} ({})", terms.until, terms.reference),
        Fact::HoldLifted { hold } => format!("the lifting of hold {hold}"),
        Fact::OutcomeReported(report) => {
            format!("the outcome {} ({}) of entry {}", report.outcome, report.reason, report.entry)
        }
        Fact::Decided { entry, decision, is_enough } => {
            let (ruling, reason) = (decision.ruling, decision.reason);
            let whose = if *is_enough { "reviewers'" } else { "one reviewer's" };
            format!("{whose} decision on entry {entry}: {ruling} ({reason})")
        }
        Fact::AppealOpened { entry, ground, deadline, .. } => {
            format!("an appeal against entry {entry} ({ground}), to be decided by {deadline}")
        }
        Fact::FloodSeen { entry, matches, usual } => {
            format!("that entry {entry} matched {matches} times where {usual} would have been usual")
        }
        Fact::BenignAdded(benign) => format!("a benign item of {} signals ({})", benign.signals().len(), benign.class),
        Fact::BenignRemoved { benign } => format!("the removal of benign item {benign}"),
        Fact::PolicySet { text } => format!("a policy of {} bytes", text.len()),
        Fact::EntityDelisted { entity } => format!("that {entity} is no longer listed"),
        Fact::IncidentChanged { incident, change, is_enough } => {
            let what = if *is_enough { "the" } else { "a proposal of the" };
            format!("{what} {} of incident {incident}", incident_words(change))
        }
        Fact::IncidentEnded { incident } => format!("the end of incident {incident}"),
        Fact::MatchesTallied(tally) => format!("how many matches were shown from {} to {}", tally.since, tally.until),
        Fact::SampleDrawn(sample) => format!("a random sample of {} entries", sample.entries.len()),
        Fact::SampleJudged { sample, entry, verdict } => {
            format!("the judgement {verdict} of entry {entry} of sample {sample}")
        }
        Fact::MemberEnrolled(member) => format!("the enrolment of {}", member.id),
        Fact::MemberApproved { member, to, .. } => format!("an approval of {member} for {to}"),
        Fact::MemberStatusSet { member, status, reason } => format!("the setting of {member} to {status} ({reason})"),
        Fact::KeyIssued(key) => format!("the issue of {} to {}", key.id, key.member),
        Fact::KeyRotated { key, replaces, .. } => format!("the issue of {} in place of {replaces}", key.id),
        Fact::KeyCompromised { key, since } => format!("that {key} is compromised since {since}"),
        Fact::KeyRevoked { key } => format!("the revocation of {key}"),
        Fact::QuotaSet { of, .. } => format!("the setting of a quota of {of}"),
        Fact::AdminRefused { attempted, reason, .. } => {
            format!("the refusal of what would have been {attempted} ({reason})")
        }
        Fact::WalkSeen { level } => format!("that a member was {level} for asking its way to a listed hash"),
        Fact::WalkCleared { member } => format!("the release of {member}"),
        Fact::NamesShown => "that names of members were shown".to_owned(),
    };
    format!("{what}, {}", event.at)
}
