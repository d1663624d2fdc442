//! `hashcommons contribute`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::connection::HubArgs;
use super::draft::{DraftArgs, RawDraft, RawSignal};
use super::hash::{MediaArgs, hash_file};
use super::{Verdict, output};
use crate::domain::Standing;
use crate::media::Turns;
use crate::wire::{Coded, draft_to_wire, v1};

/// Put one item on the hub's list
///
/// The picture is hashed on this machine; only hashes, labels and provenance are sent.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: hashcommons contribute photo.jpg --label graphic-violence --origin human --reviewers 2+ \
    --basis behaviour --producer perpetrator --confidence 95 --tlp TLP:AMBER --receipt photo.tlog-proof"
)]
pub struct Args {
    /// The item; its hashes are computed here, also those of the picture as it is shown where EXIF says to turn it
    #[arg(value_name = "FILE", required_unless_present = "signals")]
    file: Option<PathBuf>,

    /// Further hashes of the item, as KIND:HEX or pdq:HEX:QUALITY
    #[arg(long = "signal", value_name = "SIGNAL")]
    signals: Vec<RawSignal>,

    /// Your own name for this request: sent again it is the same entry [default: made of the item itself]
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,

    /// Where to put the receipt
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,

    #[command(flatten)]
    item: DraftArgs,

    /// An earlier entry of yours that this one replaces
    #[arg(long, value_name = "ENTRY")]
    supersedes: Option<u64>,

    #[command(flatten)]
    media: MediaArgs,

    #[command(flatten)]
    hub: HubArgs,
}

impl Args {
    async fn draft(&self) -> anyhow::Result<RawDraft> {
        let mut signals = self.signals.clone();
        if let Some(path) = &self.file {
            let print = hash_file(path, self.media, Turns::Shown).await?;
            if print.is_featureless() {
                bail!(
                    "{}: too featureless to share or match (PDQ quality {}, at least 50 is needed)",
                    path.display(),
                    print.quality()
                );
            }
            signals.extend(print.signals().iter().map(|turned| RawSignal::from(&turned.signal)));
        }
        let mut draft = self.item.draft(signals)?;
        draft.request_id = self.request_id.clone();
        draft.provenance.supersedes = self.supersedes;
        Ok(draft)
    }
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let raw = args.draft().await?;
    let draft = raw.read()?;
    let request_id = match raw.request_id {
        Some(id) => id,
        // Run again after an error, the same command is the same request.
        None => format!("contribute-{}", HEXLOWER.encode(&Sha256::digest(serde_json::to_vec(&raw)?)[..16])),
    };
    let client = args.hub.connect().await?;
    let request = v1::ContributeRequest { request_id, draft: Some(draft_to_wire(&draft)), without_receipt: false };
    let response = client.contributions().contribute(request).await?.into_inner();
    match &response.outcome {
        Some(v1::contribute_response::Outcome::Accepted(accepted)) => {
            save_receipt(args.receipt.as_deref(), accepted.receipt.as_ref())?;
            if json {
                output::json(&response)?;
            } else {
                output::line(&words(accepted))?;
            }
            Ok(if is_matchable(accepted) { Verdict::Yes } else { Verdict::No })
        }
        Some(v1::contribute_response::Outcome::Declined(declined)) => {
            if json {
                output::json(&response)?;
            } else {
                output::line(&format!("not put on the list: {}", output::plain(&declined.message)))?;
            }
            Ok(Verdict::No)
        }
        None => bail!("the hub gave an empty answer"),
    }
}

/// Whether checks find the entry.
pub(super) fn is_matchable(accepted: &v1::Accepted) -> bool {
    Standing::from_wire(accepted.standing, "standing").is_ok_and(Standing::is_matchable)
}

fn words(accepted: &v1::Accepted) -> String {
    let entry = accepted.entry_id;
    let standing = output::code::<Standing>(accepted.standing);
    match (accepted.repeated, is_matchable(accepted)) {
        (false, true) => format!("entry {entry} is on the list{}", held_back(accepted)),
        (true, true) => format!("entry {entry} is on the list (it was there already){}", held_back(accepted)),
        (_, false) => format!(
            "entry {entry} was made by the same request before and is {standing}: it does not match. \
             To put the item on the list anew, give another --request-id"
        ),
    }
}

/// That an entry supports nothing, and why, where that is so.
fn held_back(accepted: &v1::Accepted) -> String {
    let held = accepted.assessment.as_ref().filter(|one| one.standing() == v1::Standing::Quarantined);
    let reasons = held.iter().flat_map(|one| &one.reasons).filter(|reason| reason.ceiling() == v1::Action::LogOnly);
    let words: Vec<_> = reasons.map(|reason| output::plain(&reason.words)).collect();
    if words.is_empty() { String::new() } else { format!(", but held back: {}", words.join("; ")) }
}

/// Puts a receipt into a file, if both are there.
pub(super) fn save_receipt(path: Option<&std::path::Path>, receipt: Option<&v1::Receipt>) -> anyhow::Result<()> {
    if let (Some(path), Some(receipt)) = (path, receipt) {
        std::fs::write(path, &receipt.tlog_proof).with_context(|| {
            format!("the entry is recorded, but its receipt cannot be written to {}", path.display())
        })?;
    }
    Ok(())
}
