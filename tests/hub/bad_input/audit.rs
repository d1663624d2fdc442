//! What auditors can get wrong.

use hashcommons::wire::v1;
use prost_types::Timestamp;

use super::{Row, bad};

pub fn rows() -> Vec<Row> {
    let audit = v1::ListAuditRequest::default;
    let (nobody, no_key) = ("must be `m-` and 8 characters", "must be `k-` and 8 characters");
    let text = || "x".to_owned();
    let at = Some(Timestamp { seconds: -1, nanos: 0 });
    vec![
        bad(v1::ListAuditRequest { by_member_id: text(), ..audit() }, &format!("by_member_id: {nobody}")),
        bad(v1::ListAuditRequest { by_key_id: text(), ..audit() }, &format!("by_key_id: {no_key}")),
        bad(v1::ListAuditRequest { member_id: text(), ..audit() }, &format!("member_id: {nobody}")),
        bad(v1::ListAuditRequest { key_id: text(), ..audit() }, &format!("key_id: {no_key}")),
        bad(
            v1::ListAuditRequest { kinds: vec!["key-issued".to_owned(), text()], ..audit() },
            "kinds[1]: unknown event kind `x`: must be one of contributed, ",
        ),
        bad(v1::ListAuditRequest { kinds: vec![text(); 17], ..audit() }, "kinds: must be at most 16, got 17"),
        bad(
            v1::ListAuditRequest { result: text(), ..audit() },
            "result: unknown result `x`: must be one of done, refused, no-role, ",
        ),
        bad(v1::ListAuditRequest { since: at, ..audit() }, "since: must be a UTC time"),
        bad(v1::ListAuditRequest { until: at, ..audit() }, "until: must be a UTC time"),
        bad(
            v1::ListAuditRequest { request_id: "a b".to_owned(), ..audit() },
            "request_id: must be 1 to 64 characters of visible ASCII",
        ),
        bad(v1::ListAuditRequest { page_size: 1_001, ..audit() }, "page_size: must be at most 1000, got 1001"),
        bad(v1::ListReadsRequest { member_id: text(), ..Default::default() }, &format!("member_id: {nobody}")),
        bad(v1::ListReadsRequest { since: text(), ..Default::default() }, "since: must be a date as in 2026-11-22"),
    ]
}
