//! What a member's contributions have come to, so far: the sums that its trust is computed from.

/// Of one member. `policy::trust` says what adds what, and what follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// What spoke for its entries, in thousandths of an outcome, halved with time up to `day`.
    pub good_milli: u64,
    /// What spoke against them.
    pub bad_milli: u64,
    /// Days since 1970-01-01, UTC.
    pub day: u32,
    /// Entries contributed on that day.
    pub contributed: u64,
    /// Outcomes of others that confirmed an entry of its, in all.
    pub confirmed: u64,
    /// Outcomes of others that objected to one.
    pub objected: u64,
    /// Rulings that let one stand.
    pub upheld: u64,
    /// Rulings that lowered, relabelled or revoked one.
    pub reversed: u64,
    /// Entries that were near a benign item when they came.
    pub near_benign: u64,
}
