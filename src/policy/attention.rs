//! Which entries wait for reviewers, why, since when, and in which order. Pure.

use std::cmp::Reverse;
use std::time::Duration;

use super::{Delisted, Rules, is_matchable};
use crate::domain::{Attention, Distance, EntryId, EntryState, Timestamp};

/// An incident's entry that stops matching within this time is to be looked at before.
pub const EXPIRING: Duration = Duration::from_hours(48);

/// Since when something waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    At(Timestamp),
    /// Since the event of this leaf.
    Leaf(u64),
}

/// What about an entry is not in its state, as far as it is looked at for that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// It came with a key that was in other hands then, which was noted at this time.
    pub compromised: Option<Timestamp>,
    /// Its entity was taken off its list.
    pub delisted: Option<Delisted>,
    /// It belongs to an incident that is no exercise.
    pub of_incident: bool,
}

impl Circumstances {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            compromised: self.compromised.or(other.compromised),
            delisted: self.delisted.or(other.delisted),
            of_incident: self.of_incident || other.of_incident,
        }
    }
}

/// Every reason for which reviewers are to look at entry `id` at `now`; none, and it does not wait.
///
/// A decision settles what was before it. What no longer matches waits only for what could bring it back, and for whoever appealed.
pub fn attention(
    id: EntryId,
    state: &EntryState,
    circumstances: &Circumstances,
    rules: &Rules,
    now: Timestamp,
) -> Vec<(Attention, Since)> {
    let mut reasons = Vec::new();
    if state.withdrawn.is_some() {
        return reasons;
    }
    let decided = state.decided.as_ref();
    let is_open = |event: u64| !state.is_settled(event);
    reasons.extend(state.appeals.iter().map(|appeal| appeal.id).min().map(|id| (Attention::Appeal, Since::Leaf(id))));
    reasons.extend(state.proposed.iter().map(|one| one.at).min().map(|at| (Attention::Proposal, Since::At(at))));
    if !is_matchable(state, now) {
        return reasons;
    }
    let objections = state.opinions.iter().filter(|one| one.outcome.objects() && is_open(one.event)).map(|one| one.at);
    reasons.extend(objections.min().map(|at| (Attention::Disputed, Since::At(at))));
    let flood = state.flood.filter(|flood| is_open(flood.event));
    reasons.extend(flood.map(|flood| (Attention::Flooded, Since::At(flood.at))));
    let radius = Distance::new(rules.benign.radius_bits);
    let benign = state.benign.filter(|near| near.distance <= radius && is_open(near.event));
    reasons.extend(benign.map(|near| (Attention::BenignNear, Since::Leaf(near.event))));
    if state.is_excess && decided.is_none() {
        reasons.push((Attention::Excess, Since::Leaf(id.0)));
    }
    if let Some(noted) = circumstances.compromised.filter(|_| decided.is_none()) {
        reasons.push((Attention::CompromisedKey, Since::At(noted)));
    }
    let delisted = circumstances.delisted.filter(|delisted| delisted.event > id.0 && is_open(delisted.event));
    reasons.extend(delisted.map(|delisted| (Attention::Delisted, Since::At(delisted.at))));
    if let Some(begins) = state.expires.filter(|_| circumstances.of_incident).map(|expires| expires.minus(EXPIRING))
        && begins <= now
        && decided.is_none_or(|decided| decided.at < begins)
    {
        reasons.push((Attention::ExpiringIncident, Since::At(begins)));
    }
    reasons.sort_by_key(|(reason, _)| *reason);
    reasons
}

/// Whether an entry may wait for any of these reasons, under whatever rules and at whatever time, by its state alone: where
/// [`attention`] has a reason that is no circumstance, this is true.
pub fn may_wait(id: EntryId, state: &EntryState) -> bool {
    state.withdrawn.is_none()
        && state.erased.is_none()
        && (state.opinions.iter().any(|opinion| opinion.outcome.objects() && !state.is_settled(opinion.event))
            || state.flood.is_some_and(|flood| !state.is_settled(flood.event))
            || state.benign.is_some_and(|near| !state.is_settled(near.event))
            || (state.is_excess && !state.is_settled(id.0))
            || !state.appeals.is_empty()
            || !state.proposed.is_empty())
}

