//! Entries: one member's contribution about one item.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::provenance::sort_distinct;
use super::{
    Basis, Code, Confirmed, Decided, Distance, FieldError, Incident, KeyId, MemberId, Outcome, Provenance, Ruling,
    Signal, Timestamp,
};

/// An entry's id: the index of its leaf in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u64);

/// Text that is not an entry id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an entry id: digits only")]
pub struct EntryIdError;

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EntryId {
    type Err = EntryIdError;

    fn from_str(text: &str) -> Result<Self, EntryIdError> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            text.parse().map(Self).map_err(|_| EntryIdError)
        } else {
            Err(EntryIdError)
        }
    }
}

/// What a member wants to put on the list: 1 to 16 signals of one item, 1 to 8 labels, provenance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Draft {
    signals: Vec<Signal>,
    labels: Vec<Code>,
    provenance: Provenance,
}

impl Draft {
    /// An item has about six hashes in practice: crops and re-encodings of one picture.
    pub const SIGNALS_MAX: usize = 16;
    /// More labels than behaviours there are would say nothing.
    pub const LABELS_MAX: usize = 8;

    /// Checks what can be checked without a taxonomy or a clock, and puts lists into their one order.
    ///
    /// # Errors
    /// The first field that is not as it must be.
    pub fn new(signals: Vec<Signal>, mut labels: Vec<Code>, provenance: Provenance) -> Result<Self, FieldError> {
        check_count("signals", signals.len(), Self::SIGNALS_MAX)?;
        check_count("labels", labels.len(), Self::LABELS_MAX)?;
        for (at, signal) in signals.iter().enumerate() {
            let same = |other: &Signal| other.kind() == signal.kind() && other.value() == signal.value();
            if let Some(first) = signals[..at].iter().position(same) {
                return Err(FieldError::new(format!("signals[{at}]"), format_args!("is the same as signals[{first}]")));
            }
        }
        sort_distinct(&mut labels, "labels")?;
        let provenance = provenance.normalized().map_err(|error| error.within("provenance"))?;
        Ok(Self { signals, labels, provenance })
    }

    /// 1 to 16, all different, in the contributor's order.
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// 1 to 8, sorted.
    pub fn labels(&self) -> &[Code] {
        &self.labels
    }

    /// The incident that it belongs to: by its basis, or by the first of its labels that is an incident's.
    pub fn incident(&self) -> Option<Code> {
        match &self.provenance.basis {
            Basis::Incident { incident } => Some(incident.clone()),
            _ => self.labels.iter().find_map(Incident::of_label),
        }
    }

    /// Every incident that it names, by its basis or by a label.
    pub fn incidents(&self) -> BTreeSet<Code> {
        let basis = match &self.provenance.basis {
            Basis::Incident { incident } => Some(incident.clone()),
            _ => None,
        };
        basis.into_iter().chain(self.labels.iter().filter_map(Incident::of_label)).collect()
    }

    /// The provenance.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

/// Refuses an empty list and one that is too long.
pub fn check_count(path: &str, count: usize, max: usize) -> Result<(), FieldError> {
    if (1..=max).contains(&count) {
        Ok(())
    } else {
        Err(FieldError::new(path, format_args!("must be 1 to {max}, got {count}")))
    }
}

/// A draft as the ledger holds it. Immutable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: EntryId,
    pub contributor: MemberId,
    /// The key that it was contributed with.
    pub key: KeyId,
    /// When the hub took it in.
    pub contributed: Timestamp,
    /// The taxonomy its labels belong to.
    pub taxonomy: u32,
    pub draft: Draft,
}

/// What has become of an entry since it was contributed, as far as events say so: the evidence that its standing is judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryState {
    /// When it stops matching by itself: as its contributor said, or else the policy of that time.
    pub expires: Option<Timestamp>,
    /// Its contributor had already put more on the list that day than the policy takes for granted.
    pub is_excess: bool,
    /// It was too near to a benign item when it came, by the policy of that time.
    pub came_near_benign: bool,
    /// The event that withdrew it.
    pub withdrawn: Option<Withdrawal>,
    /// Entries of others near this one, in the order in which they came; none, once it can be found no more.
    pub corroboration: Vec<Corroboration>,
    /// There was no room for one of them.
    pub is_crowded: bool,
    /// When it came, more entries were near it than are looked at.
    pub is_cut: bool,
    /// What others found about it: of each member the newest about each label.
    pub opinions: Vec<Opinion>,
    /// The nearest benign item.
    pub benign: Option<NearBenign>,
    /// When it last matched far more often than usual.
    pub flood: Option<Flood>,
    /// What reviewers decided last.
    pub decided: Option<Decided>,
    /// That they confirmed it, and have upheld it at most since.
    pub confirmed: Option<Confirmed>,
    /// What single reviewers proposed since, where it takes two.
    pub proposed: Vec<Decided>,
    /// Appeals that nobody has decided on.
    pub appeals: Vec<Appealed>,
    /// The event that erased its hashes and its provenance.
    pub erased: Option<u64>,
}

