//! Entries, assessments, traces, receipts.

use super::check::evidence;
use super::codes::Coded;
use super::draft::provenance_to_wire;
use super::signal::signal_to_wire;
use super::taxonomy::label;
use super::{timestamp, v1};
use crate::domain::Assessment;
use crate::hub;
use crate::ledger::Receipt;

/// An entry without its hashes.
pub(super) fn summary(view: &hub::EntryView) -> v1::EntrySummary {
    let entry = &view.entry;
    let identity = view.contributor.identity.as_ref();
    v1::EntrySummary {
        entry_id: entry.id.0,
        contributor: Some(v1::Contributor {
            pseudonym: view.contributor.pseudonym.to_string(),
            is_caller: view.contributor.is_caller,
            name: identity.map(|(name, _)| name.to_string()),
            jurisdiction: identity.map(|(_, jurisdiction)| jurisdiction.to_string()),
            mark: view.contributor.mark.map(|status| status.to_string()).unwrap_or_default(),
        }),
        contributed: Some(timestamp(entry.contributed)),
        taxonomy_version: entry.taxonomy,
        labels: entry.draft.labels().iter().map(ToString::to_string).collect(),
        provenance: Some(provenance_to_wire(entry.draft.provenance())),
        signal_kinds: entry.draft.signals().iter().map(|signal| signal.kind().to_wire()).collect(),
    }
}

/// Standing, the strongest action, and every rule behind them.
pub fn assessment(assessment: &Assessment) -> v1::Assessment {
    let reasons = assessment.reasons.iter().map(|reason| v1::assessment::Reason {
        rule: reason.rule.to_owned(),
        words: reason.words.clone(),
        ceiling: reason.ceiling.map_or(0, Coded::to_wire),
        events: reason.events.clone(),
    });
    v1::Assessment {
        standing: assessment.standing.to_wire(),
        action: assessment.action.to_wire(),
        labels: assessment.labels.iter().map(ToString::to_string).collect(),
        reasons: reasons.collect(),
    }
}

/// A receipt and the index it is for.
pub fn receipt(receipt: &Receipt) -> v1::Receipt {
    v1::Receipt { index: receipt.index(), tlog_proof: receipt.to_string() }
}

/// Everything about one entry.
pub fn traced(traced: &hub::Traced) -> v1::TraceResponse {
    let history = traced.history.iter().map(|step| v1::trace_response::Step {
        index: step.index,
        at: Some(timestamp(step.at)),
        kind: step.kind.to_string(),
        actor: step.actor.map(|actor| actor.to_string()).unwrap_or_default(),
        reason: step.reason.clone().unwrap_or_default(),
        note: step.note.as_ref().map(ToString::to_string).unwrap_or_default(),
    });
    v1::TraceResponse {
        entry: Some(summary(&traced.view)),
        signals: traced.view.entry.draft.signals().iter().map(signal_to_wire).collect(),
        evidence: traced.evidence.iter().map(evidence).collect(),
        assessment: Some(assessment(&traced.view.assessment)),
        labels: traced.labels.iter().map(label).collect(),
        history: history.collect(),
        receipt: Some(receipt(&traced.receipt)),
    }
}
