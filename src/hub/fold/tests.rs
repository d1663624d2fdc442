//! What entries know of what is near them, against going through all of them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Ahead, Rows};
use crate::domain::testing::pdqs_on_a_line;
use crate::domain::{
    Actor, Benign, BenignClass, Code, Corroboration, Decision, Distance, Draft, EntryId, Event, Fact, KeyId, MemberId,
    NearBenign, RequestDigest, Ruling, RulingReason, Signal, SignalKind, Timestamp, WithdrawReason,
};
use crate::policy::expiry_passed;
use crate::store::Store;

const MEMBERS: u8 = 6;

/// What may happen. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Contribute { places: Vec<u16>, labels: u8, lapses: Option<u64> },
    Withdraw(usize),
    Decide(usize, Ruling),
    AddBenign(Vec<u16>),
    RemoveBenign(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let places = || proptest::collection::vec(0..90u16, 1..3);
    prop_oneof![
        6 => (places(), 1..4u8, proptest::option::weighted(0.3, 1..40u64))
            .prop_map(|(places, labels, lapses)| Step::Contribute { places, labels, lapses }),
        1 => any::<usize>().prop_map(Step::Withdraw),
        2 => any::<usize>().prop_map(|at| Step::Decide(at, Ruling::Revoke)),
        2 => any::<usize>().prop_map(|at| Step::Decide(at, Ruling::Reinstate)),
        1 => any::<usize>().prop_map(|at| Step::Decide(at, Ruling::Uphold)),
        2 => places().prop_map(Step::AddBenign),
        2 => any::<usize>().prop_map(Step::RemoveBenign),
    ]
}

fn signals(places: &[u16]) -> Vec<Signal> {
    pdqs_on_a_line(places.iter().copied().collect::<BTreeSet<_>>())
}

fn labels(bits: u8) -> Vec<Code> {
    let all = ["glorification", "graphic-violence"];
    all.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, label)| label.parse().unwrap()).collect()
}

fn draft(places: &[u16], bits: u8) -> Draft {
    let provenance = crate::domain::testing::plain_provenance();
    Draft::new(signals(places), labels(bits), provenance).unwrap()
}

/// An entry as the oracle knows it.
struct Known {
    places: Vec<u16>,
    bits: u8,
    member: u8,
    expires: Option<Timestamp>,
    is_withdrawn: bool,
    is_revoked: bool,
}

impl Known {
    fn is_live(&self, now: Timestamp) -> bool {
        !self.is_withdrawn && !self.is_revoked && !expiry_passed(self.expires, now)
    }
}

#[derive(Default)]
struct World {
    entries: BTreeMap<u64, Known>,
    benign: BTreeMap<u64, Vec<u16>>,
}

fn distance(a: &[u16], b: &[u16]) -> u16 {
    a.iter().flat_map(|a| b.iter().map(move |b| a.abs_diff(*b))).min().unwrap()
}

impl World {
    /// The fact that a step becomes as leaf `index`, if it can happen; as the sequencer would decide.
    fn fact(&mut self, index: u64, now: Timestamp, step: &Step) -> Option<(u8, Fact)> {
        let pick = |at: &usize, of: Vec<u64>| if of.is_empty() { None } else { Some(of[at % of.len()]) };
        let entries = |which: &dyn Fn(&Known) -> bool| -> Vec<u64> {
            self.entries.iter().filter(|(_, known)| which(known)).map(|(id, _)| *id).collect()
        };
        Some(match step {
            Step::Contribute { places, labels, lapses } => {
                // In turn, so that nobody has more near one place than are kept.
                let member = (self.entries.len() % usize::from(MEMBERS)) as u8;
                let expires = lapses.map(|seconds| at(index + seconds));
                let known = Known {
                    places: places.clone(),
                    bits: *labels,
                    member,
                    expires,
                    is_withdrawn: false,
                    is_revoked: false,
                };
                self.entries.insert(index, known);
                let request = RequestDigest([index as u8; 32]);
                (member, Fact::Contributed { request, taxonomy: 1, draft: draft(places, *labels), lapses: expires })
            }
            Step::Withdraw(at) => {
                let id = pick(at, entries(&|known| !known.is_withdrawn))?;
                let known = self.entries.get_mut(&id)?;
                known.is_withdrawn = true;
                let request = RequestDigest([index as u8; 32]);
                (known.member, Fact::Withdrawn { entry: EntryId(id), reason: WithdrawReason::Mistake, request })
            }
            Step::Decide(at, ruling) => {
                let wants_revoked = *ruling == Ruling::Reinstate;
                let id = pick(at, entries(&|known| !known.is_withdrawn && known.is_revoked == wants_revoked))?;
                self.entries.get_mut(&id)?.is_revoked = *ruling == Ruling::Revoke;
                let decision = Decision { ruling: *ruling, reason: RulingReason::EvidenceSound, labels: vec![] };
                (MEMBERS, Fact::Decided { entry: EntryId(id), decision, is_enough: true })
            }
            Step::AddBenign(places) => {
                self.benign.insert(index, places.clone());
                (MEMBERS, Fact::BenignAdded(Benign::new(signals(places), BenignClass::News, None).unwrap()))
            }
            Step::RemoveBenign(at) => {
                let id = pick(at, self.benign.keys().copied().collect())?;
                self.benign.remove(&id);
                (MEMBERS, Fact::BenignRemoved { benign: id })
            }
        })
        .filter(|_| now == at(index))
    }

