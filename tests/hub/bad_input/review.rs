//! What reviewers can get wrong.

use hashcommons::wire::v1::{self, Ruling, RulingReason};
use tonic::Code;

use super::{Row, Scene, bad};
use crate::support::pdq;

fn decide(entry_id: u64, ruling: Ruling, labels: &[&str]) -> v1::DecideRequest {
    let labels = labels.iter().map(ToString::to_string).collect();
    v1::DecideRequest { entry_id, ruling: ruling.into(), reason: RulingReason::Benign.into(), labels }
}

pub fn rows(scene: &Scene) -> Vec<Row> {
    let queue = v1::ListQueueRequest::default;
    let twice = vec![v1::Attention::Appeal.into(); 2];
    let rulings = "must be one of uphold, confirm, lower, relabel, revoke, reinstate, got ";
    let own = scene.own;
    let reasonless = v1::DecideRequest { reason: 0, ..decide(own, Ruling::Uphold, &[]) };
    let item = v1::BenignItem { signals: vec![pdq(1)], class: 1, reference: String::new() };
    vec![
        bad(v1::ListQueueRequest { attention: vec![77], ..queue() }, "attention[0]: must be one of disputed, "),
        bad(v1::ListQueueRequest { attention: twice, ..queue() }, "attention[1]: `appeal` is given twice"),
        bad(v1::ListQueueRequest { attention: vec![1; 10], ..queue() }, "attention: must be at most 9, got 10"),
        bad(v1::ListQueueRequest { page_size: 501, ..queue() }, "page_size: must be at most 500, got 501"),
        bad(v1::ListQueueRequest { after: "x".to_owned(), ..queue() }, "after: must be what `next` of the page before"),
        bad(decide(own, Ruling::Unspecified, &[]), &format!("ruling: {rulings}nothing")),
        bad(reasonless, "reason: must be one of evidence-sound, "),
        bad(decide(own, Ruling::Relabel, &[]), "labels: must be 1 to 8, got 0"),
        bad(decide(own, Ruling::Relabel, &["a"; 9]), "labels: must be 1 to 8, got 9"),
        bad(decide(own, Ruling::Relabel, &["glorification"; 2]), "labels[1]: `glorification` is given twice"),
        bad(decide(own, Ruling::Relabel, &["A b"]), "labels[0]: must be "),
        bad(decide(own, Ruling::Relabel, &["luck"]), "labels[0]: unknown code `luck`: must be one of "),
        bad(decide(own, Ruling::Relabel, &["incident-x"]), "labels[0]: unknown code `incident-x`"),
        bad(decide(own, Ruling::Uphold, &["glorification"]), "labels: only of `relabel`"),
        (decide(own, Ruling::Reinstate, &[]).into(), Code::FailedPrecondition, "entry: is not revoked".to_owned()),
        (decide(0, Ruling::Uphold, &[]).into(), Code::NotFound, "entry 0: no such entry".to_owned()),
        bad(v1::AddBenignRequest { items: vec![] }, "items: must be 1 to 256, got 0"),
        bad(v1::AddBenignRequest { items: vec![item; 257] }, "items: must be 1 to 256, got 257"),
        (
            v1::RemoveBenignRequest { benign_id: own }.into(),
            Code::NotFound,
            format!("benign item {own}: no such item, or removed already"),
        ),
        bad(v1::ListBenignRequest { from: 0, page_size: 501 }, "page_size: must be at most 500, got 501"),
        bad(v1::DelistEntityRequest { entity: String::new() }, "entity: must be 1 to 64 characters"),
        bad(v1::DelistEntityRequest { entity: "a b".to_owned() }, "entity: must be 1 to 64 characters"),
    ]
}
