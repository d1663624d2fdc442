//! The register: what standing rests on beside entries, members and keys. A fold of the ledger's events about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rules::Rules;
use crate::domain::{Code, Draft, Hold, Incident, MemberId, Reference, Timestamp, Trust};

/// The rules in force, how far members are believed, incidents, what was taken off lists, and what is held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    rules: Arc<Rules>,
    /// The leaf that set them; `None`: those that every hub begins with.
    rules_event: Option<u64>,
    trust: BTreeMap<MemberId, Trust>,
    incidents: BTreeMap<Code, Incident>,
    delisted: BTreeMap<Reference, Delisted>,
    holds: BTreeMap<u64, Hold>,
}

/// That an entity is no longer on the list that it was named by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delisted {
    /// The leaf that says so.
    pub event: u64,
    pub at: Timestamp,
}

impl Register {
    /// The rules in force.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// The leaf that set them; `None`: those that every hub begins with.
    pub const fn rules_event(&self) -> Option<u64> {
        self.rules_event
    }

    /// Lets the rules be `rules`, which leaf `event` set.
    pub fn set_rules(&mut self, rules: Rules, event: u64) {
        (self.rules, self.rules_event) = (Arc::new(rules), Some(event));
    }

    /// The same with other rules: to see what they would change.
    #[must_use]
    pub fn under(&self, rules: Rules) -> Self {
        Self { rules: Arc::new(rules), ..self.clone() }
    }

    /// What a member's contributions have come to.
    pub fn trust(&self, member: MemberId) -> Trust {
        self.trust.get(&member).copied().unwrap_or_default()
    }

    /// Lets a member's trust be this.
    pub fn set_trust(&mut self, member: MemberId, trust: Trust) {
        self.trust.insert(member, trust);
    }

    /// An incident, if there is or was such a one.
    pub fn incident(&self, code: &Code) -> Option<&Incident> {
        self.incidents.get(code)
    }

    /// The incident that a draft belongs to, if there is or was such a one.
    pub fn incident_of(&self, draft: &Draft) -> Option<&Incident> {
        self.incident(&draft.incident()?)
    }

    /// All incidents, by code.
    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values()
    }

    /// Adds an incident, or puts it in the place of its earlier self.
    pub fn set_incident(&mut self, incident: Incident) {
        self.incidents.insert(incident.code.clone(), incident);
    }

    /// When an entity was taken off its list, if it was.
    pub fn delisted(&self, entity: &Reference) -> Option<Delisted> {
        self.delisted.get(entity).copied()
    }

    /// All entities that were taken off their lists.
    pub fn all_delisted(&self) -> impl Iterator<Item = (&Reference, Delisted)> {
        self.delisted.iter().map(|(entity, delisted)| (entity, *delisted))
    }

    /// Notes that an entity was taken off its list.
    pub fn set_delisted(&mut self, entity: Reference, delisted: Delisted) {
        self.delisted.insert(entity, delisted);
    }

    /// A hold, if such a one was placed.
    pub fn hold(&self, id: u64) -> Option<&Hold> {
        self.holds.get(&id)
    }

    /// All that were placed, in their order, also those that have lapsed.
    pub fn holds(&self) -> impl Iterator<Item = &Hold> {
        self.holds.values()
    }

    /// Adds a hold, or puts it in the place of its earlier self.
    pub fn set_hold(&mut self, hold: Hold) {
        self.holds.insert(hold.id, hold);
    }
}
