//! Bad enrolments and keys.

use hashcommons::domain::{ChecklistItem, Role, Status};
use hashcommons::wire::{Coded, v1};
use prost_types::Timestamp;
use tonic::Code;

use super::calls::Call;
use super::{Row, Scene, bad};

pub fn rows(scene: &Scene) -> Vec<Row> {
    [enrolments(), approvals(scene), keys(scene), ids(scene)].concat()
}

fn enrolments() -> Vec<Row> {
    let enrol = |name: &str, jurisdiction: &str, duties: &[i32]| v1::EnrolMemberRequest {
        name: name.to_owned(),
        jurisdiction: jurisdiction.to_owned(),
        duties: duties.to_vec(),
        control_group: String::new(),
    };
    let group = |group: &str| {
        let request = v1::EnrolMemberRequest { control_group: group.to_owned(), ..enrol("New", "NZ", &[]) };
        bad(request, "control_group: must be 1 to 48 characters of ")
    };
    let name = |name: &str| bad(enrol(name, "NZ", &[]), "name: must be 1 to 80 characters of letters, digits, spaces");
    let jurisdiction = |jurisdiction: &str| {
        bad(enrol("New", jurisdiction, &[]), "jurisdiction: must be an ISO 3166-1 code of two capital letters")
    };
    let duties = |duties: &[i32], message: &str| bad(enrol("New", "NZ", duties), message);
    let [checker, auditor] = [Role::Checker, Role::Auditor].map(Coded::to_wire);
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
        group("Example Holding"),
        group(&"x".repeat(49)),
        duties(&[0], "duties[0]: must be one of checker, contributor, reviewer, auditor, admin, got nothing"),
        duties(&[auditor, 99], "duties[1]: must be one of checker, contributor, reviewer, auditor, admin, got 99"),
        duties(&[auditor, auditor], "duties[1]: `auditor` is given twice"),
        duties(&[checker], "duties: checker is no duty: it comes with the status, for which a member is approved"),
        (enrol("Caller", "FR", &[auditor]).into(), Code::AlreadyExists, taken),
    ]
}

