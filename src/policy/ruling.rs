//! Who may decide what about an entry, and how many it takes.

use std::time::Duration;

use super::Roster;
use super::admission::unknown;
use crate::domain::{
    At, Code, Decided, Decision, Draft, Entry, EntryState, FieldError, KeyId, MemberId, Ruling, Taxonomy, Timestamp,
    check_count,
};

/// What one reviewer has proposed waits so long for a second one.
const PROPOSAL: Duration = Duration::from_hours(30 * 24);

/// Why a decision does not stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulingError {
    /// It is an entry of the reviewer's own organisation, or one under the same owner.
    #[error("entry: is of your own organisation, or of one under the same owner; somebody else has to decide")]
    OwnEntry,
    /// There is nothing left to decide on.
    #[error("entry: its contributor has withdrawn it")]
    Withdrawn,
    /// It takes a reinstatement first.
    #[error("entry: is revoked; it takes `reinstate`")]
    Revoked,
    /// It matches.
    #[error("entry: is not revoked")]
    NotRevoked,
    /// The first of the two was the same person.
    #[error(
        "entry: {ruling} was proposed with this key or one that stems from the same key of the first start; it takes two \
         reviewers"
    )]
    SameHand { ruling: Ruling },
    /// A field that does not fit the ruling.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Whether with this decision, by `member`'s key `by` at `at`, there are reviewers enough for it to act.
///
/// # Errors
/// [`RulingError`]: it does not stand.
pub fn rule(
    roster: &Roster,
    (entry, state): (&Entry, &EntryState),
    taxonomy: &Taxonomy,
    decision: &Decision,
    (member, by, at): (MemberId, KeyId, Timestamp),
) -> Result<bool, RulingError> {
    if roster.speak_as_one(member, entry.contributor) {
        return Err(RulingError::OwnEntry);
    }
    if state.withdrawn.is_some() {
        return Err(RulingError::Withdrawn);
    }
    match decision.ruling {
        Ruling::Reinstate if !state.is_revoked() => return Err(RulingError::NotRevoked),
        Ruling::Reinstate => {}
        _ if state.is_revoked() => return Err(RulingError::Revoked),
        _ => {}
    }
    check_labels(decision, taxonomy)?;
    if !takes_two(decision.ruling, state) {
        return Ok(true);
    }
    let others = state.proposed.iter().filter(|earlier| earlier.decision.proposes(decision));
    roster
        .seconds(others.map(|earlier| (earlier.key, earlier.at)), PROPOSAL, by, at)
        .ok_or(RulingError::SameHand { ruling: decision.ruling })
}

/// Whether what a reviewer proposed still stands at `at`: not for ever, and not if its key was revoked.
pub fn proposal_stands(proposed: &Decided, roster: &Roster, at: Timestamp) -> bool {
    roster.stands((proposed.key, proposed.at), PROPOSAL, at)
}

/// Whether it takes two reviewers: what speaks for an entry, brings it back, or lifts what reviewers lowered.
fn takes_two(ruling: Ruling, state: &EntryState) -> bool {
    let is_lowered = state.decided.as_ref().is_some_and(|decided| decided.decision.ruling == Ruling::Lower);
    match ruling {
        Ruling::Confirm | Ruling::Reinstate => true,
        Ruling::Uphold | Ruling::Relabel => is_lowered,
        Ruling::Lower | Ruling::Revoke => false,
    }
}

fn check_labels(decision: &Decision, taxonomy: &Taxonomy) -> Result<(), FieldError> {
    if decision.ruling != Ruling::Relabel {
        let problem = "only of `relabel`";
        return if decision.labels.is_empty() { Ok(()) } else { Err(FieldError::new("labels", problem)) };
    }
    check_count("labels", decision.labels.len(), Draft::LABELS_MAX)?;
    for (at, label) in decision.labels.iter().enumerate() {
        if decision.labels[..at].contains(label) {
            return Err(FieldError::new(format!("labels[{at}]"), format_args!("`{label}` is given twice")));
        }
        check_label(label, taxonomy).at(format!("labels[{at}]"))?;
    }
    Ok(())
}

