//! What statistics rest on, as it is written down.

use super::{array, parse, time, v1};
use crate::domain::{EntryId, FieldError, Sample, Tally, TallyCell, Timestamp};

pub(super) fn tally_to_record(tally: &Tally) -> v1::MatchesTallied {
    let cells = tally.cells.iter().map(|cell| v1::matches_tallied::Cell {
        label: cell.label.to_string(),
        kind: cell.kind.to_string(),
        action: cell.action.to_string(),
        matches: cell.matches,
    });
    let [since_ms, until_ms] = [tally.since, tally.until].map(Timestamp::millis);
    v1::MatchesTallied { since_ms, until_ms, cells: cells.collect() }
}

pub(super) fn tally_from_record(record: &v1::MatchesTallied) -> Result<Tally, FieldError> {
    let cell = |cell: &v1::matches_tallied::Cell| {
        Ok(TallyCell {
            label: parse(&cell.label, "cells.label")?,
            kind: parse(&cell.kind, "cells.kind")?,
            action: parse(&cell.action, "cells.action")?,
            matches: cell.matches,
        })
    };
    Ok(Tally {
        since: time(record.since_ms, "since_ms")?,
        until: time(record.until_ms, "until_ms")?,
        cells: record.cells.iter().map(cell).collect::<Result<_, FieldError>>()?,
    })
}

pub(super) fn sample_to_record(sample: &Sample) -> v1::SampleDrawn {
    let entries = sample.entries.iter().map(|entry| entry.0).collect();
    v1::SampleDrawn { size: sample.size, nonce: sample.nonce.to_vec(), entries }
}

pub(super) fn sample_from_record(record: &v1::SampleDrawn) -> Result<Sample, FieldError> {
    let entries = record.entries.iter().copied().map(EntryId).collect();
    Ok(Sample { size: record.size, nonce: array(&record.nonce, "nonce")?, entries })
}
