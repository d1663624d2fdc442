//! Reports, appeals, reversals, trust.

use super::codes::Coded;
use super::{optional, timestamp, v1};
use crate::domain::{At, Code, EntryId, FieldError, MemberId, SignalKind, check_count};
use crate::hub::{
    AppealPage, AppealView, FEEDBACK_PAGE_DEFAULT, FEEDBACK_PAGE_MAX, Finding, Reversal, ReversalPage, Subject,
    TrustView,
};

/// The most labels that a report may name.
const LABELS_MAX: usize = crate::domain::Draft::LABELS_MAX;

/// Reads a report: what it is about, and what it says.
///
/// # Errors
/// The field that is not as it must be.
pub fn report_from_wire(request: &v1::ReportOutcomeRequest) -> Result<(Subject, Finding), FieldError> {
    let subject = match (request.receipt.as_str(), request.entry_id) {
        ("", None) => return Err(FieldError::new("receipt", "is required")),
        ("", Some(entry)) => Subject::Entry(EntryId(entry)),
        (receipt, None) => Subject::Match(receipt.to_owned()),
        _ => return Err(FieldError::new("entry_id", "is given beside a receipt: give one of the two")),
    };
    if !request.labels.is_empty() {
        check_count("labels", request.labels.len(), LABELS_MAX)?;
    }
    let labels = request.labels.iter().enumerate();
    let mut labels =
        labels.map(|(at, label)| label.parse::<Code>().at(format!("labels[{at}]"))).collect::<Result<Vec<_>, _>>()?;
    labels.sort_unstable();
    if let Some(pair) = labels.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(FieldError::new("labels", format_args!("`{}` is given twice", pair[0])));
    }
    let kind = if request.kind == 0 { None } else { Some(SignalKind::from_wire(request.kind, "kind")?) };
    let finding = Finding {
        outcome: request.outcome.parse().at("outcome")?,
        labels,
        kind,
        reason: request.reason.parse().at("reason")?,
        note: optional(&request.note, "note")?,
    };
    Ok((subject, finding))
}

/// Reads how many are wanted at most.
///
/// # Errors
/// More than there may be.
pub fn feedback_page_size(page_size: u32) -> Result<usize, FieldError> {
    match page_size as usize {
        0 => Ok(FEEDBACK_PAGE_DEFAULT),
        size if size <= FEEDBACK_PAGE_MAX => Ok(size),
        size => Err(FieldError::new("page_size", format_args!("must be at most {FEEDBACK_PAGE_MAX}, got {size}"))),
    }
}

/// Writes an appeal.
pub fn appeal(view: &AppealView) -> v1::Appeal {
    let appeal = &view.appeal;
    v1::Appeal {
        appeal_id: appeal.id,
        entry_id: appeal.entry.0,
        member_id: appeal.by.to_string(),
        ground: appeal.ground.to_string(),
        note: view.note.as_ref().map(ToString::to_string).unwrap_or_default(),
        opened: Some(timestamp(appeal.opened)),
        deadline: Some(timestamp(appeal.deadline)),
        state: appeal.state.to_string(),
        is_overdue: view.is_overdue,
        ended_by: appeal.decided,
    }
}

/// Writes some appeals.
pub fn appeals(page: &AppealPage) -> v1::ListAppealsResponse {
    v1::ListAppealsResponse { appeals: page.appeals.iter().map(appeal).collect(), next: page.next }
}

/// Writes some reversals.
pub fn reversals(page: &ReversalPage) -> v1::ListReversalsResponse {
    let reversal = |reversal: &Reversal| v1::Reversal {
        event: reversal.event,
        entry_id: reversal.entry.0,
        at: Some(timestamp(reversal.at)),
        ruling: reversal.ruling.clone(),
        reason: reversal.reason.clone(),
        labels: reversal.labels.iter().map(ToString::to_string).collect(),
        matches: reversal.met.matches,
        first: Some(timestamp(reversal.met.first)),
        last: Some(timestamp(reversal.met.last)),
    };
    let reversals = page.reversals.iter().map(reversal).collect();
    v1::ListReversalsResponse { reversals, next: page.next, more: page.more }
}

/// Reads whose trust is wanted: the caller's own if nobody's is named.
///
/// # Errors
/// It is no member's id.
pub fn trust_query(request: &v1::GetTrustRequest) -> Result<Option<MemberId>, FieldError> {
    optional(&request.member_id, "member_id")
}

/// Writes how far a member is believed.
pub fn trust(view: &TrustView) -> v1::GetTrustResponse {
    let trust = &view.trust;
    v1::GetTrustResponse {
        member_id: view.member.to_string(),
        percent: view.percent.into(),
        review_below_percent: view.review_below_percent.into(),
        good_milli: trust.good_milli,
        bad_milli: trust.bad_milli,
        confirmed: trust.confirmed,
        objected: trust.objected,
        upheld: trust.upheld,
        reversed: trust.reversed,
        near_benign: trust.near_benign,
        half_life_days: crate::policy::trust::HALF_LIFE_DAYS,
        words: view.words.clone(),
    }
}
