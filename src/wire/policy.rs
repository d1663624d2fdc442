//! The rules of standing.

use super::codes::Coded;
use super::v1;
use crate::hub::Preview;

/// Writes what other rules would change.
pub fn preview(preview: &Preview) -> v1::PreviewPolicyResponse {
    let shifts = preview.shifts.iter().map(|(shift, shifted)| v1::preview_policy_response::Shift {
        standing_before: shift.before.0.to_wire(),
        action_before: shift.before.1.to_wire(),
        standing_after: shift.after.0.to_wire(),
        action_after: shift.after.1.to_wire(),
        entries: shifted.entries,
        examples: shifted.examples.iter().map(|entry| entry.0).collect(),
    });
    v1::PreviewPolicyResponse {
        entries: preview.entries,
        shifts: shifts.collect(),
        event: preview.event,
        due_before: preview.due.0,
        due_after: preview.due.1,
    }
}
