//! `hashcommons contribute`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::connection::HubArgs;
use super::draft::{RawBasis, RawDraft, RawOrder, RawProvenance, RawSignal};
use super::hash::hash_file;
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

    /// What it is: a label's code (see `hashcommons taxonomy`); may be given several times
    #[arg(long = "label", value_name = "CODE", required = true)]
    labels: Vec<String>,

    /// How it was found: human, automated or uncertain
    #[arg(long)]
    origin: String,

    /// How many people have looked at it: 0, 1 or 2+
    #[arg(long)]
    reviewers: String,

    /// Why it may be on the list: un-consolidated-list, designated-by, incident, behaviour or analyst-verified
    #[arg(long)]
    basis: String,

    /// With un-consolidated-list: the list's reference of the entity, as in QDe.115
    #[arg(long, value_name = "REFERENCE")]
    basis_entity: Option<String>,

    /// With designated-by: the authority's code
    #[arg(long, value_name = "CODE")]
    basis_authority: Option<String>,

    /// With un-consolidated-list and designated-by: which day's list
    #[arg(long, value_name = "YYYY-MM-DD")]
    basis_list_date: Option<String>,

    /// With incident: the incident's code
    #[arg(long, value_name = "CODE")]
    basis_incident: Option<String>,

    /// With analyst-verified: threat-to-life, crisis, designation or promotional
    #[arg(long, value_name = "TIER")]
    basis_tier: Option<String>,

    /// Who made it: perpetrator, accomplice, bystander, media or unknown
    #[arg(long)]
    producer: String,

    /// A lawful setting it appears in: news, evidence, counter-speech, satire, research or synthetic
    #[arg(long = "context", value_name = "CODE")]
    contexts: Vec<String>,

    /// What form it has: a content type's code
    #[arg(long = "content-type", value_name = "CODE")]
    content_types: Vec<String>,

    /// How sure you are, 0 to 100
    #[arg(long)]
    confidence: u32,

    /// How far it may be passed on: TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT or TLP:RED
    #[arg(long)]
    tlp: String,

    /// The strongest action you stand for: log-only, review, block-pending-review or block
    #[arg(long, default_value = "block", value_name = "ACTION")]
    action_max: String,

    /// When it stops matching by itself, as in 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    valid_until: Option<String>,

    /// An earlier entry of yours that this one replaces
    #[arg(long, value_name = "ENTRY")]
    supersedes: Option<u64>,

    /// A government's order behind it: STATE:YYYY-MM-DD; noted, never a basis
    #[arg(long, value_name = "ORDER")]
    government_order: Option<String>,

    /// Your own name for this request: sent again it is the same entry [default: made of the item itself]
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,

    /// Where to put the receipt
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,

    #[command(flatten)]
    hub: HubArgs,
}

impl Args {
    fn draft(&self) -> anyhow::Result<RawDraft> {
        let mut signals = self.signals.clone();
        if let Some(path) = &self.file {
            let print = hash_file(path, Turns::Shown)?;
            if print.is_featureless() {
                bail!(
                    "{}: too featureless to share or match (PDQ quality {}, at least 50 is needed)",
                    path.display(),
                    print.quality()
                );
            }
            signals.extend(print.signals().iter().map(|turned| RawSignal::from(&turned.signal)));
        }
        let government_order = match &self.government_order {
            None => None,
            Some(text) => {
                let (jurisdiction, date) = text
                    .split_once(':')
                    .context("--government-order: must be STATE:YYYY-MM-DD, as in FR:2026-11-02")?;
                Some(RawOrder { jurisdiction: jurisdiction.to_owned(), date: date.to_owned() })
            }
        };
        Ok(RawDraft {
            request_id: self.request_id.clone(),
            signals,
            labels: self.labels.clone(),
            provenance: RawProvenance {
                origin: self.origin.clone(),
                reviewers: self.reviewers.clone(),
                basis: RawBasis {
                    code: self.basis.clone(),
                    entity: self.basis_entity.clone(),
                    authority: self.basis_authority.clone(),
                    list_date: self.basis_list_date.clone(),
                    incident: self.basis_incident.clone(),
                    tier: self.basis_tier.clone(),
                },
                producer: self.producer.clone(),
                contexts: self.contexts.clone(),
                content_types: self.content_types.clone(),
                confidence: self.confidence,
                tlp: self.tlp.clone(),
                action_max: self.action_max.clone(),
                valid_until: self.valid_until.clone(),
                supersedes: self.supersedes,
                government_order,
            },
        })
    }
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let raw = args.draft()?;
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
        (false, true) => format!("entry {entry} is on the list"),
        (true, true) => format!("entry {entry} is on the list (it was there already)"),
        (_, false) => format!(
            "entry {entry} was made by the same request before and is {standing}: it does not match. \
             To put the item on the list anew, give another --request-id"
        ),
    }
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
