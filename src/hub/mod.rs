//! The use cases, one verb a file, free of gRPC; and the sequencer that they share.
//!
//! Invariants: one writer a store; nothing is seen before it is durable and provable; memory is a fold of the ledger. Who calls
//! and over what is not known here: a use case takes a [`Permit`](crate::policy::Permit) and values of the domain.
//!
//! | file | what |
//! |---|---|
//! | `walks`, `last_used`, `check`, `check_media`, `contribute`, `withdraw`, `trace`, `follow`, `prove`, `members`, `examine`, `gate`, `incidents`, `debrief`, `drill` | use cases |
//! | `inspect`, `count`, `refuse`, `unseal` | use cases of the audit: what was done, read, refused, shown |
//! | `matches`, `tallies` | who met which entry, to the hour; how many matches there were, for the ledger |
//! | `statistics`, `replica`, `survey` | reports, and the same from the ledger alone |
//! | `matches`, `outcomes`, `appeals`, `reversals`, `believe` | who met which entry; what came of it; which were wrong; whom to believe |
//! | `floods` | what matches far too often falls to review |
//! | `erasures`, `remains`, `holds` | what ended long ago is erased; whether what is left is what the ledger says; what is kept |
//! | `decide`, `commit`, `sequencer` | intents to events, events to disk, the thread that does it |
//! | `fold`, `load`, `state`, `view`, `read` | events to rows, rows to memory, memory to answers |
//! | `turn` | how long a check may keep a thread |
//! | `founding`, `open`, `catch_up` | the first start and every start; folding what the rows do not hold |
//! | `audit` | everything against everything |

mod appeals;
mod audit;
mod believe;
mod benign;
mod catch_up;
mod check;
mod check_media;
mod commit;
mod contribute;
mod count;
mod debrief;
mod decide;
mod drill;
mod erasures;
mod examine;
mod floods;
mod fold;
mod follow;
mod founding;
mod gate;
mod govern;
mod holds;
mod incidents;
mod inspect;
mod last_used;
mod load;
mod matches;
mod members;
mod open;
mod outcomes;
mod prove;
mod queue;
mod read;
mod refuse;
mod remains;
mod replica;
mod reversals;
mod review;
mod sequencer;
mod state;
mod statistics;
mod survey;
mod tallies;
mod trace;
mod turn;
mod unseal;
mod view;
mod walks;
mod withdraw;

pub use appeals::{AppealPage, AppealView, Appeals, FEEDBACK_PAGE_DEFAULT, FEEDBACK_PAGE_MAX, FeedbackError};
pub use audit::{AuditError, Report, audit};
pub use believe::{Believe, TrustView};
pub use benign::{AddedBenign, BENIGN_ITEMS_MAX, BenignError, BenignList, ListedBenign};
pub use check::{
    Check, CheckAnswer, CheckError, CheckQuery, Evidence, LIMIT_DEFAULT, LIMIT_MAX, Match, Outcome, QUERIES_MAX, Query,
};
pub use check_media::{CheckMedia, CheckMediaAnswer, CheckMediaError, MediaOptions};
pub use commit::{CommitError, Head, Sequenced};
pub use contribute::{Contribute, ContributeError, Contributed};
pub use count::{Count, CountList};
pub use debrief::{Debrief, Debriefs};
pub use decide::Refusal;
pub use examine::{Examine, Search, Suspect};
pub use fold::FoldError;
pub use follow::{FeedItem, Follow, FollowError, OpenedEvent, Page};
pub use founding::{ADMIN_KEY_FILE, SECOND_ADMIN_KEY_FILE, SecretsError};
pub use gate::{Denied, Gate};
pub use govern::{Govern, GovernError, Preview, RulesInForce, Shift, Shifted};
pub use holds::{HoldView, Holds};
pub use incidents::{IncidentView, Incidents, IncidentsError, WantedChange};
pub use inspect::{AUDIT_PAGE_DEFAULT, AUDIT_PAGE_MAX, AuditEvent, AuditPage, AuditQuery, AuditResult, Inspect};
pub use load::LoadError;
pub use matches::Matches;
pub use members::{Enrolment, KeyRequest, MemberError, Members};
pub use open::{HubConfig, Opened, StartError, UseCases, open};
pub use outcomes::{Finding, ReportOutcome, Subject};
pub use prove::{Consistency, Inclusion, Prove, ProveError};
pub use queue::{QUEUE_PAGE_DEFAULT, QUEUE_PAGE_MAX, Queue, QueuePage, QueueQuery, Waiting};
pub use read::ReadError;
pub use refuse::Refuse;
pub use remains::RemainsError;
pub use replica::{Replica, ReplicaError};
pub use reversals::{Reversal, ReversalPage, Reversals};
pub use review::{Review, ReviewError, Ruled};
pub use sequencer::{BATCH_EVENTS_MAX, QUEUE_MAX, SequenceError, SequencerThread};
pub use state::Indexes;
pub use statistics::{Drawn, Item, Statist, StatisticsError};
pub use survey::SurveyError;
pub use trace::{Step, Trace, TraceError, Traced};
pub use view::{Contributor, EntryView};
pub use walks::Blocked;
pub use withdraw::{Withdraw, WithdrawError, Withdrawn};