impl EntryState {
    /// Whether reviewers have decided since the event `index`: then what it says is settled.
    pub fn is_settled(&self, index: u64) -> bool {
        self.decided.as_ref().is_some_and(|decided| decided.event >= index)
    }

    /// Whether reviewers took it away.
    pub fn is_revoked(&self) -> bool {
        self.decided.as_ref().is_some_and(|decided| decided.decision.ruling == Ruling::Revoke)
    }
}

/// When and by which event an entry was withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    pub event: u64,
    pub at: Timestamp,
}

/// An entry of another member that is near, with what its weight depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corroboration {
    pub entry: EntryId,
    pub member: MemberId,
    pub key: KeyId,
    pub contributed: Timestamp,
    pub expires: Option<Timestamp>,
    /// Between the nearest two signals of one kind.
    pub distance: Distance,
    /// The labels that both have, sorted; never none.
    pub labels: Vec<Code>,
}

impl Corroboration {
    /// Beyond so many bits of 256 nothing is taken for the same item: what is known for sure to be one.
    pub const RADIUS_MAX: Distance = Distance::new(20);
    /// Of one member's entries near another so many are kept, the first that came.
    pub const PER_MEMBER_MAX: usize = 4;
    /// Of so many members.
    pub const MEMBERS_MAX: usize = 32;
}

/// What a member found about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The leaf that says so.
    pub event: u64,
    pub at: Timestamp,
    pub member: MemberId,
    pub outcome: Outcome,
    /// Which labels it is about, sorted. None: all.
    pub labels: Vec<Code>,
}

/// A benign item near an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearBenign {
    /// The item's leaf.
    pub benign: u64,
    /// The leaf with which it came to be near: the later of the two.
    pub event: u64,
    pub distance: Distance,
}

/// That an entry matched far more often than usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flood {
    pub event: u64,
    pub at: Timestamp,
    pub matches: u64,
    pub usual: u64,
}

/// An appeal that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appealed {
    /// Its leaf.
    pub id: u64,
    pub by: MemberId,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing;
    use crate::domain::{Hash64, Signal};

    proptest! {
        #[test]
        fn a_draft_of_one_to_sixteen_different_signals_is_taken_and_no_other(
            words in proptest::collection::vec(0..40u64, 0..20),
            provenance in testing::provenance(),
        ) {
            let signals: Vec<_> = words.iter().map(|word| Signal::Phash(Hash64::from_word(*word))).collect();
            let distinct: std::collections::BTreeSet<_> = words.iter().collect();
            let sound = (1..=16).contains(&words.len()) && distinct.len() == words.len();
            let draft = Draft::new(signals, vec!["label".parse().unwrap()], provenance);
            prop_assert_eq!(draft.is_ok(), sound);
        }
    }

    #[test]
    fn a_repeated_signal_is_named_with_its_first_place_whatever_its_quality() {
        let pdq = |percent| Signal::Pdq {
            hash: crate::domain::Pdq::from_words([1; 4]),
            quality: crate::domain::Quality::new(percent).ok(),
        };
        let error =
            Draft::new(vec![pdq(90), pdq(91)], vec!["a".parse().unwrap()], testing::plain_provenance()).unwrap_err();
        assert_eq!(error.to_string(), "signals[1]: is the same as signals[0]");
    }

    #[test]
    fn a_value_given_twice_is_named() {
        let label = || "a".parse().unwrap();
        let error =
            Draft::new(vec![Signal::Phash(Hash64::from_word(1))], vec![label(), label()], testing::plain_provenance())
                .unwrap_err();
        assert_eq!(error.to_string(), "labels: `a` is given twice");
        let twice = Provenance { contexts: vec![crate::domain::Context::News; 2], ..testing::plain_provenance() };
        let error = Draft::new(vec![Signal::Phash(Hash64::from_word(1))], vec![label()], twice).unwrap_err();
        assert_eq!(error.to_string(), "provenance.contexts: `news` is given twice");
    }

    #[test]
    fn an_entry_id_is_digits_only() {
        assert_eq!("42".parse::<EntryId>(), Ok(EntryId(42)));
        for bad in ["", "+42", "-1", "4 2", "0x1", "18446744073709551616"] {
            assert!(bad.parse::<EntryId>().is_err(), "{bad:?}");
        }
    }
}