fn approvals(scene: &Scene) -> Vec<Row> {
    let all: Vec<i32> = ChecklistItem::ALL.iter().map(|item| item.to_wire()).collect();
    let to = |to: i32, checklist: &[i32]| v1::ApproveMemberRequest {
        member_id: scene.member_id.clone(),
        to,
        checklist: checklist.to_vec(),
    };
    let set = |status: Status, reason: i32| v1::SetMemberStatusRequest {
        member_id: scene.member_id.clone(),
        status: status.to_wire(),
        reason,
    };
    let refused = |request: Call, message: &str| (request, Code::FailedPrecondition, message.to_owned());
    let trusted = Status::Trusted.to_wire();
    let nobody = "m-aaaaaaaa".to_owned();
    let absent = || (Code::NotFound, "member m-aaaaaaaa: no such member".to_owned());
    vec![
        bad(
            to(0, &all),
            "to: must be one of applicant, mentee, checker, contributor, trusted, suspended, left, got nothing",
        ),
        bad(to(trusted, &[9]), "checklist[0]: must be one of policy, reports-and-appeals, "),
        bad(to(trusted, &[1, 1]), "checklist[1]: `policy` is given twice"),
        refused(to(trusted, &all[1..]).into(), "checklist: trusted needs policy as well"),
        refused(
            to(Status::Mentee.to_wire(), &all).into(),
            "to: the member is contributor, and can be approved for trusted",
        ),
        bad(set(Status::Suspended, 0), "reason: must be one of requested, key-compromised, "),
        refused(
            set(Status::Trusted, 1).into(),
            "status: the member is contributor, and can be set to applicant, mentee, ",
        ),
        (v1::ApproveMemberRequest { member_id: nobody.clone(), ..to(trusted, &all) }.into(), absent().0, absent().1),
        (
            v1::SetMemberStatusRequest { member_id: nobody.clone(), ..set(Status::Left, 1) }.into(),
            absent().0,
            absent().1,
        ),
        (v1::GetMemberHistoryRequest { member_id: nobody }.into(), absent().0, absent().1),
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
            bad(v1::GetMemberHistoryRequest { member_id: id.to_owned() }, message),
        ]
    };
    let key_id = |id: &str| {
        bad(v1::RevokeKeyRequest { key_id: id.to_owned() }, "key_id: must be `k-` and 8 characters of a-z and 2-7")
    };
    let quota = |member: &str, key: &str, quota| v1::SetQuotaRequest {
        member_id: member.to_owned(),
        key_id: key.to_owned(),
        quota,
    };
    let some = Some(v1::Quota { streams: Some(1), ..Default::default() });
    let release = |member: &str| v1::ReleaseMemberRequest { member_id: member.to_owned() };
    let networks = |networks: &[&str]| v1::IssueKeyRequest {
        member_id: "m-aaaaaaaa".to_owned(),
        networks: networks.iter().map(|network| (*network).to_owned()).collect(),
        ..Default::default()
    };
    let no_cidr = "must be an address or a network in CIDR form, as in 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32";
    let zero = "must be 1 or more; a member that is to do nothing is suspended, a key revoked";
    let nobody = v1::IssueKeyRequest { member_id: "m-aaaaaaaa".to_owned(), ..Default::default() };
    let no_key = v1::RevokeKeyRequest { key_id: "k-aaaaaaaa".to_owned() };
    let rotate = |key_id: &str| v1::RotateKeyRequest { key_id: key_id.to_owned(), ..Default::default() };
    let compromised = |key_id: &str, since| v1::MarkKeyCompromisedRequest { key_id: key_id.to_owned(), since };
    let list = |key_id: &str| v1::ListContributionsRequest { key_id: key_id.to_owned(), since: None };
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let own = scene.hub.admin_key.id().to_string();
    let no_key_id = "key_id: must be `k-` and 8 characters";
    let absent = || (Code::NotFound, "key k-aaaaaaaa: no such key".to_owned());
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
            (no_key.into(), absent().0, absent().1),
            (rotate("k-aaaaaaaa").into(), absent().0, absent().1),
            (compromised("k-aaaaaaaa", at(9)).into(), absent().0, absent().1),
            (list("k-aaaaaaaa").into(), absent().0, absent().1),
            bad(rotate(""), no_key_id),
            bad(compromised("", at(9)), no_key_id),
            bad(list(""), no_key_id),
            bad(
                v1::RotateKeyRequest { overlap_seconds: 7_776_001, ..rotate(&own) },
                "overlap_seconds: must be at most 90 days",
            ),
            bad(v1::RotateKeyRequest { expires: at(9), ..rotate(&own) }, "expires: must be in the future"),
            bad(quota("", "", some), "member_id: must be `m-` and 8 characters"),
            bad(quota("m-short", "", some), "member_id: must be `m-` and 8 characters"),
            bad(quota("", "k-short", some), no_key_id),
            bad(quota("m-aaaaaaaa", &own, some), "key_id: must be empty if member_id is given"),
            bad(quota("", &own, None), "quota: is required"),
            bad(
                quota("", &own, Some(v1::Quota { checks_per_second: Some(0), ..Default::default() })),
                &format!("quota.checks_per_second: {zero}"),
            ),
            bad(
                quota("", &own, Some(v1::Quota { media_bytes_per_second: Some(0), ..Default::default() })),
                &format!("quota.media_bytes_per_second: {zero}"),
            ),
            bad(
                quota("", &own, Some(v1::Quota { contributions_per_day: Some(0), ..Default::default() })),
                &format!("quota.contributions_per_day: {zero}"),
            ),
            bad(
                quota("", &own, Some(v1::Quota { streams: Some(0), ..Default::default() })),
                &format!("quota.streams: {zero}"),
            ),
            (quota("m-aaaaaaaa", "", some).into(), Code::NotFound, "member m-aaaaaaaa: no such member".to_owned()),
            (quota("", "k-aaaaaaaa", some).into(), absent().0, absent().1),
            bad(release("m-short"), "member_id: must be `m-` and 8 characters"),
            (release("m-aaaaaaaa").into(), Code::NotFound, "member m-aaaaaaaa: no such member".to_owned()),
            bad(networks(&["127.0.0.1", "example.org"]), &format!("networks[1]: {no_cidr}")),
            bad(
                networks(&["192.0.2.7/24"]),
                "networks[0]: has bits of an address beyond its prefix; the network is 192.0.2.0/24",
            ),
            bad(networks(&["127.0.0.1", "127.0.0.1/32"]), "networks[1]: `127.0.0.1/32` is given twice"),
            bad(networks(&["127.0.0.1"; 33]), "networks: must be at most 32, got 33"),
            bad(
                v1::IssueKeyRequest { certificate: "00".to_owned(), ..networks(&[]) },
                "certificate: must be 64 hex digits, got 2",
            ),
            bad(compromised(&own, None), "since: is required"),
            bad(compromised(&own, at(4_000_000_000)), "since: must not be in the future"),
            bad(v1::ListContributionsRequest { since: at(-1), ..list(&own) }, "since: must be a UTC time"),
        ],
    ]
    .concat()
}
