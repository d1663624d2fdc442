//! What operators can get wrong about the rules.

use hashcommons::wire::v1;
use tonic::Code;

use super::{Row, bad};

pub fn rows() -> Vec<Row> {
    let files = [
        ("[corroboration]\njurisdictions_min = 1", "policy.corroboration.jurisdictions_min: must be 2 to 20, got 1"),
        ("[benign]\nradius_bits = 32", "policy.benign.radius_bits: must be 0 to 31, got 32"),
        ("[labels.x]\naction_max = \"all\"", "policy: TOML parse error at line 2"),
        ("[surprise]", "policy: TOML parse error at line 1"),
        ("[[incidents.types]]\ncode = \"A\"\nname = \"\"", "policy.incidents.types[0].code: must be 1 to 48"),
    ];
    let mut rows: Vec<Row> = Vec::new();
    for (file, message) in files.map(|(file, message)| (file.to_owned(), message)) {
        rows.push(bad(v1::PreviewPolicyRequest { policy: file.clone() }, message));
        rows.push(bad(v1::SetPolicyRequest { policy: file, replaces: None }, message));
    }
    let long = v1::PreviewPolicyRequest { policy: "#".repeat((16 << 10) + 1) };
    rows.push(bad(long, "policy: must be at most 16384 bytes, got 16385"));
    let other = v1::SetPolicyRequest { policy: String::new(), replaces: Some(1) };
    rows.push((other.into(), Code::FailedPrecondition, "replaces: other rules have been set meanwhile".to_owned()));
    rows
}
