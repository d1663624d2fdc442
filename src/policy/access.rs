//! The one table of operations and the roles each needs, and the permit that proves a use case may run.

use std::marker::PhantomData;

use super::quota::Allowance;
use crate::domain::{CallId, KeyId, MemberId, RefusalReason, Role, Roles, Status};

/// Something that needs a permission.
pub trait Operation: Send + Sync + 'static {
    /// Its name, for messages and logs.
    const NAME: &'static str;
    /// A key with any of these roles may.
    const ROLES: &'static [Role];
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident, $text:literal: $($role:ident)|+;)+) => {
        /// The operations. What is not here cannot be permitted.
        pub mod operation {
            use super::{Operation, Role};

            $(
                $(#[$doc])*
                #[derive(Clone, Copy, Debug)]
                pub enum $name {}

                impl Operation for $name {
                    const NAME: &'static str = $text;
                    const ROLES: &'static [Role] = &[$(Role::$role),+];
                }
            )+
        }
    };
}

operations! {
    /// Look up signals or a picture.
    Check, "check": Checker | Contributor | Reviewer;
    /// Put an entry on the list.
    Contribute, "contribute": Contributor;
    /// Take an own entry back.
    Withdraw, "withdraw": Contributor;
    /// See everything about an entry; contributors only about their own.
    Trace, "trace": Contributor | Reviewer | Auditor | Admin;
    /// Say what came of a match.
    Report, "report outcomes": Checker | Contributor | Reviewer;
    /// Appeal against an entry that matched.
    Appeal, "appeal": Checker | Contributor | Reviewer;
    /// List appeals: one's own member's, or all.
    ListAppeals, "list appeals": Checker | Contributor | Reviewer | Auditor | Admin;
    /// Learn which of one's own matches were wrong.
    ListReversals, "list reversals": Checker | Contributor | Reviewer;
    /// See how far members are believed: one's own, or all.
    ReadTrust, "read trust": Contributor | Reviewer | Auditor | Admin;
    /// Read the ledger's events as they come.
    Follow, "follow": Contributor | Reviewer | Auditor | Admin;
    /// Read checkpoints and proofs, which reveal nothing.
    ReadLedger, "read the ledger": Checker | Contributor | Reviewer | Auditor | Admin;
    /// Read the labels and their definitions, and the rules of standing.
    ReadTaxonomy, "read the taxonomy": Checker | Contributor | Reviewer | Auditor | Admin;
    /// Decide on entries, and keep the benign list.
    Review, "review": Reviewer;
    /// See what waits for reviewers, and the benign list.
    ReadQueue, "read the reviewers' queue": Reviewer | Auditor;
    /// Say that an entity was taken off its list.
    Delist, "delist entities": Reviewer | Admin;
    /// Enrol members, issue and revoke keys.
    Administer, "administer": Admin;
    /// Keep things from being erased, or no longer.
    ChangeHolds, "place and lift holds": Admin;
    /// See what is kept, and for whom.
    ListHolds, "list holds": Auditor | Admin;
    /// Open, extend and close incidents.
    ChangeIncident, "change incidents": Reviewer | Admin;
    /// See which incidents there are.
    ListIncidents, "list incidents": Checker | Contributor | Reviewer | Auditor | Admin;
    /// See what an incident has come to.
    ReadDebrief, "read a debrief": Contributor | Reviewer | Auditor | Admin;
    /// List members and keys, with names.
    ListMembers, "list members": Auditor | Admin;
    /// See what other rules of standing would change.
    PreviewPolicy, "preview a policy": Auditor | Admin;
    /// Set the rules of standing.
    SetPolicy, "set the policy": Admin;
    /// Read statistics.
    ReadStatistics, "read statistics": Auditor | Admin;
    /// Draw random samples of entries and judge them.
    Sample, "sample entries": Auditor;
    /// Go through what was done with members and keys, and how much members have read.
    ReadAudit, "read the audit": Auditor | Admin;
}

/// Who is asking: a member, through one of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub member: MemberId,
    pub key: KeyId,
    /// What the key may do: its roles, as far as the member has them now.
    pub roles: Roles,
    pub status: Status,
    /// How much of the hub it may use.
    pub allowance: Allowance,
    /// By which request, where it is one over the network.
    pub request: Option<CallId>,
}

impl Principal {
    /// Whether any of `roles` is among its own.
    fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }

    /// A permit for `O`.
    ///
    /// # Errors
    /// [`Refused`], naming the operation and the roles that would do.
    pub fn permit<O: Operation>(&self) -> Result<Permit<O>, Refused> {
        self.may(O::NAME, O::ROLES)?;
        Ok(Permit { principal: self.clone(), operation: PhantomData })
    }

    /// Who was refused, in the form that goes to the sequencer. It permits nothing: no role is enough for it.
    pub fn refused(&self) -> Authority {
        Authority { principal: self.clone(), operation: "be refused", roles: &[] }
    }

    /// Whether it may do what needs any of `roles`.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn may(&self, operation: &'static str, roles: &'static [Role]) -> Result<(), Refused> {
        if self.has_any(roles) { Ok(()) } else { Err(Refused::new(self.status, operation, roles)) }
    }
}

/// Why a live key may not do what it was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its roles do not include one that the operation needs.
    #[error("this key may not {operation}: it needs the role {}", list(.roles))]
    Role { operation: &'static str, roles: &'static [Role] },
    /// Its member may do nothing.
    #[error("the member that this key belongs to {}: ask the hub's operator", verb(*.status))]
    Standing { status: Status },
}

impl Refused {
    /// The same, of a bounded set.
    pub const fn reason(&self) -> RefusalReason {
        match self {
            Self::Role { .. } => RefusalReason::NoRole,
            Self::Standing { .. } => RefusalReason::BadStanding,
        }
    }

    fn new(status: Status, operation: &'static str, roles: &'static [Role]) -> Self {
        if status.is_in_good_standing() { Self::Role { operation, roles } } else { Self::Standing { status } }
    }
}

const fn verb(status: Status) -> &'static str {
    if matches!(status, Status::Left) { "has left" } else { "is suspended" }
}

fn list(roles: &[Role]) -> String {
    roles.iter().map(|role| role.code()).collect::<Vec<_>>().join(" or ")
}

/// Proof that its principal may do `O`. Only [`Principal::permit`] makes one.
#[derive(Clone, Debug)]
pub struct Permit<O> {
    principal: Principal,
    operation: PhantomData<O>,
}

impl<O: Operation> Permit<O> {
    /// Whose permit it is.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The permit in the form that waits in the sequencer's queue, to be confirmed again when its turn comes.
    pub fn authority(&self) -> Authority {
        Authority { principal: self.principal.clone(), operation: O::NAME, roles: O::ROLES }
    }
}

/// A permit whose operation is data, not a type.
#[derive(Clone, Debug)]
pub struct Authority {
    pub principal: Principal,
    pub(super) operation: &'static str,
    pub(super) roles: &'static [Role],
}

impl Authority {
    /// The refusal that this authority meets once its roles are gone.
    pub(super) fn refusal(&self, status: Status) -> Refused {
        Refused::new(status, self.operation, self.roles)
    }
}
