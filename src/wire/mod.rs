//! The API's generated types, and their conversion from and to the domain: the only module that does either, and the only one
//! that turns errors into gRPC statuses.
//!
//! Reading is strict: a field that is not as it must be is a [`FieldError`](crate::domain::FieldError) with its path. What it
//! does not know: transports, keys, tasks.

mod audit;
mod check;
mod codes;
mod draft;
mod entry;
mod feed;
mod feedback;
mod incident;
mod member;
mod policy;
mod retention;
mod review;
mod signal;
mod statistics;
mod status;
mod taxonomy;

pub use audit::{audit_page, audit_query, reads, reads_query};
pub use check::{TAG_BYTES_MAX, check_answer, check_media_answer, check_query, evidence, media_options};
pub use codes::Coded;
pub use draft::{draft_from_wire, draft_to_wire, provenance_to_wire};
pub use entry::{assessment, receipt, traced};
pub use feed::{feed_item, opening};
pub use feedback::{appeal, appeals, feedback_page_size, report_from_wire, reversals, trust, trust_query};
pub use incident::{debrief, extend_request, incident, incident_code, open_request};
pub use member::{
    checklist_from_wire, contribution, enrolment, key, key_request, member, member_event, quota_request, roles_to_wire,
};
pub use policy::preview;
pub use retention::{hold, hold_terms};
pub use review::{benign_item, benign_item_to_wire, benign_page, decision, page_size, queue_page, queue_query};
pub use signal::{signal_from_wire, signal_to_wire, signals_from_wire};
pub use statistics::{draw_request, drawn, judgement, period, statistics};
pub use status::{IntoStatus, busy, field_status, retry_after};
pub use taxonomy::taxonomy;

use std::str::FromStr;

use crate::domain::{At, FieldError, Timestamp};

/// The generated types of `proto/hashcommons/v1`, client and server.
#[allow(missing_docs, clippy::doc_markdown, clippy::large_enum_variant)]
pub mod v1 {
    tonic::include_proto!("hashcommons.v1");
}

/// The compiled protobuf files, for server reflection and JSON.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hashcommons_v1.bin"));

/// The path of every method of the protobuf files, by name.
pub const METHODS: &[&str] = include!(concat!(env!("OUT_DIR"), "/hashcommons_v1_methods.rs"));

/// A point in time as the API writes it.
pub fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let millis = time.millis();
    prost_types::Timestamp { seconds: (millis / 1_000) as i64, nanos: (millis % 1_000 * 1_000_000) as i32 }
}

/// Reads a point in time; what is finer than a millisecond is cut off.
///
/// # Errors
/// At `path`, if it is outside the years 1970 to 9999 or not a time at all.
pub fn timestamp_from_wire(time: &prost_types::Timestamp, path: &str) -> Result<Timestamp, FieldError> {
    let millis =
        u64::try_from(time.seconds).ok().zip(u64::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000));
    let millis = millis.and_then(|(seconds, nanos)| seconds.checked_mul(1_000)?.checked_add(nanos / 1_000_000));
    Timestamp::from_millis(millis.unwrap_or(u64::MAX)).at(path)
}

/// Reads what may be left out, as the empty text.
///
/// # Errors
/// At `path`, if it is there and not as it must be.
pub fn optional<T: FromStr<Err: std::fmt::Display>>(text: &str, path: &str) -> Result<Option<T>, FieldError> {
    if text.is_empty() { Ok(None) } else { text.parse().at(path).map(Some) }
}

/// A required message that is missing.
pub(crate) fn required<T>(value: Option<T>, path: &str) -> Result<T, FieldError> {
    value.ok_or_else(|| FieldError::new(path, "is required"))
}
