//! `hashcommons trace`.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::connection::HubArgs;
use super::contribute::save_receipt;
use super::hash::{MediaArgs, hash_file};
use super::{Verdict, output};
use crate::domain::Orientation;
use crate::media::Turns;
use crate::wire::{signal_to_wire, v1};

/// Show everything about one entry: who, when, why, what it counts for, and its proof
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons trace 2 --against upload.jpg --receipt 2.tlog-proof")]
pub struct Args {
    /// The entry's id
    #[arg(value_name = "ENTRY")]
    entry: u64,

    /// The picture that matched, to be told its distances; hashed on this machine
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,

    /// Where to put the receipt
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,

    #[command(flatten)]
    media: MediaArgs,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let against = match &args.against {
        None => Vec::new(),
        Some(path) => hash_file(path, args.media, Turns::Shown).await?.signals(),
    };
    let client = args.hub.connect().await?;
    let orientations: Vec<_> = against.iter().map(|turned| turned.orientation).collect();
    let against = against.iter().map(|turned| signal_to_wire(&turned.signal)).collect();
    let request = v1::TraceRequest { entry_id: args.entry, against };
    let traced = client.reviews().trace(request).await?.into_inner();
    save_receipt(args.receipt.as_deref(), traced.receipt.as_ref())?;
    if json {
        output::json(&traced)?;
    } else {
        output::line(words(&traced, &orientations).trim_end())?;
    }
    Ok(Verdict::Yes)
}

/// A trace in words; `orientations` are those of the signals that it was held against.
pub(super) fn words(traced: &v1::TraceResponse, orientations: &[Orientation]) -> String {
    let mut text = String::new();
    let Some(entry) = &traced.entry else { return text };
    let _ = writeln!(text, "entry {}", entry.entry_id);
    let _ = writeln!(text, "  contributor   {}", output::contributor(entry.contributor.as_ref()));
    let _ = writeln!(text, "  contributed   {}", output::time(entry.contributed.as_ref()));
    for label in &traced.labels {
        let _ = writeln!(text, "  label         {} ({})", output::plain(&label.code), output::plain(&label.name));
        let _ = writeln!(text, "                covers: {}", output::plain(&label.definition));
        let _ = writeln!(text, "                does not cover: {}", output::plain(&label.excludes.join(", ")));
    }
    let _ = writeln!(text, "  taxonomy      version {}", entry.taxonomy_version);
    text.push_str(&output::provenance(entry.provenance.as_ref(), "  "));
    let kinds: Vec<_> =
        entry.signal_kinds.iter().map(|kind| output::code::<crate::domain::SignalKind>(*kind)).collect();
    let _ = writeln!(text, "  signals       {}", kinds.join(", "));
    if !traced.evidence.is_empty() {
        let _ = writeln!(text, "  distance      {}", output::evidence(&traced.evidence, orientations));
    }
    text.push_str(&output::assessment(traced.assessment.as_ref(), "  "));
    for step in &traced.history {
        let reason = if step.reason.is_empty() { String::new() } else { format!(" ({})", output::plain(&step.reason)) };
        let at = output::time(step.at.as_ref());
        let _ = writeln!(
            text,
            "  ledger        leaf {}: {} by {}, {at}{reason}",
            step.index,
            output::plain(&step.kind),
            match step.actor.as_str() {
                "" if ["outcome-reported", "appeal-opened"].contains(&&*step.kind) => "a member".into(),
                "" => "the hub".into(),
                actor => output::plain(actor),
            }
        );
        if !step.note.is_empty() {
            let _ = writeln!(text, "                note: {}", output::plain(&step.note));
        }
    }
    if let Some(receipt) = &traced.receipt {
        let proof = receipt.tlog_proof.parse::<crate::ledger::Receipt>();
        let words = proof.map_or_else(
            |error| format!("unreadable: {error}"),
            |proof| {
                let checkpoint = proof.checkpoint().claimed();
                format!(
                    "leaf {} in the tree of {} leaves, {} hashes up to root {}",
                    proof.index(),
                    checkpoint.size(),
                    proof.proof().len(),
                    checkpoint.root()
                )
            },
        );
        let _ = writeln!(text, "  proof         {words}");
    }
    text
}
