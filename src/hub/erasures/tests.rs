//! Ledgers folded with and without what was erased.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::testing::{pdqs_on_a_line, plain_provenance};
use crate::domain::{
    Actor, Appeal, AppealGround, Basis, Benign, BenignClass, Code, Decision, Distance, Draft, IncidentChange, KeyId,
    MemberId, Outcome, OutcomeReason, Reference, Report, RequestDigest, Ruling, RulingReason, WithdrawReason,
};
use crate::hub::fold::Rows;
use crate::policy::{Roster, expiry_passed, gone};

/// What an entry rests on beside its hashes.
#[derive(Clone, Copy, Debug)]
enum Of {
    Behaviour,
    Listing,
    Incident,
    Drill,
}

/// What may happen. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    /// Few places and members, so that there is not room for all that are near.
    Contribute {
        places: Vec<u16>,
        member: u8,
        label: bool,
        lapses: Option<u64>,
        of: Of,
    },
    Withdraw(usize),
    Decide(usize, Ruling, bool),
    Report(usize, u8, Outcome),
    Appeal(usize, u8),
    Flood(usize),
    AddBenign(Vec<u16>),
    RemoveBenign(usize),
    Expire,
    /// Of those that are gone, some.
    Erase(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let places = || proptest::collection::btree_set(0..24u16, 1..3).prop_map(|places| places.into_iter().collect());
    let outcome = (0..Outcome::ALL.len()).prop_map(|at| Outcome::ALL[at]);
    let ruling = prop_oneof![
        3 => Just(Ruling::Revoke),
        3 => Just(Ruling::Reinstate),
        1 => (0..Ruling::ALL.len()).prop_map(|at| Ruling::ALL[at]),
    ];
    let of = prop_oneof![
        5 => Just(Of::Behaviour),
        1 => Just(Of::Listing),
        1 => Just(Of::Incident),
        1 => Just(Of::Drill),
    ];
    let what = (proptest::option::weighted(0.3, 1..30u64), of);
    prop_oneof![
        12 => (places(), 0..3u8, any::<bool>(), what)
            .prop_map(|(places, member, label, (lapses, of))| Step::Contribute { places, member, label, lapses, of }),
        4 => any::<usize>().prop_map(Step::Withdraw),
        4 => (any::<usize>(), ruling, proptest::bool::weighted(0.8)).prop_map(|(at, what, enough)| Step::Decide(at, what, enough)),
        2 => (any::<usize>(), 0..3u8, outcome).prop_map(|(at, by, outcome)| Step::Report(at, by, outcome)),
        1 => (any::<usize>(), 0..3u8).prop_map(|(at, by)| Step::Appeal(at, by)),
        1 => any::<usize>().prop_map(Step::Flood),
        1 => places().prop_map(Step::AddBenign),
        1 => any::<usize>().prop_map(Step::RemoveBenign),
        2 => Just(Step::Expire),
        2 => any::<u64>().prop_map(Step::Erase),
    ]
}

/// When leaf `index` is written.
fn at(index: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000_000_000 + index * 1_000).unwrap()
}

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn draft(places: &[u16], label: bool, of: Of) -> Draft {
    let label = code(if label { "glorification" } else { "graphic-violence" });
    let mut provenance = plain_provenance();
    provenance.basis = match of {
        Of::Behaviour => Basis::Behaviour,
        Of::Listing => {
            let entity: Reference = "QDe.115".parse().unwrap();
            Basis::UnConsolidatedList { entity, list_date: "2026-01-01".parse().unwrap() }
        }
        Of::Incident => Basis::Incident { incident: code("harbour") },
        Of::Drill => Basis::Incident { incident: code("exercise") },
    };
    Draft::new(pdqs_on_a_line(places.iter().copied()), vec![label], provenance).unwrap()
}

/// A hub as it lives.
struct Life<'a> {
    ahead: Ahead<'a>,
    rows: Rows,
    events: Vec<Event>,
}

