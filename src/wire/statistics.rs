//! Statistics, and samples that auditors judge.

use super::codes::Coded;
use super::signal::signal_to_wire;
use super::{timestamp, v1};
use crate::domain::{At, EntryId, FieldError, SampleVerdict};
use crate::hub::Drawn;
use crate::policy::{Period, Statistics, Value};

/// Reads which days a report is to be of.
///
/// # Errors
/// The field that is not as it must be.
pub fn period(request: &v1::GetReportRequest) -> Result<Period, FieldError> {
    Period::new(request.from.parse().at("from")?, request.to.parse().at("to")?)
}

/// Writes a report.
pub fn statistics(statistics: &Statistics) -> v1::StatisticsReport {
    use v1::figure::{Dimension, Value as Wire};
    let figures = statistics.figures.iter().map(|figure| v1::Figure {
        name: figure.name.to_owned(),
        by: figure.by.iter().map(|(name, code)| Dimension { name: (*name).to_owned(), code: code.clone() }).collect(),
        value: match figure.value {
            Value::Count(count) => Some(Wire::Count(count)),
            Value::Few => Some(Wire::Suppressed(v1::Suppressed::Few.into())),
            Value::Hidden => Some(Wire::Suppressed(v1::Suppressed::Complement.into())),
            Value::BasisPoints(points) => Some(Wire::BasisPoints(points)),
            Value::Seconds(seconds) => Some(Wire::Seconds(seconds)),
            Value::Nothing => None,
        },
    });
    v1::StatisticsReport {
        from: statistics.period.first.to_string(),
        to: statistics.period.last.to_string(),
        tree_size: statistics.size,
        at: Some(timestamp(statistics.at)),
        figures: figures.collect(),
    }
}

/// Reads by what to draw, and how many.
///
/// # Errors
/// The field that is not as it must be.
pub fn draw_request(request: &v1::DrawSampleRequest) -> Result<([u8; 32], usize), FieldError> {
    let nonce = request.nonce.as_slice().try_into();
    let problem = |_| FieldError::new("nonce", format_args!("must be 32 bytes, got {}", request.nonce.len()));
    Ok((nonce.map_err(problem)?, request.count as usize))
}

/// Writes a sample.
pub fn drawn(drawn: &Drawn) -> v1::DrawSampleResponse {
    let items = drawn.items.iter().map(|item| v1::draw_sample_response::Item {
        entry_id: item.entry.0,
        signals: item.signals.iter().map(signal_to_wire).collect(),
        labels: item.labels.iter().map(ToString::to_string).collect(),
        contexts: item.contexts.iter().map(|context| context.to_wire()).collect(),
        content_types: item.content_types.iter().map(ToString::to_string).collect(),
    });
    v1::DrawSampleResponse { sample_id: drawn.id, tree_size: drawn.size, items: items.collect() }
}

/// Reads a judgement: of which sample, of which entry, and what.
///
/// # Errors
/// The field that is not as it must be.
pub fn judgement(request: &v1::JudgeSampleRequest) -> Result<(u64, EntryId, SampleVerdict), FieldError> {
    Ok((request.sample_id, EntryId(request.entry_id), request.verdict.parse().at("verdict")?))
}
