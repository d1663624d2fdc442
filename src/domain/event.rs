//! Events: what the ledger records, one leaf each. Everything the hub knows is a fold of them.

use std::borrow::Cow;

use super::codes::codes;
use super::{
    AppealGround, Benign, CallId, Checklist, Code, Decision, Draft, EntryId, Erased, HoldTerms, Holder, IncidentChange,
    Key, KeyId, Member, MemberId, Note, Quota, Reference, Remains, Report, Sample, SampleVerdict, Status, Tally,
    Timestamp, WalkLevel,
};

/// Who made an event happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The hub itself, at its founding.
    Hub,
    /// A member, by one of its keys.
    Member { member: MemberId, key: KeyId },
}

codes! {
    /// What kind of thing happened.
    EventKind, "event kind" {
        Contributed = "contributed",
        Withdrawn = "withdrawn",
        Expired = "expired",
        Erased = "erased",
        Remains = "remains",
        OutcomeReported = "outcome-reported",
        Decided = "decided",
        AppealOpened = "appeal-opened",
        FloodSeen = "flood-seen",
        BenignAdded = "benign-added",
        BenignRemoved = "benign-removed",
        PolicySet = "policy-set",
        EntityDelisted = "entity-delisted",
        HoldPlaced = "hold-placed",
        HoldLifted = "hold-lifted",
        IncidentChanged = "incident-changed",
        IncidentEnded = "incident-ended",
        MatchesTallied = "matches-tallied",
        SampleDrawn = "sample-drawn",
        SampleJudged = "sample-judged",
        MemberEnrolled = "member-enrolled",
        MemberApproved = "member-approved",
        MemberStatusSet = "member-status-set",
        KeyIssued = "key-issued",
        KeyRotated = "key-rotated",
        KeyRevoked = "key-revoked",
        KeyCompromised = "key-compromised",
        QuotaSet = "quota-set",
        WalkSeen = "walk-seen",
        WalkCleared = "walk-cleared",
        AdminRefused = "admin-refused",
        NamesShown = "names-shown",
    }
}

impl EventKind {
    /// Whether it is about members, keys and rules, not about entries: what auditors go through.
    pub const fn is_administrative(self) -> bool {
        !matches!(
            self,
            Self::Contributed
                | Self::Withdrawn
                | Self::Expired
                | Self::Erased
                | Self::Remains
                | Self::OutcomeReported
                | Self::Decided
                | Self::AppealOpened
                | Self::FloodSeen
                | Self::BenignAdded
                | Self::BenignRemoved
                | Self::MatchesTallied
                | Self::SampleDrawn
                | Self::SampleJudged
        )
    }
}

codes! {
    /// Why somebody was refused who asked for a change of members or keys.
    RefusalReason, "reason" {
        /// Its key lacks the role.
        NoRole = "no-role",
        /// Its member is suspended or has left.
        BadStanding = "bad-standing",
        /// The member that it was about is none.
        NoSuchMember = "no-such-member",
        /// The key that it was about is none.
        NoSuchKey = "no-such-key",
        /// The key that it was about is revoked or expired.
        KeyNotLive = "key-not-live",
        /// The key that it was about goes with a certificate.
        KeyOfCertificate = "key-of-certificate",
        /// Nobody could administer any more.
        LastAdmin = "last-admin",
        /// The member that it was about has done nothing of the kind.
        NoWalk = "no-walk",
        /// Another member has that name.
        NameTaken = "name-taken",
        /// The status is not above the member's.
        NotAbove = "not-above",
        /// The status is not below the member's.
        NotBelow = "not-below",
        /// The member that it was about has left for good.
        HasLeft = "has-left",
        /// The checklist has gaps.
        Checklist = "checklist",
        /// The same person has approved already.
        SameHand = "same-hand",
        /// A field that does not fit what is there, as roles that the member has not.
        Field = "field",
    }
}

codes! {
    /// Why a contributor takes an entry back.
    WithdrawReason, "reason" {
        /// It should not have been contributed: not what it was held to be.
        Mistake = "mistake",
        /// What it was is right, what was said about it is not.
        WrongLabel = "wrong-label",
        /// It is right, but no longer of use.
        Outdated = "outdated",
        /// A newer entry stands in its place.
        Superseded = "superseded",
        /// The contributor gives no reason.
        Unspecified = "unspecified",
    }
}

