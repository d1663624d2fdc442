//! Provenance: why an item was put on the list, as far as a moderator elsewhere needs to know it.
//!
//! There is no field for a person here and there must never be one: no account, name, address or link.

use super::codes::codes;
use super::{Code, Date, EntryId, FieldError, Reference, Timestamp};

codes! {
    /// How the item was found.
    Origin, "origin" {
        Human = "human",
        Automated = "automated",
        Uncertain = "uncertain",
    }
}

codes! {
    /// How many people looked at the item before it was contributed.
    Reviewers, "number of reviewers" {
        None = "0",
        One = "1",
        TwoOrMore = "2+",
    }
}

codes! {
    /// Who made the content.
    Producer, "producer" {
        Perpetrator = "perpetrator",
        Accomplice = "accomplice",
        Bystander = "bystander",
        Media = "media",
        Unknown = "unknown",
    }
}

codes! {
    /// A lawful setting in which the item is known to appear.
    Context, "context" {
        News = "news",
        Evidence = "evidence",
        CounterSpeech = "counter-speech",
        Satire = "satire",
        Research = "research",
        Synthetic = "synthetic",
    }
}

codes! {
    /// Traffic Light Protocol 2.0 (FIRST, 2022): how far a recipient may pass the entry on.
    Tlp, "TLP marking" {
        Clear = "TLP:CLEAR",
        Green = "TLP:GREEN",
        Amber = "TLP:AMBER",
        AmberStrict = "TLP:AMBER+STRICT",
        Red = "TLP:RED",
    }
}

codes! {
    /// How urgent the analyst who verified an item held it to be.
    AnalystTier, "analyst tier" {
        ThreatToLife = "threat-to-life",
        Crisis = "crisis",
        Designation = "designation",
        Promotional = "promotional",
    }
}

codes! {
    /// What a platform may do on a match: the ceiling, weakest first.
    Action, "action" {
        LogOnly = "log-only",
        Review = "review",
        BlockPendingReview = "block-pending-review",
        Block = "block",
    }
}

/// How sure the contributor is, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Confidence(u8);

/// A confidence outside 0..=100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 0 to 100, got {0}")]
pub struct ConfidenceOutOfRange(pub u32);

impl Confidence {
    /// A confidence of `percent`.
    ///
    /// # Errors
    /// [`ConfidenceOutOfRange`] above 100.
    pub const fn new(percent: u32) -> Result<Self, ConfidenceOutOfRange> {
        if percent > 100 { Err(ConfidenceOutOfRange(percent)) } else { Ok(Self(percent as u8)) }
    }

    /// 0 to 100.
    pub const fn percent(self) -> u8 {
        self.0
    }
}

codes! {
    /// A basis of inclusion, without its details.
    BasisKind, "basis" {
        UnConsolidatedList = "un-consolidated-list",
        DesignatedBy = "designated-by",
        Incident = "incident",
        Behaviour = "behaviour",
        AnalystVerified = "analyst-verified",
    }
}

/// Why the item may be on the list at all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The entity that made it is on the UN Security Council's consolidated list.
    UnConsolidatedList {
        /// The list's permanent reference of the entity, as in `QDe.115`.
        entity: Reference,
        /// Which day's list.
        list_date: Date,
    },
    /// The entity is designated by an authority of the taxonomy's allow-list.
    DesignatedBy { authority: Code, list_date: Date },
    /// It belongs to an incident.
    Incident { incident: Code },
    /// What it shows is enough: the labels alone.
    Behaviour,
    /// A terrorist-content analyst verified it.
    AnalystVerified { tier: AnalystTier },
}

impl Basis {
    /// Which of the bases it is, without its details.
    pub const fn kind(&self) -> BasisKind {
        match self {
            Self::UnConsolidatedList { .. } => BasisKind::UnConsolidatedList,
            Self::DesignatedBy { .. } => BasisKind::DesignatedBy,
            Self::Incident { .. } => BasisKind::Incident,
            Self::Behaviour => BasisKind::Behaviour,
            Self::AnalystVerified { .. } => BasisKind::AnalystVerified,
        }
    }

    /// Its stable code.
    pub const fn code(&self) -> &'static str {
        self.kind().code()
    }
}

/// A government's order to remove the item: noted with its date, never a basis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GovernmentOrder {
    /// The ordering state.
    pub jurisdiction: super::Jurisdiction,
    /// The order's date.
    pub date: Date,
}

/// Everything a contributor says about an item beside its signals and labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Provenance {
    pub origin: Origin,
    pub reviewers: Reviewers,
    pub basis: Basis,
    pub producer: Producer,
    /// In the order of [`Context::ALL`], each at most once.
    pub contexts: Vec<Context>,
    /// Codes of the taxonomy's content types, sorted, each at most once.
    pub content_types: Vec<Code>,
    pub confidence: Confidence,
    pub tlp: Tlp,
    /// The strongest action the contributor stands for (in the manner of MISP's PAP).
    pub action_max: Action,
    /// After this the entry stops matching; `None`: until withdrawn.
    pub valid_until: Option<Timestamp>,
    /// An earlier entry of the same contributor that this one replaces.
    pub supersedes: Option<EntryId>,
    pub government_order: Option<GovernmentOrder>,
}

impl Provenance {
    /// Puts contexts and content types into their one order.
    ///
    /// # Errors
    /// A value that is given twice.
    pub fn normalized(mut self) -> Result<Self, FieldError> {
        sort_distinct(&mut self.contexts, "contexts")?;
        sort_distinct(&mut self.content_types, "content_types")?;
        Ok(self)
    }
}

/// Sorts, and refuses a value that stands twice.
pub(super) fn sort_distinct<T: Ord + std::fmt::Display>(values: &mut [T], path: &str) -> Result<(), FieldError> {
    values.sort();
    match values.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(FieldError::new(path, format_args!("`{}` is given twice", pair[0]))),
        None => Ok(()),
    }
}
