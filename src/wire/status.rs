//! Errors as gRPC statuses: the one place where that is decided.
//!
//! A caller's mistake is told with its path; a full queue says when to come back; an internal failure says nothing of the inside
//! to the caller and everything to the log.

use std::fmt::Display;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::domain::FieldError;
use crate::hub::{
    BenignError, CheckError, CheckMediaError, ContributeError, Denied, FeedbackError, FollowError, GovernError,
    IncidentsError, MemberError, ProveError, ReadError, Refusal, ReviewError, SequenceError, StatisticsError,
    SurveyError, TraceError, WithdrawError,
};
use crate::policy::retention::HoldError;
use crate::policy::{AuthError, Exhausted, IncidentError, Lapsed, Refused, RulingError, Throttled};
use crate::worker::SubmitError;

/// When to come back after "busy".
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// An error that a caller is told of.
pub trait IntoStatus {
    /// The status that says so. Logs what the caller is not told.
    fn into_status(self) -> Status;
}

/// A bad field: INVALID_ARGUMENT, path first.
pub fn field_status(error: &FieldError) -> Status {
    bad_field(Code::InvalidArgument, error)
}

fn bad_field(code: Code, error: &FieldError) -> Status {
    let details = ErrorDetails::with_bad_request_violation(&error.path, &error.problem);
    Status::with_error_details(code, error.to_string(), details)
}

/// RESOURCE_EXHAUSTED that passes in a moment.
pub fn busy(error: &impl Display) -> Status {
    later(error, RETRY_AFTER)
}

/// RESOURCE_EXHAUSTED with the time after which to come again: as `google.rpc.RetryInfo`, and in seconds, rounded up, as
/// `retry-after` for whoever does not read details.
fn later(error: &impl Display, after: Duration) -> Status {
    let details = ErrorDetails::with_retry_info(Some(after));
    let mut status = Status::with_error_details(Code::ResourceExhausted, error.to_string(), details);
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    status.metadata_mut().insert("retry-after", seconds.max(1).into());
    status
}

/// The time after which to come again, if the status says one.
pub fn retry_after(status: &Status) -> Option<prost_types::Duration> {
    let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
    delay.and_then(|delay| delay.try_into().ok())
}

fn internal(error: &impl Display) -> Status {
    tracing::error!(%error, "a request failed inside the hub");
    Status::internal("the hub failed; its operator finds the reason in the log")
}

impl IntoStatus for FieldError {
    fn into_status(self) -> Status {
        field_status(&self)
    }
}

impl IntoStatus for Exhausted {
    fn into_status(self) -> Status {
        match self.retry_after {
            Some(after) => later(&self, after),
            // When one of its streams ends, it itself knows best.
            None => Status::resource_exhausted(self.to_string()),
        }
    }
}

impl IntoStatus for Throttled {
    fn into_status(self) -> Status {
        later(&self, self.retry_after)
    }
}

impl IntoStatus for Denied {
    fn into_status(self) -> Status {
        match self {
            Self::Key(error) => error.into_status(),
            Self::Throttled(throttled) => throttled.into_status(),
        }
    }
}

impl IntoStatus for AuthError {
    fn into_status(self) -> Status {
        Status::unauthenticated(self.to_string())
    }
}

impl IntoStatus for Refused {
    fn into_status(self) -> Status {
        Status::permission_denied(self.to_string())
    }
}

impl IntoStatus for Lapsed {
    fn into_status(self) -> Status {
        match self {
            Self::Key(error) => error.into_status(),
            Self::Role(refused) => refused.into_status(),
        }
    }
}

impl IntoStatus for Refusal {
    fn into_status(self) -> Status {
        match self {
            Self::NotPermitted(lapsed) => lapsed.into_status(),
            Self::RequestReused | Self::RequestErased(_) | Self::NameTaken => Status::already_exists(self.to_string()),
            Self::NoSuchEntry(_)
            | Self::NoSuchMember(_)
            | Self::NoSuchKey(_)
            | Self::NoSuchBenign(_)
            | Self::NoSuchSample(_)
            | Self::Hold(HoldError::NoSuch(_))
            | Self::Incident(IncidentError::NoSuch(_)) => Status::not_found(self.to_string()),
            Self::Ruling(RulingError::OwnEntry) => Status::permission_denied(self.to_string()),
            Self::Ruling(RulingError::Field(error))
            | Self::Incident(IncidentError::Field(error))
            | Self::Hold(HoldError::Field(error)) => error.into_status(),
            Self::AlreadyRevoked(_)
            | Self::ReportedEnough(_)
            | Self::NoLongerMatches(_)
            | Self::NotLive(_)
            | Self::OfCertificate(_)
            | Self::NoWalk(_)
            | Self::LastAdminKey(_)
            | Self::LastAdmin(_)
            | Self::OtherRules
            | Self::Erased { .. }
            | Self::Hold(_)
            | Self::Ruling(_)
            | Self::Incident(_)
            | Self::Ladder(_) => Status::failed_precondition(self.to_string()),
            Self::Field(error) => error.into_status(),
            Self::Read(error) => internal(&error),
        }
    }
}

impl IntoStatus for SequenceError {
    fn into_status(self) -> Status {
        match self {
            Self::QueueFull => busy(&self),
            Self::Stopped => Status::unavailable(self.to_string()),
            Self::Refused(refusal) => refusal.into_status(),
        }
    }
}

