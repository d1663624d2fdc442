//! What auditors ask for and get.

use super::codes::Coded;
use super::{member_event, optional, timestamp_from_wire, v1};
use crate::domain::{At, Date, EventKind, FieldError, MemberId, ReadKey, RefusalReason, UnknownCode};
use crate::hub::{AUDIT_PAGE_DEFAULT, AUDIT_PAGE_MAX, AuditPage, AuditQuery, AuditResult};

/// The most kinds in one request.
const KINDS_MAX: usize = 16;
const DONE: &str = "done";
const REFUSED: &str = "refused";

/// Reads which events are wanted, and at most how many.
///
/// # Errors
/// The field that is not as it must be.
pub fn audit_query(request: &v1::ListAuditRequest) -> Result<(AuditQuery, usize), FieldError> {
    if request.kinds.len() > KINDS_MAX {
        return Err(FieldError::new("kinds", format_args!("must be at most {KINDS_MAX}, got {}", request.kinds.len())));
    }
    let kinds = request.kinds.iter().enumerate();
    let kinds = kinds.map(|(at, kind)| kind.parse::<EventKind>().at(format!("kinds[{at}]")));
    let time = |time: &Option<_>, path| time.as_ref().map(|time| timestamp_from_wire(time, path)).transpose();
    let query = AuditQuery {
        by_member: optional(&request.by_member_id, "by_member_id")?,
        by_key: optional(&request.by_key_id, "by_key_id")?,
        member: optional(&request.member_id, "member_id")?,
        key: optional(&request.key_id, "key_id")?,
        kinds: kinds.collect::<Result<_, _>>()?,
        result: result(&request.result).at("result")?,
        since: time(&request.since, "since")?,
        until: time(&request.until, "until")?,
        request: optional(&request.request_id, "request_id")?,
        oldest_first: request.ascending,
    };
    let size = match request.page_size as usize {
        0 => AUDIT_PAGE_DEFAULT,
        size if size <= AUDIT_PAGE_MAX => size,
        size => return Err(FieldError::new("page_size", format_args!("must be at most {AUDIT_PAGE_MAX}, got {size}"))),
    };
    Ok((query, size))
}

/// Writes a page.
pub fn audit_page(page: &AuditPage) -> v1::ListAuditResponse {
    v1::ListAuditResponse { events: page.events.iter().map(member_event).collect(), next: page.next }
}

/// Reads whose counts are wanted, and from which day on.
///
/// # Errors
/// The field that is not as it must be.
pub fn reads_query(request: &v1::ListReadsRequest) -> Result<(Option<MemberId>, Option<Date>), FieldError> {
    Ok((optional(&request.member_id, "member_id")?, optional(&request.since, "since")?))
}

/// Writes a count.
pub fn reads((key, count): &(ReadKey, u64)) -> v1::Reads {
    let (day, member_id) = (key.day.to_string(), key.member.to_string());
    v1::Reads { day, member_id, kind: key.kind.to_wire(), count: *count }
}

fn result(text: &str) -> Result<Option<AuditResult>, UnknownCode> {
    Ok(match text {
        "" => None,
        DONE => Some(AuditResult::Done),
        REFUSED => Some(AuditResult::Refused(None)),
        reason => match reason.parse() {
            Ok(reason) => Some(AuditResult::Refused(Some(reason))),
            Err(_) => {
                let reasons = RefusalReason::ALL.iter().map(|reason| reason.code());
                return Err(UnknownCode::new("result", text, [DONE, REFUSED].into_iter().chain(reasons)));
            }
        },
    })
}
