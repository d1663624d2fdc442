//! What a request is told by: the caller's own `x-request-id`, or one that the hub makes. It is in the answer's metadata, in every
//! line that is logged for the request, and in the events of the ledger that come of it.

use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::Status;

use crate::domain::{CallId, Entropy};

/// The header of request and answer.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The caller's own id, if it has sent one.
///
/// # Errors
/// INVALID_ARGUMENT if it is not as it must be.
pub(super) fn sent(headers: &HeaderMap) -> Result<Option<CallId>, Status> {
    let mut values = headers.get_all(HEADER).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return Err(Status::invalid_argument("x-request-id: must be sent once at most")),
    };
    value.parse().map(Some).map_err(|error| Status::invalid_argument(format!("x-request-id: {error}")))
}

/// One that the hub makes.
///
/// # Errors
/// INTERNAL if there is no randomness.
pub(super) fn made(entropy: &dyn Entropy) -> Result<CallId, Status> {
    CallId::random(entropy).map_err(|error| {
        tracing::error!(%error, "a request has no id");
        Status::internal("the hub failed; its operator finds the reason in the log")
    })
}

/// Puts the id into an answer's metadata.
pub(super) fn answer(headers: &mut HeaderMap, id: &CallId) {
    // Visible ASCII is always a header's value.
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HEADER, value);
    }
}
