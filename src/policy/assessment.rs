//! What an entry counts for now, and the strongest action the evidence supports, with every rule named.
//!
//! A fold of the entry, its events and the time: whoever has the ledger computes the same. Corroboration, screening and review
//! by others do not exist yet, so no entry is more than provisional and none supports `block`.

use crate::domain::{
    Action, Assessment, Entry, EntryState, Origin, Producer, Reason, Reviewers, SignalKind, Standing, Taxonomies,
    Timestamp,
};

/// Below this a contributor's own doubt keeps people in the loop.
const SURE_MIN_PERCENT: u8 = 50;

/// Whether an entry's time has passed at `now`.
pub fn expiry_passed(valid_until: Option<Timestamp>, now: Timestamp) -> bool {
    valid_until.is_some_and(|valid_until| valid_until <= now)
}

/// Judges `entry` at `now`.
pub fn assess(entry: &Entry, state: &EntryState, taxonomies: &Taxonomies, now: Timestamp) -> Assessment {
    let provenance = entry.draft.provenance();
    let mut reasons = Vec::new();
    let mut rule = |rule, words: String, ceiling| reasons.push(Reason { rule, words, ceiling });

    let standing = if let Some(withdrawal) = state.withdrawn {
        rule("withdrawn", format!("its contributor withdrew it on {}", withdrawal.at), Some(Action::LogOnly));
        Standing::Withdrawn
    } else if let Some(until) = provenance.valid_until.filter(|until| *until <= now) {
        rule("expired", format!("it was valid until {until}"), Some(Action::LogOnly));
        Standing::Expired
    } else {
        let words = "one organisation in one jurisdiction stands for it; nobody has confirmed or disputed it";
        rule("uncorroborated", words.to_owned(), Some(Action::BlockPendingReview));
        Standing::Provisional
    };

    let label = label_ceiling(entry, taxonomies);
    rule("label", format!("its labels allow at most {label}"), Some(label));
    rule(
        "contributor",
        format!("its contributor stands for at most {}", provenance.action_max),
        Some(provenance.action_max),
    );
    if !provenance.contexts.is_empty() {
        let contexts: Vec<_> = provenance.contexts.iter().map(|context| context.code()).collect();
        rule("context", format!("it is known to appear lawfully: {}", contexts.join(", ")), Some(Action::Review));
    }
    if matches!(provenance.producer, Producer::Bystander | Producer::Media) {
        rule("producer", format!("it was made by {}, not by an attacker", provenance.producer), Some(Action::Review));
    }
    if provenance.origin != Origin::Human && provenance.reviewers == Reviewers::None {
        rule("unseen", "no person is known to have looked at it".to_owned(), Some(Action::Review));
    }
    let confidence = provenance.confidence.percent();
    if confidence < SURE_MIN_PERCENT {
        rule("confidence", format!("its contributor is only {confidence} % sure"), Some(Action::Review));
    }

    let action = reasons.iter().filter_map(|reason| reason.ceiling).min().unwrap_or(Action::LogOnly);
    Assessment { standing, action, reasons }
}

/// The assessment of a match that rests on signals of these kinds: of an entry, lowered where the evidence is weak.
pub fn weigh(mut assessment: Assessment, evidence: impl IntoIterator<Item = SignalKind>) -> Assessment {
    if !evidence.into_iter().any(SignalKind::is_strong_evidence) {
        let words = "only a 64-bit hash is near, which happens by accident; a person must look".to_owned();
        assessment.reasons.push(Reason { rule: "weak-evidence", words, ceiling: Some(Action::Review) });
        assessment.action = assessment.action.min(Action::Review);
    }
    assessment
}

/// The strongest that any of the labels allows, under the taxonomy that they belong to.
fn label_ceiling(entry: &Entry, taxonomies: &Taxonomies) -> Action {
    let Some(taxonomy) = taxonomies.version(entry.taxonomy) else { return Action::Review };
    let ceiling = |code| taxonomy.label(code).map_or(taxonomy.incident_labels.action_max, |label| label.action_max);
    entry.draft.labels().iter().map(ceiling).max().unwrap_or(Action::Review)
}
