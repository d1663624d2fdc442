//! What platforms can get wrong in what they report and ask.

use hashcommons::wire::v1;
use tonic::Code;

use super::{Row, Scene, bad};

pub fn rows(scene: &Scene) -> Vec<Row> {
    let receipt = || scene.receipt.clone();
    let report = || v1::ReportOutcomeRequest {
        receipt: receipt(),
        outcome: "confirmed".to_owned(),
        reason: "news".to_owned(),
        ..Default::default()
    };
    let labels = |labels: &[&str]| labels.iter().map(ToString::to_string).collect();
    let appeal = || v1::OpenAppealRequest { receipt: receipt(), ground: "other".to_owned(), ..Default::default() };
    vec![
        bad(v1::ReportOutcomeRequest { receipt: String::new(), ..report() }, "receipt: is required"),
        bad(v1::ReportOutcomeRequest { receipt: "hcm_a".to_owned(), ..report() }, "receipt: is not a match's receipt"),
        bad(v1::ReportOutcomeRequest { entry_id: Some(1), ..report() }, "entry_id: is given beside a receipt"),
        bad(
            v1::ReportOutcomeRequest { receipt: String::new(), entry_id: Some(scene.others), ..report() },
            "entry_id: is for those who may trace all entries",
        ),
        bad(v1::ReportOutcomeRequest { outcome: String::new(), ..report() }, "outcome: "),
        bad(v1::ReportOutcomeRequest { outcome: "bad".to_owned(), ..report() }, "outcome: "),
        bad(v1::ReportOutcomeRequest { reason: "because".to_owned(), ..report() }, "reason: "),
        bad(v1::ReportOutcomeRequest { kind: 99, ..report() }, "kind: must be one of pdq, "),
        bad(v1::ReportOutcomeRequest { labels: labels(&["A b"]), ..report() }, "labels[0]: must be "),
        bad(v1::ReportOutcomeRequest { labels: labels(&["a", "a"]), ..report() }, "labels: `a` is given twice"),
        bad(v1::ReportOutcomeRequest { labels: labels(&["a"; 9]), ..report() }, "labels: must be 1 to 8, got 9"),
        bad(
            v1::ReportOutcomeRequest { labels: labels(&["glorification"]), ..report() },
            "labels[0]: the entry does not have the label `glorification`",
        ),
        bad(
            v1::ReportOutcomeRequest { note: "see www.example".to_owned(), ..report() },
            "note: must not hold an address",
        ),
        bad(v1::ReportOutcomeRequest { note: "x".repeat(281), ..report() }, "note: must be 1 to 280 characters"),
        bad(v1::OpenAppealRequest { receipt: "x".to_owned(), ..appeal() }, "receipt: is not a match's receipt"),
        bad(v1::OpenAppealRequest { ground: "none".to_owned(), ..appeal() }, "ground: "),
        bad(v1::OpenAppealRequest { note: "a@b".to_owned(), ..appeal() }, "note: must not hold an address"),
        bad(
            v1::ListAppealsRequest { page_size: 1_001, ..Default::default() },
            "page_size: must be at most 1000, got 1001",
        ),
        bad(v1::ListReversalsRequest { page_size: 1_001, since: 0 }, "page_size: must be at most 1000, got 1001"),
        bad(v1::GetTrustRequest { member_id: "somebody".to_owned() }, "member_id: "),
        (
            v1::GetTrustRequest { member_id: "m-aaaaaaaa".to_owned() }.into(),
            Code::NotFound,
            "member m-aaaaaaaa: no such member, or not one whose trust you may see".to_owned(),
        ),
    ]
}
