//! What is said of an item on the command line: the flags that `contribute` and `hash --out` share.

use anyhow::Context;

use super::{RawBasis, RawDraft, RawOrder, RawProvenance, RawSignal};

/// Under what the flags stand in a command's help; what tells them from its others.
pub const HEADING: &str = "Item";

/// Everything about an item but its signals.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = HEADING)]
pub struct DraftArgs {
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

    /// A government's order behind it: STATE:YYYY-MM-DD; noted, never a basis
    #[arg(long, value_name = "ORDER")]
    government_order: Option<String>,
}

impl DraftArgs {
    /// An item with these signals, unread.
    ///
    /// # Errors
    /// A government's order that is not two parts.
    pub fn draft(&self, signals: Vec<RawSignal>) -> anyhow::Result<RawDraft> {
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
            request_id: None,
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
                supersedes: None,
                government_order,
            },
        })
    }
}
