//! What others say of an entry: outcomes of matches, rulings of reviewers, appeals.

use super::codes::codes;
use super::{Code, EntryId, KeyId, MemberId, Note, SignalKind, Timestamp};

codes! {
    /// What a platform found when it looked at something that matched.
    Outcome, "outcome" {
        /// It is what the entry says.
        Confirmed = "confirmed",
        /// It is something else: the match or the entry is wrong.
        FalsePositive = "false-positive",
        /// It is what the entry says, in a setting that makes it lawful.
        ContextProtects = "context-protects",
        /// It belongs on the list, under another label.
        WrongLabel = "wrong-label",
        /// It was right once.
        NoLongerRelevant = "no-longer-relevant",
    }
}

impl Outcome {
    /// Whether it speaks against the entry.
    pub const fn objects(self) -> bool {
        !matches!(self, Self::Confirmed)
    }
}

codes! {
    /// What an outcome rests on.
    OutcomeReason, "reason" {
        /// A person compared the two.
        SeenByPerson = "seen-by-person",
        /// The two only look alike.
        DifferentContent = "different-content",
        /// It is news reporting.
        News = "news",
        /// It is evidence of a crime, or an archive of such.
        Evidence = "evidence",
        /// It speaks against terrorism.
        CounterSpeech = "counter-speech",
        /// It is satire or art.
        Satire = "satire",
        /// It is research.
        Research = "research",
        /// Its definition fits another label.
        OtherLabel = "other-label",
        /// Its entity is no longer listed, or its incident is over.
        Outdated = "outdated",
        /// Its uploader appealed and was right.
        AppealUpheld = "appeal-upheld",
        /// Something else, as the note says.
        Other = "other",
    }
}

/// What a member found about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub entry: EntryId,
    pub outcome: Outcome,
    /// Which of the entry's labels it is about, sorted. None: all.
    pub labels: Vec<Code>,
    /// By which kind of signal it matched, if the member says so.
    pub kind: Option<SignalKind>,
    pub reason: OutcomeReason,
    /// For reviewers and auditors.
    pub note: Option<Note>,
}

codes! {
    /// What reviewers decide about an entry.
    Ruling, "ruling" {
        /// It stands as it is: objections, floods and quarantine are settled.
        Uphold = "uphold",
        /// It stands as if enough independent organisations agreed. Takes two.
        Confirm = "confirm",
        /// A person must look at whatever it matches.
        Lower = "lower",
        /// It has other labels from now on.
        Relabel = "relabel",
        /// It no longer matches.
        Revoke = "revoke",
        /// It was revoked, and matches again. Takes two.
        Reinstate = "reinstate",
    }
}

impl Ruling {
    /// Whether whoever matched the entry before has to be told.
    pub const fn reverses(self) -> bool {
        matches!(self, Self::Lower | Self::Relabel | Self::Revoke)
    }
}

/// That reviewers stood for an entry, until they decide otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// The leaf that says so.
    pub event: u64,
    pub at: Timestamp,
    /// The reviewers' members.
    pub by: Vec<MemberId>,
}

codes! {
    /// Why reviewers decide so. Everybody who follows the ledger sees it.
    RulingReason, "reason" {
        /// The evidence is sound.
        EvidenceSound = "evidence-sound",
        /// It is not what its contributor held it to be.
        FalsePositive = "false-positive",
        /// It appears lawfully: in news, as evidence, against terrorism.
        Context = "context",
        /// Its labels were wrong.
        WrongLabel = "wrong-label",
        /// It is no longer of use.
        Outdated = "outdated",
        /// It came from a key in other hands.
        KeyCompromised = "key-compromised",
        /// It is a picture that everybody has.
        Benign = "benign",
        /// The entity is no longer on the list that it was named by.
        Delisted = "delisted",
        /// An appeal was right.
        Appeal = "appeal",
        /// The law or a court asks it.
        Legal = "legal",
    }
}

/// What reviewers have decided about an entry, or one of them has proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub ruling: Ruling,
    pub reason: RulingReason,
    /// Of [`Ruling::Relabel`], the labels from now on, sorted; else none. In an entry's state, those that an earlier one gave it and
    /// that stay.
    pub labels: Vec<Code>,
}

impl Decision {
    /// Whether who proposed this wants what who decides `other` wants. Why, is each one's own.
    pub fn proposes(&self, other: &Self) -> bool {
        self.ruling == other.ruling && self.labels == other.labels
    }
}

/// A decision where it stands in an entry's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub decision: Decision,
    /// The leaf that says so.
    pub event: u64,
    pub at: Timestamp,
    /// The reviewers' members: two of what takes two.
    pub by: Vec<MemberId>,
    /// The key of the last of them.
    pub key: KeyId,
}

codes! {
    /// On what grounds somebody appeals.
    AppealGround, "ground" {
        /// It is not what the entry says.
        NotTheContent = "not-the-content",
        /// It is news, evidence, research, satire or speech against terrorism.
        LawfulContext = "lawful-context",
        /// The entry's labels do not fit.
        WrongLabel = "wrong-label",
        /// What was right once is so no longer.
        Outdated = "outdated",
        /// Something else, as the note says.
        Other = "other",
    }
}

codes! {
    /// What became of an appeal.
    AppealState, "state" {
        /// Nobody has decided.
        Open = "open",
        /// The entry stands.
        Upheld = "upheld",
        /// The entry has other labels or supports less.
        Changed = "changed",
        /// The entry no longer matches.
        Reversed = "reversed",
    }
}

impl AppealState {
    /// What a decision makes of the appeals that it ends.
    pub const fn after(ruling: Ruling) -> Self {
        match ruling {
            Ruling::Uphold | Ruling::Confirm | Ruling::Reinstate => Self::Upheld,
            Ruling::Lower | Ruling::Relabel => Self::Changed,
            Ruling::Revoke => Self::Reversed,
        }
    }
}

/// An appeal against an entry, by a platform for one of its users. Its id is its leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appeal {
    pub id: u64,
    pub entry: EntryId,
    pub by: MemberId,
    pub ground: AppealGround,
    pub opened: Timestamp,
    pub deadline: Timestamp,
    pub state: AppealState,
    /// The leaf of the decision, or the withdrawal, that ended it.
    pub decided: Option<u64>,
}
