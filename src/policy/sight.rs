//! What not everybody sees alike of an answer: the one place where that is decided, and the words in which it is documented.

use super::Principal;
use crate::domain::{Role, Status};

/// What one caller sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    pub nearness: Nearness,
    pub contributors: Contributors,
    pub entries: Entries,
    pub events: Events,
    pub proposals: Proposals,
    pub feedback: Feedback,
}

/// How near a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// A band, and only radii at which a band ends.
    Bands,
    /// The bits, at any radius.
    Distances,
}

/// Who put an entry on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contributors {
    Pseudonyms,
    Names,
}

/// Of which entries everything can be read, their hashes included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entries {
    Own,
    All,
}

/// Whose appeals and trust are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feedback {
    /// The caller's own member's.
    Own,
    All,
}

/// Which leaves of the ledger are opened. All others are sent sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Events {
    /// The caller's own contributions, reports and appeals. Of everybody's, what has neither hashes nor notes: what no longer counts
    /// (withdrawn, expired, decided on, no longer benign, delisted), floods, rules, incidents.
    Own,
    /// Those, others' contributions that are not `TLP:RED`, and what is benign.
    Shared,
    /// Everything about entries: all contributions, reports and appeals.
    Entries,
    /// Members and keys as well.
    All,
}

/// Whether what one person has proposed and nobody has seconded is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proposals {
    Hidden,
    Told,
}

impl Sight {
    /// What a key with these roles sees, of a member of this status.
    ///
    /// Whoever can read hashes anyway learns nothing more from a distance; nobody else gets one, and nobody else gets the hashes.
    pub fn of(roles: impl Fn(Role) -> bool, status: Status) -> Self {
        let is_trusted = status == Status::Trusted;
        let oversees = roles(Role::Auditor) || roles(Role::Admin);
        let reviews = oversees || roles(Role::Reviewer);
        Self {
            nearness: if is_trusted || reviews { Nearness::Distances } else { Nearness::Bands },
            contributors: if oversees { Contributors::Names } else { Contributors::Pseudonyms },
            entries: if reviews { Entries::All } else { Entries::Own },
            events: match () {
                () if oversees => Events::All,
                () if reviews => Events::Entries,
                () if is_trusted => Events::Shared,
                () => Events::Own,
            },
            proposals: if reviews { Proposals::Told } else { Proposals::Hidden },
            feedback: if reviews { Feedback::All } else { Feedback::Own },
        }
    }
}

impl Principal {
    /// What it sees.
    pub fn sight(&self) -> Sight {
        Sight::of(|role| self.roles.contains(&role), self.status)
    }
}

/// A part of an answer that not everybody sees alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    Nearness,
    Contributors,
    Entries,
    Events,
    Proposals,
    Feedback,
}

impl Aspect {
    /// What of it is seen, in the words of the table in `docs/authorization.md`.
    pub const fn seen(self, sight: &Sight) -> &'static str {
        match self {
            Self::Nearness => match sight.nearness {
                Nearness::Bands => "bands",
                Nearness::Distances => "distances",
            },
            Self::Contributors => match sight.contributors {
                Contributors::Pseudonyms => "pseudonyms",
                Contributors::Names => "names",
            },
            Self::Entries => match sight.entries {
                Entries::Own => "own entries",
                Entries::All => "all entries",
            },
            Self::Events => match sight.events {
                Events::Own => "own entries",
                Events::Shared => "own entries, others' but `TLP:RED`",
                Events::Entries => "all entries",
                Events::All => "everything",
            },
            Self::Proposals => match sight.proposals {
                Proposals::Hidden => "yes",
                Proposals::Told => "proposals as well",
            },
            Self::Feedback => match sight.feedback {
                Feedback::Own => "own member's",
                Feedback::All => "all members'",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(roles: &[Role], status: Status) -> Sight {
        Sight::of(|role| roles.contains(&role), status)
    }

    #[test]
    fn more_roles_never_see_less() {
        for status in Status::ALL {
            for one in Role::ALL {
                for other in Role::ALL {
                    let [less, more] = [sight(&[*one], *status), sight(&[*one, *other], *status)];
                    assert!(less.nearness <= more.nearness && less.contributors <= more.contributors);
                    assert!(less.entries <= more.entries && less.events <= more.events);
                    assert!(less.proposals <= more.proposals);
                    assert!(less.feedback <= more.feedback);
                }
            }
        }
    }

    #[test]
    fn whoever_may_not_see_distances_may_not_read_others_hashes_either() {
        for status in Status::ALL {
            for role in Role::ALL {
                let seen = sight(&[*role], *status);
                if seen.nearness == Nearness::Bands {
                    assert_eq!((seen.entries, seen.events), (Entries::Own, Events::Own), "{role} {status}");
                }
            }
        }
    }

    #[test]
    fn a_trusted_member_does_not_see_what_reviewers_do() {
        let trusted = sight(&[Role::Checker, Role::Contributor], Status::Trusted);
        assert_eq!((trusted.nearness, trusted.events), (Nearness::Distances, Events::Shared));
        assert_eq!((trusted.contributors, trusted.entries), (Contributors::Pseudonyms, Entries::Own));
    }
}