impl Life<'_> {
    fn fold(&mut self, by: Option<u8>, fact: Fact) {
        let index = self.events.len() as u64;
        let by = match by {
            Some(by) => Actor::Member { member: MemberId::from_bytes([by; 5]), key: KeyId::from_bytes([by; 5]) },
            None => Actor::Hub,
        };
        let event = Event { at: at(index), by, request: None, fact };
        for change in self.ahead.fold(index, &event).unwrap() {
            self.rows.take(change);
        }
        self.events.push(event);
    }

    fn open_incidents(&mut self) {
        for (incident, is_drill) in [("harbour", false), ("exercise", true)] {
            let change = IncidentChange::Open { kind: code("footage"), is_drill, until: at(1_000_000) };
            self.fold(Some(9), Fact::IncidentChanged { incident: code(incident), change, is_enough: true });
        }
    }

    fn pick(&self, which: usize, is_one: impl Fn(&EntryState) -> bool) -> Option<EntryId> {
        let all: Vec<_> =
            self.rows.states.iter().filter(|(_, state)| state.erased.is_none() && is_one(state)).collect();
        (!all.is_empty()).then(|| *all[which % all.len()].0)
    }

    fn take(&mut self, step: &Step) {
        let index = self.events.len() as u64;
        let now = at(index);
        let request = RequestDigest([index as u8; 32]);
        match step {
            Step::Contribute { places, member, label, lapses, of } => {
                let draft = draft(places, *label, *of);
                let lapses = lapses.map(|seconds| at(index + seconds));
                self.fold(Some(*member), Fact::Contributed { request, taxonomy: 1, draft, lapses });
            }
            Step::Withdraw(which) => {
                let Some(entry) = self.pick(*which, |state| state.withdrawn.is_none()) else { return };
                self.fold(Some(0), Fact::Withdrawn { entry, reason: WithdrawReason::Mistake, request });
            }
            Step::Decide(which, ruling, is_enough) => {
                let is_one = |state: &EntryState| {
                    state.withdrawn.is_none() && state.is_revoked() == (*ruling == Ruling::Reinstate)
                };
                let Some(entry) = self.pick(*which, is_one) else { return };
                let labels = if *ruling == Ruling::Relabel { vec![code("glorification")] } else { vec![] };
                let decision = Decision { ruling: *ruling, reason: RulingReason::EvidenceSound, labels };
                self.fold(Some(9), Fact::Decided { entry, decision, is_enough: *is_enough });
            }
            Step::Report(which, by, outcome) => {
                let Some(entry) = self.pick(*which, |_| true) else { return };
                let report = Report {
                    entry,
                    outcome: *outcome,
                    labels: vec![],
                    kind: None,
                    reason: OutcomeReason::ALL[0],
                    note: None,
                };
                self.fold(Some(*by), Fact::OutcomeReported(report));
            }
            Step::Appeal(which, by) => {
                let Some(entry) = self.pick(*which, |state| gone(state, now).is_none()) else { return };
                let (ground, deadline) = (AppealGround::ALL[0], at(index + 1_000));
                self.fold(Some(*by), Fact::AppealOpened { entry, ground, note: None, deadline });
            }
            Step::Flood(which) => {
                let Some(entry) = self.pick(*which, |state| gone(state, now).is_none()) else { return };
                self.fold(None, Fact::FloodSeen { entry, matches: 1_000, usual: 1 });
            }
            Step::RemoveBenign(which) => {
                let all: Vec<_> = self.rows.benign.iter().copied().collect();
                if !all.is_empty() {
                    self.fold(Some(9), Fact::BenignRemoved { benign: all[which % all.len()] });
                }
            }
            Step::AddBenign(places) => {
                let benign = Benign::new(pdqs_on_a_line(places.iter().copied()), BenignClass::News, None).unwrap();
                self.fold(Some(9), Fact::BenignAdded(benign));
            }
            Step::Expire => {
                let is_over = |state: &EntryState| state.withdrawn.is_none() && expiry_passed(state.expires, now);
                let over = self
                    .rows
                    .states
                    .iter()
                    .filter(|(id, state)| is_over(state) && self.rows.signals.iter().any(|(_, of)| of == *id));
                let entries: Vec<_> = over.map(|(id, _)| *id).collect();
                if !entries.is_empty() {
                    self.fold(None, Fact::Expired { entries });
                }
            }
            Step::Erase(which) => self.erase(*which, now),
        }
    }

    fn erase(&mut self, which: u64, now: Timestamp) {
        let (mut erased, mut recounted) = (Vec::new(), BTreeSet::new());
        for (at, (id, state)) in self.rows.states.iter().enumerate() {
            let is_found = self.rows.signals.iter().any(|(_, of)| of == id);
            let is_open = gone(state, now).is_none() || !state.appeals.is_empty();
            if state.erased.is_some() || is_open || is_found || which >> (at % 64) & 1 == 0 {
                continue;
            }
            let found = self.ahead.contribution(*id).unwrap().unwrap();
            recounted.extend(crowded_near(&self.ahead, &found.signals).unwrap().0.unwrap());
            erased.push(Erased { entry: *id, commitment: [1; 33] });
        }
        if !erased.is_empty() {
            self.fold(None, Fact::Erased { erased, recounted: recounted.into_iter().collect() });
        }
    }

    /// The events as the ledger has them in the end.
    fn left(&self) -> Vec<Event> {
        let mut left = self.events.clone();
        for event in &self.events {
            let Fact::Erased { erased, .. } = &event.fact else { continue };
            for one in erased {
                let event = &mut left[one.entry.0 as usize];
                let came_near_benign = self.rows.states[&one.entry].came_near_benign;
                let remains = event.fact.remains().unwrap().into_owned();
                event.fact = Fact::Remains(Remains { came_near_benign, ..remains });
            }
        }
        left
    }
}

