//! Who may do what, what may be contributed, and what an entry counts for. Pure: no disk, no socket, no clock.
//!
//! Invariant: a [`Permit`] exists only where this module made it, from a live key whose roles the operation names.
//! It does not know how keys travel (gRPC, REST) nor where members are stored.

mod access;
mod admission;
mod api_key;
mod assessment;
pub mod attention;
mod band;
pub mod flood;
mod incidents;
mod ladder;
mod match_receipt;
mod peer;
mod places;
mod quota;
mod refusals;
mod register;
pub mod retention;
mod roster;
mod rules;
mod ruling;
mod sample;
mod shares;
mod shelter;
mod sight;
mod statistics;
mod throttle;
pub mod trust;
mod walk;

pub use access::{Authority, Operation, Permit, Principal, Refused, operation};
pub use admission::{Admission, admit, check_validity};
pub use api_key::{ApiKey, ApiKeyError, MacSecret};
pub use assessment::{Grounds, assess, expiry_passed, gone, is_corroborated, is_matchable, weigh};
pub use band::{Band, RadiusRefused, band_radii, check_radius};
pub use incidents::{Corroborated, IncidentError, change_incident, corroborated, is_standing};
pub use ladder::{LadderError, approvals_needed, approve, checklist_needed, set_down};
pub use match_receipt::{MatchReceipt, MatchReceiptError};
pub use peer::{Peer, holder};
pub use places::{Full, Held, Places};
pub use quota::{Allowance, Exhausted, Limits, Meter, OpenStream, QuotaTable, Quotas};
pub use refusals::{Attempt, Counted, Refusals};
pub use register::{Delisted, Register};
pub use roster::{AuthError, Lapsed, Roster};
pub use rules::{FloodRules, POLICY_BYTES_MAX, Rules};
pub use ruling::{RulingError, proposal_stands, rule};
pub use sample::Matching;
pub use sight::{Aspect, Contributors, Entries, Events, Feedback, Nearness, Proposals, Sight};
pub use statistics::{Figure, Gathered, Period, Statistics, Tallying, Value};
pub use throttle::{Throttle, Throttled};
pub use walk::{Asker, Observed, Verdict, WalkLimits, WalkSecret, Walks, is_at_a_bands_end};
