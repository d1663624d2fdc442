//! Bad enrolments and keys.

use hashcommons::domain::Role;
use hashcommons::wire::{Coded, v1};
use prost_types::Timestamp;
use tonic::Code;

use super::{Row, Scene, bad};

pub fn rows(scene: &Scene) -> Vec<Row> {
    [enrolments(), keys(scene), ids(scene)].concat()
}

fn enrolments() -> Vec<Row> {
    let enrol = |name: &str, jurisdiction: &str, roles: &[i32]| v1::EnrolMemberRequest {
        name: name.to_owned(),
        jurisdiction: jurisdiction.to_owned(),
        roles: roles.to_vec(),
    };
    let name = |name: &str| bad(enrol(name, "NZ", &[1]), "name: must be 1 to 80 characters of letters, digits, spaces");
    let jurisdiction = |jurisdiction: &str| {
        bad(enrol("New", jurisdiction, &[1]), "jurisdiction: must be an ISO 3166-1 code of two capital letters")
    };
    let roles = |roles: &[i32], message: &str| bad(enrol("New", "NZ", roles), message);
    let checker = Role::Checker.to_wire();
    let taken = "name: a member of this name is enrolled already".to_owned();
    vec![
        name(""),
        name(&"x".repeat(81)),
        name("bell\u{7}"),
        name("two\nlines"),
        name("right\u{202e}to left"),
        name("<b>bold</b>"),
        name(" padded"),
        name("   "),
        jurisdiction(""),
        jurisdiction("nz"),
        jurisdiction("NZL"),
        jurisdiction("N"),
        jurisdiction("ÄÖ"),
        roles(&[], "roles: must be at least one"),
        roles(&[0], "roles[0]: must be one of checker, contributor, reviewer, auditor, admin, got nothing"),
        roles(&[checker, 99], "roles[1]: must be one of checker, contributor, reviewer, auditor, admin, got 99"),
        roles(&[checker, checker], "roles[1]: `checker` is given twice"),
        (enrol("Caller", "FR", &[checker]).into(), Code::AlreadyExists, taken),
    ]
}

fn keys(scene: &Scene) -> Vec<Row> {
    let mine = || v1::IssueKeyRequest { member_id: scene.member_id.clone(), ..Default::default() };
    let expires = |seconds, nanos, message: &str| {
        bad(v1::IssueKeyRequest { expires: Some(Timestamp { seconds, nanos }), ..mine() }, message)
    };
    let now = hashcommons::domain::Clock::now(&*scene.hub.clock).millis() as i64 / 1_000;
    let label = |label: &str| {
        bad(v1::IssueKeyRequest { label: label.to_owned(), ..mine() }, "label: must be 1 to 80 characters of letters")
    };
    let roles = |roles: Vec<i32>, message: &str| bad(v1::IssueKeyRequest { roles, ..mine() }, message);
    let checker = Role::Checker.to_wire();
    vec![
        label("tab\there"),
        label(&"x".repeat(81)),
        expires(now, 0, "expires: must be in the future, got 2026-11-22T12:00:00.000Z"),
        expires(0, 0, "expires: must be in the future"),
        expires(now + 60, -1, "expires: must be a UTC time from 1970 to 9999"),
        roles(vec![99], "roles[0]: must be one of checker, "),
        roles(vec![checker, checker], "roles[1]: `checker` is given twice"),
        roles(vec![checker, Role::Reviewer.to_wire()], "roles: the member has no role reviewer"),
    ]
}

fn ids(scene: &Scene) -> Vec<Row> {
    let member_id = |id: &str| {
        let message = "member_id: must be `m-` and 8 characters of a-z and 2-7";
        [
            bad(v1::IssueKeyRequest { member_id: id.to_owned(), ..Default::default() }, message),
            bad(v1::ListKeysRequest { member_id: id.to_owned() }, message),
        ]
    };
    let key_id = |id: &str| {
        bad(v1::RevokeKeyRequest { key_id: id.to_owned() }, "key_id: must be `k-` and 8 characters of a-z and 2-7")
    };
    let nobody = v1::IssueKeyRequest { member_id: "m-aaaaaaaa".to_owned(), ..Default::default() };
    let no_key = v1::RevokeKeyRequest { key_id: "k-aaaaaaaa".to_owned() };
    let admin_key = scene.hub.admin_key.reveal();
    [
        member_id("m-short").to_vec(),
        member_id("k-aaaaaaaa").to_vec(),
        member_id(admin_key).to_vec(),
        vec![
            bad(v1::IssueKeyRequest::default(), "member_id: must be `m-` and 8 characters"),
            key_id(""),
            key_id("k-AAAAAAAA"),
            key_id("k-aaaaaaaaa"),
            // Somebody in a hurry sends the key itself.
            key_id(admin_key),
            (nobody.into(), Code::NotFound, "member m-aaaaaaaa: no such member".to_owned()),
            (no_key.into(), Code::NotFound, "key k-aaaaaaaa: no such key".to_owned()),
        ],
    ]
    .concat()
}
