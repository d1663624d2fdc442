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
    let is_open = |event: u64| decided.is_none_or(|decided| decided.event < event);
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

/// An entry's place in the queue: the greater its reach the sooner, then the longer it waits, then the older it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub reach: Reverse<u64>,
    pub since: Timestamp,
    pub entry: EntryId,
}