    /// Who speaks for an entry: of each its id, distance and the labels that both have.
    fn corroboration(&self, id: u64, now: Timestamp) -> BTreeSet<(u64, u16, Vec<Code>)> {
        let known = &self.entries[&id];
        let near = self.entries.iter().filter(|(_, other)| other.is_live(now) && other.member != known.member);
        let near =
            near.map(|(id, other)| (*id, distance(&known.places, &other.places), labels(known.bits & other.bits)));
        near.filter(|(_, distance, labels)| Distance::new(*distance) <= Corroboration::RADIUS_MAX && !labels.is_empty())
            .collect()
    }

    /// The nearest benign item, of several the first.
    fn near_benign(&self, id: u64) -> Option<NearBenign> {
        let known = &self.entries[&id];
        let near = self.benign.iter().map(|(benign, places)| (distance(&known.places, places), *benign));
        let near = near.filter(|(distance, _)| Distance::new(*distance) <= SignalKind::Pdq.radius_max());
        near.min().map(|(distance, benign)| NearBenign {
            benign,
            event: benign.max(id),
            distance: Distance::new(distance),
        })
    }
}

/// When leaf `index` is written.
fn at(index: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000_000_000 + index * 1_000).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn what_entries_know_of_what_is_near_them_is_what_going_through_all_of_them_finds(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("hub")).unwrap();
        let mut ahead = Ahead::of_nothing(&store);
        let (mut world, mut rows) = (World::default(), Rows::default());
        let mut index = 0;
        for step in &steps {
            let Some((by, fact)) = world.fact(index, at(index), step) else { continue };
            let by = Actor::Member { member: MemberId::from_bytes([by; 5]), key: KeyId::from_bytes([by; 5]) };
            let event = Event { at: at(index), by, request: None, fact };
            for change in ahead.fold(index, &event).unwrap() {
                rows.take(change);
            }
            let now = at(index);
            index += 1;
            for (id, known) in world.entries.iter().filter(|(_, known)| known.is_live(now)) {
                let state = &rows.states[&EntryId(*id)];
                let live = state.corroboration.iter().filter(|near| !expiry_passed(near.expires, now));
                let found: Vec<_> = live.map(|near| (near.entry.0, near.distance.bits(), near.labels.clone())).collect();
                let distinct: BTreeSet<_> = found.iter().cloned().collect();
                prop_assert_eq!(distinct.len(), found.len(), "entry {} is told something twice", id);
                prop_assert_eq!(distinct, world.corroboration(*id, now), "entry {} after {:?}", id, step);
                prop_assert_eq!(state.benign, world.near_benign(*id), "entry {} after {:?}", id, step);
                for signal in signals(&known.places) {
                    prop_assert!(rows.signals.contains(&(signal, EntryId(*id))), "entry {} is not found", id);
                }
            }
            let gone = |id: &EntryId| {
                let known = &world.entries[&id.0];
                known.is_withdrawn || known.is_revoked
            };
            prop_assert!(!rows.signals.iter().any(|(_, id)| gone(id)), "what is gone is found after {:?}", step);
        }
        prop_assert_eq!(&rows.benign, &world.benign.keys().copied().collect::<BTreeSet<_>>());
        let keys = world.entries.iter().map(|(id, known)| (KeyId::from_bytes([known.member; 5]), EntryId(*id)));
        prop_assert_eq!(rows.keys, keys.collect::<BTreeSet<_>>());
        // The rows of what waits are those that the last states ask for, whatever was between.
        let waits = rows.states.iter().filter(|(id, state)| crate::policy::attention::may_wait(**id, state));
        prop_assert_eq!(rows.attention, waits.map(|(id, _)| *id).collect::<BTreeSet<_>>());
    }
}
