//! Arbitrary values of the domain, for the property tests of every module.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::{
    Action, AnalystTier, Basis, Code, Confidence, Context, Digest, Draft, EntryId, GovernmentOrder, Hash64, Origin,
    Pdq, Producer, Provenance, Quality, Reviewers, Signal, Timestamp, Tlp,
};

fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    (0..all.len()).prop_map(move |at| all[at])
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug>(
    pattern: &'static str,
) -> impl Strategy<Value = T> {
    pattern.prop_map(|text| text.parse().unwrap())
}

/// Any signal.
pub fn signal() -> impl Strategy<Value = Signal> {
    let quality = option::of((0..=100u32).prop_map(|percent| Quality::new(percent).unwrap()));
    prop_oneof![
        (any::<[u64; 4]>(), quality).prop_map(|(words, quality)| Signal::Pdq { hash: Pdq::from_words(words), quality }),
        any::<u64>().prop_map(|word| Signal::Phash(Hash64::from_word(word))),
        any::<u64>().prop_map(|word| Signal::Dhash(Hash64::from_word(word))),
        any::<[u8; 16]>().prop_map(|bytes| Signal::Md5(Digest(bytes))),
        any::<[u8; 32]>().prop_map(|bytes| Signal::Sha256(Digest(bytes))),
    ]
}

/// Any time that the hub can record.
pub fn timestamp() -> impl Strategy<Value = Timestamp> {
    (0..=Timestamp::MAX.millis()).prop_map(|millis| Timestamp::from_millis(millis).unwrap())
}

fn basis() -> impl Strategy<Value = Basis> {
    let date = || parsed("20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])");
    prop_oneof![
        (parsed("[A-Za-z0-9._:/-]{1,64}"), date())
            .prop_map(|(entity, list_date)| Basis::UnConsolidatedList { entity, list_date }),
        (parsed("[a-z0-9-]{1,48}"), date())
            .prop_map(|(authority, list_date)| Basis::DesignatedBy { authority, list_date }),
        parsed("[a-z0-9-]{1,48}").prop_map(|incident| Basis::Incident { incident }),
        Just(Basis::Behaviour),
        one_of(AnalystTier::ALL).prop_map(|tier| Basis::AnalystVerified { tier }),
    ]
}

/// Any provenance.
pub fn provenance() -> impl Strategy<Value = Provenance> {
    let order = (parsed("[A-Z]{2}"), parsed("20[0-9]{2}-0[1-9]-1[0-9]"))
        .prop_map(|(jurisdiction, date)| GovernmentOrder { jurisdiction, date });
    let sources = (one_of(Origin::ALL), one_of(Reviewers::ALL), basis(), one_of(Producer::ALL));
    let sets = (btree_set(one_of(Context::ALL), 0..=6), btree_set(parsed::<Code>("[a-z-]{1,20}"), 0..=8));
    let marks = (0..=100u32, one_of(Tlp::ALL), one_of(Action::ALL));
    let links = (option::of(timestamp()), option::of(any::<u64>().prop_map(EntryId)), option::of(order));
    (sources, sets, marks, links).prop_map(|(sources, sets, marks, links)| Provenance {
        origin: sources.0,
        reviewers: sources.1,
        basis: sources.2,
        producer: sources.3,
        contexts: sets.0.into_iter().collect(),
        content_types: sets.1.into_iter().collect(),
        confidence: Confidence::new(marks.0).unwrap(),
        tlp: marks.1,
        action_max: marks.2,
        valid_until: links.0,
        supersedes: links.1,
        government_order: links.2,
    })
}

/// Any draft.
pub fn draft() -> impl Strategy<Value = Draft> {
    let signals = vec(signal(), 1..=Draft::SIGNALS_MAX).prop_filter("signals must differ", |signals| {
        let values: std::collections::BTreeSet<_> = signals.iter().map(|one| (one.kind(), one.value())).collect();
        values.len() == signals.len()
    });
    let labels = btree_set(parsed::<Code>("[a-z0-9-]{1,48}"), 1..=Draft::LABELS_MAX);
    (signals, labels, provenance()).prop_map(|(signals, labels, provenance)| {
        Draft::new(signals, labels.into_iter().collect(), provenance).unwrap()
    })
}
