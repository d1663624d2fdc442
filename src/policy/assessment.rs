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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::{draft, timestamp};
    use crate::domain::{Draft, EntryId, MemberId, Withdrawal};

    fn entry(draft: Draft) -> Entry {
        Entry {
            id: EntryId(7),
            contributor: MemberId::from_bytes([1; 5]),
            contributed: Timestamp::EPOCH,
            taxonomy: 1,
            draft,
        }
    }

    proptest! {
        #[test]
        fn the_action_is_the_lowest_ceiling_and_every_ceiling_has_a_reason(draft in draft(), now in timestamp()) {
            let provenance = draft.provenance().clone();
            let taxonomies = Taxonomies::shipped().unwrap();
            let judged = assess(&entry(draft), &EntryState::default(), &taxonomies, now);
            prop_assert_eq!(Some(judged.action), judged.reasons.iter().filter_map(|reason| reason.ceiling).min());
            prop_assert!(judged.action <= provenance.action_max);
            prop_assert!(judged.action < Action::Block, "one organisation alone never supports block");
            let lawful = !provenance.contexts.is_empty()
                || matches!(provenance.producer, Producer::Bystander | Producer::Media);
            prop_assert!(!lawful || judged.action <= Action::Review);
            let expired = expiry_passed(provenance.valid_until, now);
            prop_assert_eq!(judged.standing == Standing::Expired, expired);
            prop_assert!(!expired || judged.action == Action::LogOnly);
        }

        #[test]
        fn a_withdrawn_entry_supports_nothing_and_does_not_match(draft in draft(), now in timestamp()) {
            let state = EntryState { withdrawn: Some(Withdrawal { event: 9, at: now }) };
            let judged = assess(&entry(draft), &state, &Taxonomies::shipped().unwrap(), now);
            prop_assert_eq!((judged.standing, judged.action), (Standing::Withdrawn, Action::LogOnly));
            prop_assert!(!judged.standing.is_matchable());
        }

        #[test]
        fn sixty_four_bits_alone_never_support_more_than_review(draft in draft(), now in timestamp()) {
            let judged = assess(&entry(draft), &EntryState::default(), &Taxonomies::shipped().unwrap(), now);
            let weak = weigh(judged.clone(), [SignalKind::Phash, SignalKind::Dhash]);
            prop_assert!(weak.action <= Action::Review && weak.action <= judged.action);
            prop_assert_eq!(weigh(judged.clone(), [SignalKind::Dhash, SignalKind::Pdq]), judged);
        }
    }
}