/// An entry's place in the queue: the greater its reach the sooner, then the longer it waits, then the older it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub reach: Reverse<u64>,
    pub since: Timestamp,
    pub entry: EntryId,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::entry_state;
    use crate::domain::{
        Appealed, Decided, Decision, Flood, KeyId, MemberId, NearBenign, Opinion, Outcome, Ruling, RulingReason,
        Withdrawal,
    };

    const ID: EntryId = EntryId(10);
    const NOTHING: Circumstances = Circumstances { compromised: None, delisted: None, of_incident: false };

    fn on(day: u64) -> Timestamp {
        Timestamp::from_millis(day * 86_400_000).unwrap()
    }

    fn decided(ruling: Ruling, event: u64, day: u64) -> Decided {
        let decision = Decision { ruling, reason: RulingReason::EvidenceSound, labels: vec![] };
        Decided { decision, event, at: on(day), by: vec![], key: KeyId::from_bytes([1; 5]) }
    }

    fn opinion(outcome: Outcome, event: u64, day: u64) -> Opinion {
        Opinion { event, at: on(day), member: MemberId::from_bytes([2; 5]), outcome, labels: vec![] }
    }

    fn of(state: &EntryState, circumstances: &Circumstances, day: u64) -> Vec<(Attention, Since)> {
        attention(ID, state, circumstances, &Rules::default(), on(day))
    }

    /// Every reason at once, each since another day.
    fn everything() -> (EntryState, Circumstances) {
        let state = EntryState {
            expires: Some(on(42)),
            is_excess: true,
            opinions: vec![opinion(Outcome::FalsePositive, 12, 32), opinion(Outcome::WrongLabel, 11, 31)],
            benign: Some(NearBenign { benign: 13, event: 13, distance: Distance::new(31) }),
            flood: Some(Flood { event: 14, at: on(34), matches: 900, usual: 1 }),
            proposed: vec![decided(Ruling::Confirm, 15, 35)],
            appeals: vec![
                Appealed { id: 17, by: MemberId::from_bytes([2; 5]) },
                Appealed { id: 16, by: MemberId::from_bytes([3; 5]) },
            ],
            ..EntryState::default()
        };
        let delisted = Some(Delisted { event: 18, at: on(38) });
        (state, Circumstances { compromised: Some(on(39)), delisted, of_incident: true })
    }

    #[test]
    fn each_reason_is_told_with_the_earliest_time_since_when_it_holds() {
        let (state, circumstances) = everything();
        let expected = [
            (Attention::Disputed, Since::At(on(31))),
            (Attention::Flooded, Since::At(on(34))),
            (Attention::CompromisedKey, Since::At(on(39))),
            (Attention::BenignNear, Since::Leaf(13)),
            (Attention::Excess, Since::Leaf(10)),
            (Attention::Appeal, Since::Leaf(16)),
            (Attention::Proposal, Since::At(on(35))),
            (Attention::ExpiringIncident, Since::At(on(40))),
            (Attention::Delisted, Since::At(on(38))),
        ];
        assert_eq!(of(&state, &circumstances, 41), expected);
        assert_eq!(expected.map(|(reason, _)| reason).as_slice(), Attention::ALL);
        assert_eq!(of(&state, &NOTHING, 41).len(), 6, "what is not in its state is not made up");
    }

    #[test]
    fn a_decision_settles_what_was_before_it_and_nothing_after() {
        let (state, circumstances) = everything();
        let state = EntryState { proposed: vec![], appeals: vec![], ..state };
        let after = |event, day| {
            let decided = Some(decided(Ruling::Uphold, event, day));
            let waits = of(&EntryState { decided, ..state.clone() }, &circumstances, 41);
            waits.into_iter().map(|(reason, _)| reason).collect::<Vec<_>>()
        };
        use Attention::{BenignNear, Delisted, Disputed, ExpiringIncident, Flooded};
        assert_eq!(after(10, 30), [Disputed, Flooded, BenignNear, ExpiringIncident, Delisted]);
        assert_eq!(after(13, 33), [Flooded, ExpiringIncident, Delisted]);
        assert_eq!(after(18, 39), [ExpiringIncident]);
        assert_eq!(after(18, 40), []);
    }

    #[test]
    fn an_entry_of_an_incident_waits_in_its_last_two_days_and_no_other_does() {
        let state = EntryState { expires: Some(on(42)), ..EntryState::default() };
        let circumstances = Circumstances { of_incident: true, ..NOTHING };
        for (day, waits) in [(39, false), (40, true), (41, true), (42, false)] {
            assert_eq!(!of(&state, &circumstances, day).is_empty(), waits, "{day}");
            assert!(of(&state, &NOTHING, day).is_empty(), "{day}");
        }
        let endless = EntryState { expires: None, ..state };
        assert!(of(&endless, &circumstances, 40).is_empty());
    }

    #[test]
    fn what_agrees_is_no_objection_and_what_is_beyond_the_rules_radius_is_not_near() {
        let confirmed = EntryState { opinions: vec![opinion(Outcome::Confirmed, 11, 31)], ..EntryState::default() };
        assert_eq!(of(&confirmed, &NOTHING, 41), []);
        let mut rules = Rules::default();
        rules.benign.radius_bits = 30;
        let (state, _) = everything();
        let waits = attention(ID, &state, &NOTHING, &rules, on(41));
        assert!(waits.iter().all(|(reason, _)| *reason != Attention::BenignNear));
        // It was delisted before this came, on a list of a later day.
        let delisted = Some(Delisted { event: 9, at: on(1) });
        assert_eq!(of(&EntryState::default(), &Circumstances { delisted, ..NOTHING }, 41), []);
    }

    proptest! {
        #[test]
        fn what_no_longer_matches_waits_only_for_appeals_and_proposals(state in entry_state(), day in 0..90_000u64) {
            let (_, circumstances) = everything();
            let waits = of(&state, &circumstances, day);
            if !is_matchable(&state, on(day)) {
                let back = |(reason, _): &(Attention, Since)| matches!(reason, Attention::Appeal | Attention::Proposal);
                prop_assert!(waits.iter().all(back));
            }
            prop_assert!(waits.is_sorted_by_key(|(reason, _)| *reason));
            let gone = EntryState { withdrawn: Some(Withdrawal { event: 1, at: on(1) }), ..state };
            prop_assert!(of(&gone, &circumstances, day).is_empty());
        }

        #[test]
        fn a_greater_reach_comes_first_then_what_waits_longer_then_what_is_older(
            a in (0..3u64, 0..3u64, 0..3u64),
            b in (0..3u64, 0..3u64, 0..3u64),
        ) {
            let place = |(reach, day, entry)| Place { reach: Reverse(reach), since: on(day), entry: EntryId(entry) };
            let key = |(reach, day, entry): (u64, u64, u64)| (u64::MAX - reach, day, entry);
            prop_assert_eq!(place(a).cmp(&place(b)), key(a).cmp(&key(b)));
        }
    }
}
