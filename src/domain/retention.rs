//! What is left of entries that were erased, and what keeps others from being erased.

use super::{
    BasisKind, Code, Draft, EntryId, FieldError, KeyId, MemberId, Name, Reference, RequestDigest, SignalKind,
    Timestamp, check_count,
};

/// What remains of a contribution after its hashes and its provenance were erased: what the events around it, and statistics, rest on.
/// Who contributed it, and when, its event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// Which request made it: sent again, it is to be told so and to make nothing.
    pub request: RequestDigest,
    pub taxonomy: u32,
    /// As contributed: 1 to 8, sorted.
    pub labels: Vec<Code>,
    pub basis: BasisKind,
    /// Of its signals, sorted, each once.
    pub kinds: Vec<SignalKind>,
    /// The incident that it belonged to.
    pub incident: Option<Code>,
    /// When it stopped matching by itself, or would have.
    pub expires: Option<Timestamp>,
    /// It was too near to a benign item when it came, by the policy of that time.
    pub came_near_benign: bool,
}

impl Remains {
    /// What would remain of a contribution, as far as it tells itself: whether it came near a benign item, its row knows.
    pub fn of(request: RequestDigest, taxonomy: u32, draft: &Draft, lapses: Option<Timestamp>) -> Self {
        let mut kinds: Vec<_> = draft.signals().iter().map(|signal| signal.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        Self {
            request,
            taxonomy,
            labels: draft.labels().to_vec(),
            basis: draft.provenance().basis.kind(),
            kinds,
            incident: draft.incident(),
            expires: draft.provenance().valid_until.or(lapses),
            came_near_benign: false,
        }
    }
}

/// That an entry was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    pub entry: EntryId,
    /// Commits to what remains of it, as a leaf does to its event.
    pub commitment: [u8; 33],
}

/// What a hold is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldScope {
    /// These entries: 1 to 100, sorted, each once.
    Entries(Vec<EntryId>),
    /// All of an incident, also what comes later.
    Incident(Code),
    /// All that a member contributed, also later.
    Member(MemberId),
}

impl HoldScope {
    /// The most entries of one hold.
    pub const ENTRIES_MAX: usize = 100;

    /// These entries, in their one order.
    ///
    /// # Errors
    /// At `entries`: none, too many, or one of them twice.
    pub fn entries(mut entries: Vec<EntryId>) -> Result<Self, FieldError> {
        check_count("entries", entries.len(), Self::ENTRIES_MAX)?;
        super::provenance::sort_distinct(&mut entries, "entries")?;
        Ok(Self::Entries(entries))
    }

    /// Whether it is on an entry of this incident and contributor.
    pub fn is_on(&self, entry: EntryId, incident: Option<&Code>, contributor: MemberId) -> bool {
        match self {
            Self::Entries(entries) => entries.binary_search(&entry).is_ok(),
            Self::Incident(code) => incident == Some(code),
            Self::Member(member) => contributor == *member,
        }
    }
}

/// Why something is to be preserved, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldTerms {
    pub scope: HoldScope,
    /// The authority's own, as a case number.
    pub reference: Reference,
    /// Who asked: a court, an authority, the operator's own counsel. Never a person.
    pub authority: Name,
    /// It lapses then by itself.
    pub until: Timestamp,
}

/// A preservation hold: what it is on is not erased while it lasts. Its id is its leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub id: u64,
    pub terms: HoldTerms,
    pub placed: Timestamp,
    pub by: KeyId,
    /// When somebody else ended it before its time.
    pub lifted: Option<Timestamp>,
}

impl Hold {
    /// Whether it keeps anything at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.lifted.is_none() && now < self.terms.until
    }
}