impl IntoStatus for SurveyError {
    fn into_status(self) -> Status {
        match self {
            Self::Busy => busy(&self),
            Self::Stopped => Status::unavailable(self.to_string()),
        }
    }
}

impl IntoStatus for GovernError {
    fn into_status(self) -> Status {
        match self {
            Self::Field(error) => error.into_status(),
            Self::Survey(error) => error.into_status(),
            Self::Read(error) => internal(&error),
            Self::Sequence(error) => error.into_status(),
        }
    }
}

impl IntoStatus for StatisticsError {
    fn into_status(self) -> Status {
        match self {
            Self::Field(error) => error.into_status(),
            Self::Survey(error) => error.into_status(),
            Self::Read(error) => internal(&error),
            Self::Load(error) => internal(&error),
            Self::Sequence(error) => error.into_status(),
        }
    }
}

impl IntoStatus for CheckError {
    fn into_status(self) -> Status {
        match self {
            Self::Field(error) => error.into_status(),
            Self::Blocked(_) => Status::permission_denied(self.to_string()),
            Self::Quota(exhausted) => exhausted.into_status(),
            Self::Read(_) | Self::Search(_) => internal(&self),
        }
    }
}

impl IntoStatus for CheckMediaError {
    fn into_status(self) -> Status {
        match self {
            Self::Quota(exhausted) => exhausted.into_status(),
            Self::TooLong { .. } => Status::out_of_range(self.to_string()),
            Self::NoDecoder => Status::failed_precondition(self.to_string()),
            Self::Field(error) => error.into_status(),
            Self::Busy | Self::BusyForOne | Self::Submit(SubmitError::Busy) => busy(&self),
            Self::Submit(SubmitError::Unavailable | SubmitError::Stopped) => Status::unavailable(self.to_string()),
            // A file that ends its decoder is a file that is not as it must be; one whose decoder somebody else ended is not.
            Self::Decoder(error) if error.is_the_files() => FieldError::new("media", error).into_status(),
            Self::Decoder(_) => Status::unavailable(self.to_string()),
            Self::Check(error) => error.into_status(),
        }
    }
}

impl IntoStatus for ContributeError {
    fn into_status(self) -> Status {
        match self {
            Self::Field(error) => error.into_status(),
            Self::Quota(exhausted) => exhausted.into_status(),
            Self::Sequence(error) => error.into_status(),
            Self::Prove(error) => error.into_status(),
            Self::Read(error) => internal(&error),
        }
    }
}

impl IntoStatus for WithdrawError {
    fn into_status(self) -> Status {
        match self {
            Self::Sequence(error) => error.into_status(),
            Self::Prove(error) => error.into_status(),
            Self::Entropy(error) => internal(&error),
        }
    }
}

impl IntoStatus for FeedbackError {
    fn into_status(self) -> Status {
        match self {
            Self::NoSuchMember(_) => Status::not_found(self.to_string()),
            Self::Field(error) => error.into_status(),
            Self::Quota(exhausted) => exhausted.into_status(),
            Self::Sequence(error) => error.into_status(),
            Self::Read(error) => internal(&error),
        }
    }
}

impl IntoStatus for ReviewError {
    fn into_status(self) -> Status {
        match self {
            Self::Sequence(error) => error.into_status(),
            Self::Read(error) => internal(&error),
        }
    }
}

impl IntoStatus for BenignError {
    fn into_status(self) -> Status {
        match self {
            Self::Field(error) => error.into_status(),
            Self::Sequence(error) => error.into_status(),
            Self::Read(error) => internal(&error),
        }
    }
}

impl IntoStatus for TraceError {
    fn into_status(self) -> Status {
        match self {
            Self::NoSuchEntry(_) | Self::Erased { .. } => Status::not_found(self.to_string()),
            Self::Field(error) => error.into_status(),
            Self::Read(error) => internal(&error),
            Self::Prove(error) => error.into_status(),
        }
    }
}

impl IntoStatus for ProveError {
    fn into_status(self) -> Status {
        match self {
            Self::Field(error) => bad_field(Code::OutOfRange, &error),
            Self::Tree(_) | Self::Store(_) | Self::Limit(_) => internal(&self),
        }
    }
}

impl IntoStatus for FollowError {
    fn into_status(self) -> Status {
        match self {
            Self::Field(error) => bad_field(Code::OutOfRange, &error),
            Self::Lapsed(lapsed) => lapsed.into_status(),
            Self::Read(error) => internal(&error),
        }
    }
}

impl IntoStatus for IncidentsError {
    fn into_status(self) -> Status {
        match self {
            Self::Sequence(error) => error.into_status(),
            Self::Read(error) => internal(&error),
            Self::Incident(error) => Refusal::from(error).into_status(),
        }
    }
}

impl IntoStatus for ReadError {
    fn into_status(self) -> Status {
        internal(&self)
    }
}

impl IntoStatus for MemberError {
    fn into_status(self) -> Status {
        match self {
            Self::Field(error) => error.into_status(),
            Self::Sequence(error) => error.into_status(),
            Self::Read(error) => internal(&error),
            Self::Entropy(error) => internal(&error),
        }
    }
}
