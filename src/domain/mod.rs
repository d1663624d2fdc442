//! The words of the hub as values: no I/O, no async, no protobuf, no database.

mod attention;
mod benign;
mod certificate;
mod codes;
mod entropy;
mod entry;
mod event;
mod feedback;
mod field;
mod incident;
mod matched;
mod member;
mod orientation;
mod provenance;
mod quota;
mod reads;
mod retention;
mod signal;
mod standing;
mod statistics;
mod taxonomy;
#[cfg(test)]
pub(crate) mod testing;
mod time;
mod token;
mod trust;

pub use attention::Attention;
pub use benign::{Benign, BenignClass};
pub use certificate::SpkiFingerprint;
pub use codes::UnknownCode;
pub(crate) use codes::codes;
pub use entropy::{Entropy, EntropyError, SeededEntropy, SystemEntropy};
pub use entry::{
    Appealed, Corroboration, Draft, Entry, EntryId, EntryIdError, EntryState, Flood, NearBenign, Opinion, Withdrawal,
    check_count,
};
pub use event::{Actor, Event, EventKind, Fact, RefusalReason, RequestDigest, StatusReason, WithdrawReason};
pub use feedback::{
    Appeal, AppealGround, AppealState, Confirmed, Decided, Decision, Outcome, OutcomeReason, Report, Ruling,
    RulingReason,
};
pub use field::{At, FieldError};
pub use incident::{Incident, IncidentChange, Proposed};
pub use matched::{MatchKey, Met, Reach};
pub use member::{
    Approval, Checklist, ChecklistItem, Credential, IdError, Jurisdiction, JurisdictionError, Key, KeyId, KeyMac,
    Member, MemberId, Network, NetworkError, Role, Roles, Status, Unit, WalkLevel, WalkMark,
};
pub(crate) use member::{base32_lower, base32_lower_codec};
pub use orientation::Orientation;
pub use provenance::{
    Action, AnalystTier, Basis, BasisKind, Confidence, ConfidenceOutOfRange, Context, GovernmentOrder, Origin,
    Producer, Provenance, Reviewers, Tlp,
};
pub use quota::{Holder, Quota};
pub use reads::{ReadKey, ReadKind};
pub use retention::{Erased, Hold, HoldScope, HoldTerms, Remains};
pub use signal::{
    Digest, Distance, Hash64, HexError, Pdq, Quality, QualityError, QualityOutOfRange, Signal, SignalKind,
};
pub use standing::{Assessment, Reason, Standing};
pub use statistics::{Sample, SampleVerdict, Tally, TallyCell};
pub use taxonomy::{IncidentLabels, Label, Taxonomies, Taxonomy, Term};
pub use time::{Clock, Date, DateError, ManualClock, SystemClock, Timestamp, TimestampError};
pub use token::{CallId, Code, Name, Note, NoteError, Reference, RequestId, TokenError};
pub use trust::Trust;