fn check_label(label: &Code, taxonomy: &Taxonomy) -> Result<(), String> {
    if taxonomy.label(label).is_some() {
        return Ok(());
    }
    Err(unknown(label, taxonomy.labels.iter().map(|label| &label.code)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::testing::{draft, entry_state};
    use crate::domain::{
        Credential, Decided, EntryId, Key, KeyMac, Member, Roles, RulingReason, Taxonomies, Withdrawal,
    };

    fn on(day: u64) -> Timestamp {
        Timestamp::from_millis(day * 24 * 3_600_000).unwrap()
    }

    fn member(n: u8) -> MemberId {
        MemberId::from_bytes([n; 5])
    }

    fn key(n: u8) -> KeyId {
        KeyId::from_bytes([n; 5])
    }

    /// Members 1 to 5: 1 contributes, 2 is under the same owner. Keys 1 and 2 are of the first start, 3 and 4 were issued with 1,
    /// 5 with 2.
    fn roster() -> Roster {
        let mut roster = Roster::default();
        for n in 1..=5 {
            let new = Member::new(member(n), format!("Member {n}").parse().unwrap(), "NZ".parse().unwrap(), on(0));
            let control_group = (n <= 2).then(|| "holding".parse().unwrap());
            roster.set_member(Member { control_group, ..new });
            let new = Key::new(key(n), member(n), Roles::new(), Credential::Secret(KeyMac([n; 32])), on(0));
            let issued_by = [None, None, Some(key(1)), Some(key(1)), Some(key(2))][usize::from(n) - 1];
            roster.set_key(Key { issued_by, ..new });
        }
        roster
    }

    fn decision(ruling: Ruling) -> Decision {
        let labels = if ruling == Ruling::Relabel { vec!["glorification".parse().unwrap()] } else { vec![] };
        Decision { ruling, reason: RulingReason::EvidenceSound, labels }
    }

    fn decided(ruling: Ruling, by: u8, on_day: u64) -> Decided {
        let by_key = key(by);
        Decided { decision: decision(ruling), event: 50 + on_day, at: on(on_day), by: vec![member(by)], key: by_key }
    }

    fn try_rule(
        roster: &Roster,
        state: &EntryState,
        decision: &Decision,
        by: u8,
        day: u64,
    ) -> Result<bool, RulingError> {
        let draft = draft_of_one();
        let entry =
            Entry { id: EntryId(9), contributor: member(1), key: key(1), contributed: on(1), taxonomy: 1, draft };
        let taxonomies = Taxonomies::shipped().unwrap();
        rule(roster, (&entry, state), taxonomies.current(), decision, (member(by), key(by), on(day)))
    }

    fn draft_of_one() -> crate::domain::Draft {
        use proptest::strategy::{Strategy, ValueTree};
        draft().new_tree(&mut proptest::test_runner::TestRunner::deterministic()).unwrap().current()
    }

    const TWO: [Ruling; 2] = [Ruling::Confirm, Ruling::Reinstate];
    const AFTER_LOWER: [Ruling; 2] = [Ruling::Uphold, Ruling::Relabel];

    fn lowered() -> EntryState {
        EntryState { decided: Some(decided(Ruling::Lower, 3, 2)), ..EntryState::default() }
    }

    fn revoked() -> EntryState {
        EntryState { decided: Some(decided(Ruling::Revoke, 3, 2)), ..EntryState::default() }
    }

    #[test]
    fn one_reviewer_suffices_but_for_what_brings_something_back() {
        let roster = roster();
        for ruling in Ruling::ALL {
            let state = if *ruling == Ruling::Reinstate { revoked() } else { EntryState::default() };
            let alone = try_rule(&roster, &state, &decision(*ruling), 3, 3);
            assert_eq!(alone, Ok(!TWO.contains(ruling)), "{ruling}");
        }
        // What was lowered is lifted by two, whoever lowered it.
        for ruling in Ruling::ALL.iter().filter(|ruling| **ruling != Ruling::Reinstate) {
            let is_lift = AFTER_LOWER.contains(ruling) || TWO.contains(ruling);
            for by in [3, 5] {
                let alone = try_rule(&roster, &lowered(), &decision(*ruling), by, 3);
                assert_eq!(alone, Ok(!is_lift), "{ruling} by {by}");
            }
        }
    }

    #[test]
    fn a_second_one_of_another_descent_completes_it_within_a_month() {
        let roster = roster();
        for ruling in TWO {
            let before = if ruling == Ruling::Reinstate { revoked() } else { EntryState::default() };
            let state = EntryState { proposed: vec![decided(ruling, 3, 4)], ..before };
            let second = |by, day| try_rule(&roster, &state, &decision(ruling), by, day);
            assert_eq!(second(5, 5), Ok(true), "{ruling}");
            assert_eq!(second(5, 33), Ok(true), "{ruling}");
            assert_eq!(second(5, 34), Ok(false), "{ruling}: it is too long ago");
            assert_eq!(second(3, 34), Ok(false), "{ruling}: and does not keep the first from proposing again");
            // Keys 3 and 4 both stem from 1.
            for same in [3, 4] {
                assert_eq!(second(same, 5), Err(RulingError::SameHand { ruling }), "{ruling}");
            }
        }
    }

    #[test]
    fn two_lift_what_was_lowered_and_mean_the_same_labels() {
        let roster = roster();
        for ruling in AFTER_LOWER {
            let state = EntryState { proposed: vec![decided(ruling, 3, 4)], ..lowered() };
            assert_eq!(try_rule(&roster, &state, &decision(ruling), 5, 5), Ok(true), "{ruling}");
            let same = try_rule(&roster, &state, &decision(ruling), 4, 5);
            assert_eq!(same, Err(RulingError::SameHand { ruling }), "{ruling}");
        }
        let other = Decision { labels: vec!["graphic-violence".parse().unwrap()], ..decision(Ruling::Relabel) };
        let state = EntryState { proposed: vec![decided(Ruling::Relabel, 3, 4)], ..lowered() };
        assert_eq!(try_rule(&roster, &state, &other, 5, 5), Ok(false));
    }

    #[test]
    fn what_was_proposed_with_a_key_that_is_revoked_or_for_another_ruling_counts_for_nothing() {
        let mut roster = roster();
        let state = EntryState { proposed: vec![decided(Ruling::Confirm, 3, 4)], ..revoked() };
        assert_eq!(try_rule(&roster, &state, &decision(Ruling::Reinstate), 5, 5), Ok(false));
        let state = EntryState { proposed: vec![decided(Ruling::Confirm, 3, 4)], ..EntryState::default() };
        let lost = Key { revoked: Some(on(5)), ..roster.key(key(3)).unwrap().clone() };
        roster.set_key(lost);
        assert_eq!(try_rule(&roster, &state, &decision(Ruling::Confirm), 5, 5), Ok(false));
    }

    #[test]
    fn labels_are_for_relabelling_alone_and_are_those_of_the_taxonomy() {
        let roster = roster();
        let state = EntryState::default();
        let with = |ruling, labels: &[&str]| {
            let labels = labels.iter().map(|label| label.parse().unwrap()).collect();
            let decision = Decision { labels, ..decision(ruling) };
            try_rule(&roster, &state, &decision, 3, 3).map_err(|error| error.to_string())
        };
        assert_eq!(with(Ruling::Relabel, &["glorification"]), Ok(true));
        for (ruling, labels, words) in [
            (Ruling::Relabel, &[][..], "labels: must be 1 to 8, got 0"),
            (Ruling::Relabel, &["glorification", "glorification"], "labels[1]: `glorification` is given twice"),
            (Ruling::Relabel, &["luck"], "labels[0]: unknown code `luck`"),
            (Ruling::Uphold, &["glorification"], "labels: only of `relabel`"),
        ] {
            let error = with(ruling, labels).unwrap_err();
            assert!(error.starts_with(words), "{error}");
        }
    }

    proptest! {
        #[test]
        fn nobody_rules_on_what_its_own_unit_contributed_whatever_became_of_it(
            state in entry_state(),
            ruling in select(Ruling::ALL),
            by in 1..=2u8,
            day in 0..100u64,
        ) {
            let ruled = try_rule(&roster(), &state, &decision(ruling), by, day);
            prop_assert_eq!(ruled, Err(RulingError::OwnEntry));
        }

        #[test]
        fn what_takes_two_never_acts_by_one_hand(
            state in entry_state(),
            ruling in select(&TWO[..]),
            by in 3..=5u8,
            proposers in proptest::collection::vec((1..=5u8, 0..60u64, select(Ruling::ALL)), 0..5),
            day in 0..60u64,
        ) {
            let proposed = proposers.iter().map(|(by, day, ruling)| decided(*ruling, *by, *day)).collect();
            let state = EntryState { proposed, withdrawn: None, ..state };
            let roster = roster();
            if try_rule(&roster, &state, &decision(ruling), by, day) == Ok(true) {
                let other = |proposed: &Decided| {
                    proposed.decision.ruling == ruling && roster.root(proposed.key) != roster.root(key(by))
                };
                prop_assert!(state.proposed.iter().any(other));
            }
        }

        #[test]
        fn what_is_gone_is_not_ruled_on_and_what_is_revoked_only_reinstated(
            state in entry_state(),
            ruling in select(Ruling::ALL),
        ) {
            let is_revoked = state.decided.as_ref().is_some_and(|one| one.decision.ruling == Ruling::Revoke);
            let state = EntryState { proposed: vec![], ..state };
            let gone = EntryState { withdrawn: Some(Withdrawal { event: 1, at: on(1) }), ..state.clone() };
            let roster = roster();
            let ruled = try_rule(&roster, &gone, &decision(ruling), 3, 5);
            prop_assert_eq!(ruled, Err(RulingError::Withdrawn));
            let there = EntryState { withdrawn: None, ..state };
            let ruled = try_rule(&roster, &there, &decision(ruling), 3, 5);
            match (is_revoked, ruling) {
                (true, Ruling::Reinstate) => prop_assert_eq!(ruled, Ok(false)),
                (true, _) => prop_assert_eq!(ruled, Err(RulingError::Revoked)),
                (false, Ruling::Reinstate) => prop_assert_eq!(ruled, Err(RulingError::NotRevoked)),
                (false, _) => prop_assert_eq!(ruled, Ok(!takes_two(ruling, &there))),
            }
        }
    }
}
