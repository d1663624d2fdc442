//! What auditors can get wrong about statistics and samples.

use hashcommons::wire::v1;
use tonic::Code;

use super::{Row, bad};

pub fn rows() -> Vec<Row> {
    let report = |from: &str, to: &str| v1::GetReportRequest { from: from.to_owned(), to: to.to_owned() };
    let draw = |count, bytes| v1::DrawSampleRequest { count, nonce: vec![1; bytes] };
    let judge = |verdict: &str| v1::JudgeSampleRequest { sample_id: 0, entry_id: 0, verdict: verdict.to_owned() };
    vec![
        bad(report("", "2026-01-01"), "from: must be a date as in 2026-11-22"),
        bad(report("2026-01-01", "2026-1-2"), "to: must be a date as in 2026-11-22"),
        bad(report("2026-01-02", "2026-01-01"), "to: must not be before 2026-01-02, got 2026-01-01"),
        bad(draw(0, 32), "count: must be 1 to 500, got 0"),
        bad(draw(501, 32), "count: must be 1 to 500, got 501"),
        bad(draw(1, 31), "nonce: must be 32 bytes, got 31"),
        bad(judge("wrong"), "verdict: unknown verdict `wrong`: must be one of correct, error, undecidable"),
        // The first leaf is there, and no sample.
        (judge("error").into(), Code::NotFound, "sample 0: no such sample".to_owned()),
    ]
}