/// The rows of a ledger, folded from its first leaf on.
fn folded(store: &Store, events: &[Event]) -> Rows {
    let (mut ahead, mut rows) = (Ahead::of_nothing(store), Rows::default());
    for (index, event) in events.iter().enumerate() {
        for change in ahead.fold(index as u64, event).unwrap() {
            rows.take(change);
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_ledger_without_what_was_erased_makes_the_rows_of_the_hub_that_had_it(
        steps in proptest::collection::vec(step(), 1..90),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("hub")).unwrap();
        let mut life = Life { ahead: Ahead::of_nothing(&store), rows: Rows::default(), events: Vec::new() };
        life.open_incidents();
        for step in &steps {
            life.take(step);
        }
        life.take(&Step::Expire);
        life.take(&Step::Erase(u64::MAX));
        let replayed = folded(&store, &life.left());
        for (id, state) in &life.rows.states {
            if state.erased.is_some() {
                let EntryState { expires, is_excess, came_near_benign, withdrawn, decided, erased, .. } = state.clone();
                let least =
                    EntryState { expires, is_excess, came_near_benign, withdrawn, decided, erased, ..EntryState::default() };
                prop_assert_eq!(state, &least, "of entry {} more is left than has to be", id);
            }
            prop_assert_eq!(&replayed.states[id], state, "entry {}", id);
        }
        prop_assert_eq!(&replayed, &life.rows);
    }
}

/// Entries that are near whatever is looked for, and nothing else.
#[derive(Default)]
struct Near {
    states: Vec<EntryState>,
    roster: Roster,
    register: Register,
}

impl Past for Near {
    fn near(&self, _: &[Signal], radius: Distance) -> Result<Vec<(EntryId, Distance)>, ReadError> {
        Ok((0..self.states.len() as u64).map(|id| (EntryId(id), radius)).collect())
    }

    fn state(&self, id: EntryId) -> Result<Option<EntryState>, ReadError> {
        Ok(self.states.get(id.0 as usize).cloned())
    }

    fn roster(&self) -> &Roster {
        &self.roster
    }

    fn register(&self) -> &Register {
        &self.register
    }

    fn contribution(&self, _: EntryId) -> Result<Option<Contribution>, ReadError> {
        Ok(None)
    }

    fn appeal(&self, _: u64) -> Result<Option<Appeal>, ReadError> {
        Ok(None)
    }

    fn benign(&self, _: u64) -> Result<Option<Benign>, ReadError> {
        Ok(None)
    }

    fn near_benign(&self, _: &[Signal], _: Distance) -> Result<Vec<(u64, Distance)>, ReadError> {
        Ok(vec![])
    }
}

#[test]
fn what_would_have_too_much_counted_anew_waits() {
    let plain = EntryState::default();
    let crowded = EntryState { is_crowded: true, ..EntryState::default() };
    let cut = EntryState { is_cut: true, ..EntryState::default() };
    let near = |states: Vec<EntryState>| crowded_near(&Near { states, ..Near::default() }, &[]).unwrap().0;
    let ids = |ids: &[u64]| Some(ids.iter().copied().map(EntryId).collect::<BTreeSet<_>>());
    assert_eq!(near(vec![]), ids(&[]));
    assert_eq!(near(vec![plain.clone(), crowded.clone(), plain.clone()]), ids(&[1]));
    assert_eq!(near(vec![crowded.clone(); RECOUNTED_MAX]).map(|all| all.len()), Some(RECOUNTED_MAX));
    assert_eq!(near(vec![crowded.clone(); RECOUNTED_MAX + 1]), None);
    assert_eq!(near(vec![plain.clone(), crowded.clone(), cut]), None);
    let mut many = vec![plain; NEAR_MAX / 4];
    many.extend(vec![crowded; 3]);
    assert_eq!(near(many.clone()).map(|all| all.len()), Some(3));
    many.push(many[NEAR_MAX / 4].clone());
    assert_eq!(near(many), None, "counting them anew takes too long");
}

#[test]
fn what_is_erased_while_files_are_written_anew_is_for_the_next_time() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&directory.path().join("hub")).unwrap());
    let mut purge = Purge { store: store.clone(), last: None, running: None, is_behind: false };
    let erased = [Erased { entry: EntryId(3), commitment: [1; 33] }, Erased { entry: EntryId(9), commitment: [1; 33] }];
    let note = |range| {
        let mut batch = store.batch();
        batch.set_purge(range).unwrap();
        batch.commit().unwrap();
    };
    note(purge.with(&erased).unwrap());
    assert_eq!(store.purge_wanted().unwrap(), Some(3..=9));
    purge.now_and_then(at(0)).unwrap();
    // Within the range, which stays what it was.
    note(purge.with(&[Erased { entry: EntryId(5), commitment: [1; 33] }]).unwrap());
    purge.close().unwrap();
    assert_eq!(store.purge_wanted().unwrap(), Some(3..=9));
    purge.now_and_then(at(3_600)).unwrap();
    assert!(purge.running.is_none(), "once a day");
    purge.now_and_then(at(24 * 3_600)).unwrap();
    purge.close().unwrap();
    assert_eq!(store.purge_wanted().unwrap(), None);
}
