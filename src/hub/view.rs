//! Entries as others may see them: the contributor by pseudonym, by name only to who may know it.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domain::{Assessment, Clock, Entry, EntryState, Jurisdiction, MemberId, Name, Status, Taxonomies};
use crate::policy::{Contributors, Grounds, Principal, Register, Roster, assess};

/// Who contributed, as far as the caller may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contributor {
    pub pseudonym: MemberId,
    /// Whether it is the caller itself.
    pub is_caller: bool,
    /// Only for admins and auditors.
    pub identity: Option<(Name, Jurisdiction)>,
    /// Suspended or left, if it is.
    pub mark: Option<Status>,
}

/// An entry and what it counts for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryView {
    pub entry: Entry,
    pub contributor: Contributor,
    pub assessment: Assessment,
}

impl EntryView {
    /// How many names of others it shows.
    pub fn names(&self) -> u64 {
        u64::from(self.contributor.identity.is_some() && !self.contributor.is_caller)
    }
}

/// Makes views.
#[derive(Clone)]
pub struct Viewer {
    pub(super) roster: Arc<ArcSwap<Roster>>,
    pub(super) register: Arc<ArcSwap<Register>>,
    pub(super) taxonomies: Arc<Taxonomies>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Viewer {
    /// `entry` as `principal` may see it now.
    pub fn view(&self, entry: Entry, state: &EntryState, principal: &Principal) -> EntryView {
        let (roster, register) = (self.roster.load(), self.register.load());
        let grounds = Grounds { taxonomies: &self.taxonomies, roster: &roster, register: &register };
        let assessment = assess(&entry, state, &grounds, self.clock.now());
        let member = roster.member(entry.contributor);
        let identity = member.filter(|_| principal.sight().contributors == Contributors::Names);
        let contributor = Contributor {
            pseudonym: entry.contributor,
            is_caller: entry.contributor == principal.member,
            identity: identity.map(|member| (member.name.clone(), member.jurisdiction)),
            mark: member.map(|member| member.status).filter(|status| !status.is_in_good_standing()),
        };
        EntryView { entry, contributor, assessment }
    }
}
