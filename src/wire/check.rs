//! Checks: queries in, matches out.

use super::codes::Coded;
use super::entry::{assessment, summary};
use super::incident::drill_code;
use super::signal::{signal_from_wire, signal_to_wire};
use super::{required, v1};
use crate::domain::{FieldError, check_count};
use crate::hub::{self, CheckQuery, MediaOptions, QUERIES_MAX, Query};
use crate::media::Turns;

/// The longest tag, in bytes.
pub const TAG_BYTES_MAX: usize = 64;

/// Reads a check.
///
/// # Errors
/// The first field that is not as it must be, as in `queries[2].signal.value`.
pub fn check_query(request: &v1::CheckRequest) -> Result<CheckQuery, FieldError> {
    check_count("queries", request.queries.len(), QUERIES_MAX)?;
    if request.tag.len() > TAG_BYTES_MAX {
        return Err(FieldError::new(
            "tag",
            format_args!("must be at most {TAG_BYTES_MAX} bytes, got {}", request.tag.len()),
        ));
    }
    let queries = request.queries.iter().enumerate().map(|(at, wire)| {
        let signal = required(wire.signal.as_ref(), "signal")
            .and_then(|signal| signal_from_wire(signal).map_err(|error| error.within("signal")));
        let query = signal.and_then(|signal| Query::new(signal, wire.radius));
        query.map_err(|error| error.within(format_args!("queries[{at}]")))
    });
    let check = CheckQuery::new(queries.collect::<Result<_, _>>()?, request.limit)?;
    Ok(check.in_drill(drill_code(&request.drill)?))
}

/// Writes what a check found.
pub fn check_answer(tag: String, answer: &hub::CheckAnswer) -> v1::CheckResponse {
    let results = answer.outcomes.iter().map(|outcome| match outcome {
        hub::Outcome::NoMatch => v1::QueryResult { outcome: v1::Outcome::NoMatch.into(), total: 0 },
        hub::Outcome::Match { total } => v1::QueryResult { outcome: v1::Outcome::Match.into(), total: *total },
        hub::Outcome::TooFeatureless => v1::QueryResult { outcome: v1::Outcome::TooFeatureless.into(), total: 0 },
    });
    let matches = answer.matches.iter().map(|found| v1::Match {
        entry: Some(summary(&found.view)),
        evidence: found.evidence.iter().map(evidence).collect(),
        assessment: Some(assessment(&found.view.assessment)),
        receipt: found.receipt.to_string(),
    });
    let drill = answer.drill.as_ref().map(ToString::to_string).unwrap_or_default();
    v1::CheckResponse { tag, results: results.collect(), matches: matches.collect(), more: answer.more, drill }
}

/// Writes one piece of evidence.
pub fn evidence(evidence: &hub::Evidence) -> v1::Evidence {
    v1::Evidence {
        signal: evidence.query as u32,
        kind: evidence.kind.to_wire(),
        distance: evidence.distance.map(|distance| u32::from(distance.bits())),
        band: evidence.band.map_or(0, Coded::to_wire),
    }
}

/// Reads how to check a picture.
pub fn media_options(options: &v1::check_media_request::Options) -> MediaOptions {
    MediaOptions { limit: options.limit, turns: if options.dihedral { Turns::All } else { Turns::Shown } }
}

/// Writes a picture's hashes and what they found.
pub fn check_media_answer(answer: &hub::CheckMediaAnswer) -> v1::CheckMediaResponse {
    let fingerprint = &answer.fingerprint;
    v1::CheckMediaResponse {
        format: fingerprint.format.code().to_owned(),
        width: fingerprint.width,
        height: fingerprint.height,
        signals: answer.signals.iter().map(|turned| signal_to_wire(&turned.signal)).collect(),
        orientations: answer.signals.iter().map(|turned| turned.orientation.to_wire()).collect(),
        quality: u32::from(fingerprint.quality().percent()),
        check: Some(check_answer(String::new(), &answer.check)),
    }
}
