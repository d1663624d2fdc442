//! Positions and sizes that the ledger does not have, and versions that the taxonomy does not.

use hashcommons::wire::v1;
use tonic::Code;

use super::calls::Call;
use super::{Row, Scene};

fn beyond(call: impl Into<Call>, message: String) -> Row {
    (call.into(), Code::OutOfRange, message)
}

pub fn rows(scene: &Scene) -> Vec<Row> {
    let size = scene.size;
    let follow = |from, until_now| {
        let message = format!("from: must be 0 to {size}, the index of the next event, got {from}");
        beyond(v1::FollowRequest { from, until_now, incident_first: false }, message)
    };
    let inclusion =
        |index, tree_size, message: String| beyond(v1::GetInclusionProofRequest { index, tree_size }, message);
    let consistency =
        |from_size, to_size, message: String| beyond(v1::GetConsistencyProofRequest { from_size, to_size }, message);
    let taxonomy = |version| {
        let message = format!("version: no taxonomy has version {version}");
        (v1::GetTaxonomyRequest { version: Some(version) }.into(), Code::NotFound, message)
    };
    vec![
        follow(size + 1, true),
        follow(size + 1, false),
        follow(u64::MAX, true),
        inclusion(size, None, format!("index: must be less than the tree's size, {size}")),
        inclusion(u64::MAX, None, format!("index: must be less than the tree's size, {size}")),
        inclusion(2, Some(2), "index: must be less than the tree's size, 2".to_owned()),
        inclusion(0, Some(0), "index: must be less than the tree's size, 0".to_owned()),
        inclusion(0, Some(size + 1), format!("tree_size: must be 0 to {size}, got {}", size + 1)),
        consistency(0, Some(size + 1), format!("to_size: must be 0 to {size}, got {}", size + 1)),
        consistency(size + 1, None, format!("from_size: must be 0 to {size}, got {}", size + 1)),
        consistency(3, Some(2), "from_size: must be 0 to 2, got 3".to_owned()),
        taxonomy(0),
        taxonomy(u32::MAX),
    ]
}