codes! {
    /// Why a member's status was set to a lower one.
    StatusReason, "reason" {
        /// It asked for it.
        Requested = "requested",
        /// A key of its has been stolen, or is thought to be.
        KeyCompromised = "key-compromised",
        /// It contributed what it should not have, again or grossly.
        Contributions = "contributions",
        /// It asked for more than its quota allows, or for what the list holds.
        Abuse = "abuse",
        /// It no longer meets what the checklist asks.
        Checklist = "checklist",
        /// Nobody there answers.
        Unreachable = "unreachable",
        /// A court or an authority has ordered it, or the law asks it.
        Legal = "legal",
    }
}

/// Which request of which member made or withdrew an entry, without the name the member gave it: that is the member's own affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestDigest(pub [u8; 32]);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A member put an item on the list. The event's index is the entry's id.
    Contributed {
        request: RequestDigest,
        taxonomy: u32,
        draft: Draft,
        /// Where the draft says no end, when it stops matching by the policy of its time; `None`: never by itself.
        lapses: Option<Timestamp>,
    },
    /// Its contributor took an entry back.
    Withdrawn { entry: EntryId, reason: WithdrawReason, request: RequestDigest },
    /// These entries stopped matching by themselves.
    Expired { entries: Vec<EntryId> },
    /// The hashes and the provenance of these entries were erased, whose time was over long ago. Each one's own leaf stays, and what
    /// remains of it has taken its event's place.
    Erased {
        erased: Vec<Erased>,
        /// Of these, which were near them and are there still, it was counted anew who agrees with them.
        recounted: Vec<EntryId>,
    },
    /// In the place of a contribution that was erased: never a leaf of its own.
    Remains(Remains),
    /// A member said what it found about an entry.
    OutcomeReported(Report),
    /// A reviewer decided about an entry.
    Decided {
        entry: EntryId,
        decision: Decision,
        /// Whether these were reviewers enough, so that it acts from now on.
        is_enough: bool,
    },
    /// A member appealed against an entry, for one of its users. The event's index is the appeal's id.
    AppealOpened { entry: EntryId, ground: AppealGround, note: Option<Note>, deadline: Timestamp },
    /// An entry matched far more often than it used to.
    FloodSeen {
        entry: EntryId,
        /// Matches in the policy's window, each member's counted up to its share.
        matches: u64,
        /// What would have been usual.
        usual: u64,
    },
    /// Reviewers hold an item to be benign. The event's index is its id.
    BenignAdded(Benign),
    /// They no longer do.
    BenignRemoved { benign: u64 },
    /// The rules of standing are these from now on: the whole policy file.
    PolicySet { text: String },
    /// An entity is no longer on the list that it was named by: what names it is to be looked at again.
    EntityDelisted { entity: Reference },
    /// What a hold is on is not to be erased. The event's index is its id.
    HoldPlaced(HoldTerms),
    /// Somebody other than who placed it ended a hold before its time.
    HoldLifted { hold: u64 },
    /// Somebody proposed or seconded a change of an incident.
    IncidentChanged {
        incident: Code,
        change: IncidentChange,
        /// Whether these were people enough, so that it acts from now on.
        is_enough: bool,
    },
    /// An incident ended because nobody extended it.
    IncidentEnded { incident: Code },
    /// So many matches were shown in a part of an hour.
    MatchesTallied(Tally),
    /// An auditor drew entries at random.
    SampleDrawn(Sample),
    /// An auditor judged an entry of the sample that leaf `sample` drew. Of several judgements the last one holds.
    SampleJudged { sample: u64, entry: EntryId, verdict: SampleVerdict },
    /// An organisation joined.
    MemberEnrolled(Member),
    /// Somebody stood for a member's climbing to a status.
    MemberApproved {
        member: MemberId,
        to: Status,
        checklist: Checklist,
        /// Whether these were approvals enough, so that the member has the status from now on.
        is_enough: bool,
    },
    /// A member's status was set to a lower one, or to none.
    MemberStatusSet { member: MemberId, status: Status, reason: StatusReason },
    /// A member got a key.
    KeyIssued(Key),
    /// A key got a successor, and ends at `until` at the latest.
    KeyRotated { key: Key, replaces: KeyId, until: Timestamp },
    /// A key was taken away.
    KeyRevoked { key: KeyId },
    /// A key is thought to have been in other hands since then. It was taken away, if it was not before.
    KeyCompromised { key: KeyId, since: Timestamp },
    /// A member or a key got a quota of its own, in place of the one it had before.
    QuotaSet { of: Holder, quota: Quota },
    /// The member that asked seems to ask its way to a listed hash.
    WalkSeen { level: WalkLevel },
    /// An operator has looked at what a member asked, and lets it ask again.
    WalkCleared { member: MemberId },
    /// Somebody asked for a change of members or keys and was refused.
    AdminRefused {
        /// The event that it would have been.
        attempted: EventKind,
        /// About whom, where that was read.
        member: Option<MemberId>,
        key: Option<KeyId>,
        reason: RefusalReason,
        /// How many refusals of that key it stands for. More than one: those of an hour that were too many for an event each;
        /// the rest is what the last of them was.
        count: u64,
    },
    /// A key was shown who members are, for the first time in a day.
    NamesShown,
}

impl Fact {
    /// What it would leave if it were erased, or left when it was; `None`: it is no contribution.
    pub fn remains(&self) -> Option<Cow<'_, Remains>> {
        match self {
            Self::Contributed { request, taxonomy, draft, lapses } => {
                Some(Cow::Owned(Remains::of(*request, *taxonomy, draft, *lapses)))
            }
            Self::Remains(remains) => Some(Cow::Borrowed(remains)),
            _ => None,
        }
    }

    /// Its kind.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Contributed { .. } => EventKind::Contributed,
            Self::Withdrawn { .. } => EventKind::Withdrawn,
            Self::Expired { .. } => EventKind::Expired,
            Self::Erased { .. } => EventKind::Erased,
            Self::Remains(_) => EventKind::Remains,
            Self::OutcomeReported(_) => EventKind::OutcomeReported,
            Self::Decided { .. } => EventKind::Decided,
            Self::AppealOpened { .. } => EventKind::AppealOpened,
            Self::FloodSeen { .. } => EventKind::FloodSeen,
            Self::BenignAdded(_) => EventKind::BenignAdded,
            Self::BenignRemoved { .. } => EventKind::BenignRemoved,
            Self::PolicySet { .. } => EventKind::PolicySet,
            Self::EntityDelisted { .. } => EventKind::EntityDelisted,
            Self::HoldPlaced(_) => EventKind::HoldPlaced,
            Self::HoldLifted { .. } => EventKind::HoldLifted,
            Self::IncidentChanged { .. } => EventKind::IncidentChanged,
            Self::IncidentEnded { .. } => EventKind::IncidentEnded,
            Self::MatchesTallied(_) => EventKind::MatchesTallied,
            Self::SampleDrawn(_) => EventKind::SampleDrawn,
            Self::SampleJudged { .. } => EventKind::SampleJudged,
            Self::MemberEnrolled(_) => EventKind::MemberEnrolled,
            Self::MemberApproved { .. } => EventKind::MemberApproved,
            Self::MemberStatusSet { .. } => EventKind::MemberStatusSet,
            Self::KeyIssued(_) => EventKind::KeyIssued,
            Self::KeyRotated { .. } => EventKind::KeyRotated,
            Self::KeyRevoked { .. } => EventKind::KeyRevoked,
            Self::KeyCompromised { .. } => EventKind::KeyCompromised,
            Self::QuotaSet { .. } => EventKind::QuotaSet,
            Self::WalkSeen { .. } => EventKind::WalkSeen,
            Self::WalkCleared { .. } => EventKind::WalkCleared,
            Self::AdminRefused { .. } => EventKind::AdminRefused,
            Self::NamesShown => EventKind::NamesShown,
        }
    }
}

/// One leaf's worth of history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When the hub sequenced it. Never earlier than the event before it.
    pub at: Timestamp,
    pub by: Actor,
    /// Which request of a member it was, of administrative events: only who may read them sees what callers name their requests.
    /// Of an event about an entry the fact has a digest.
    pub request: Option<CallId>,
    pub fact: Fact,
}
