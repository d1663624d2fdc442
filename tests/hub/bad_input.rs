//! Requests that are not as they must be: each is told so, path first, and leaves no trace.

mod audit;
mod calls;
mod checks;
mod drafts;
mod feedback;
mod incidents;
mod ledger;
mod members;
mod policy;
mod retention;
mod review;
mod statistics;

use std::collections::BTreeSet;

use hashcommons::client::Client;
use hashcommons::domain::Role;
use hashcommons::wire::v1;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::items::{accepted, some};
use crate::raw::methods;
use crate::support::{TestHub, check_of, contribution, draft, pdq};
use calls::Call;

/// A hub with a few things to be wrong about.
pub struct Scene {
    hub: TestHub,
    admin: Client,
    auditor: Client,
    reviewer: Client,
    /// Who makes the calls that are not an operator's.
    member: Client,
    /// An entry of the caller's, contributed as `first` with [`first_draft`].
    own: u64,
    /// An entry of somebody else's.
    others: u64,
    /// The ledger's size.
    size: u64,
    /// The caller's id.
    member_id: String,
    /// Of a match of the caller's with `others`.
    receipt: String,
}

/// A bad request: the call, the code, and how the message begins.
pub type Row = (Call, Code, String);

/// A bad field: its path and how the problem begins are one text.
fn bad(call: impl Into<Call>, message: &str) -> Row {
    (call.into(), Code::InvalidArgument, message.to_owned())
}

fn first_draft() -> v1::Draft {
    draft(vec![pdq(1)])
}

impl Scene {
    async fn new() -> Self {
        let hub = TestHub::start().await;
        let (member_id, key) = hub.enrol("Caller", "NZ", &[Role::Checker, Role::Contributor]).await;
        let other = hub.member("Other", &[Role::Contributor]).await;
        let auditor = hub.member("Auditor", &[Role::Auditor]).await;
        let member = hub.client(&key);
        let own = accepted(&member, contribution("first", first_draft())).await.entry_id;
        let others = accepted(&other, contribution("first", first_draft())).await.entry_id;
        let reviewer = hub.member("Reviewer", &[Role::Reviewer]).await;
        let found = member.checks().check(check_of([pdq(1)])).await.unwrap().into_inner().matches;
        let found = found.into_iter().find(|found| found.entry.as_ref().unwrap().entry_id == others);
        let receipt = found.unwrap().receipt;
        let size = hub.check().await.events;
        Self { admin: hub.admin(), reviewer, auditor, hub, member, own, others, size, member_id, receipt }
    }

    fn rows(&self) -> Vec<Row> {
        [
            drafts::rows(self),
            feedback::rows(self),
            audit::rows(),
            checks::rows(),
            ledger::rows(self),
            members::rows(self),
            policy::rows(),
            retention::rows(self),
            statistics::rows(),
            incidents::rows(self),
            review::rows(self),
        ]
        .concat()
    }
}

/// What a status says of bad fields in its details, as `path: problem`.
fn violations(status: &Status) -> Vec<String> {
    let request = status.get_details_bad_request();
    let violations = request.iter().flat_map(|request| &request.field_violations);
    violations.map(|violation| format!("{}: {}", violation.field, violation.description)).collect()
}

/// Whether any twelve digits in a row of `value` are in `text`.
fn leaks(text: &str, value: &str) -> bool {
    let (text, value) = (text.to_lowercase(), value.to_lowercase());
    value.as_bytes().windows(12).any(|part| text.as_bytes().windows(12).any(|other| other == part))
}

#[tokio::test]
async fn every_bad_request_is_told_what_is_wrong_and_where_and_writes_nothing_but_that_it_was_refused() {
    let scene = Scene::new().await;
    let before = scene.hub.check().await;
    for (call, code, beginning) in scene.rows() {
        let status = call.make(&scene).await.expect_err(&format!("{call:?} was taken; expected {beginning}"));
        let message = status.message();
        assert_eq!(status.code(), code, "{call:?}: {message}");
        assert!(message.starts_with(&beginning), "expected `{beginning}…`, got `{message}`");
        if code == Code::InvalidArgument {
            assert_eq!(violations(&status), [message], "the detail carries path and problem apart");
        }
        for value in call.hashes() {
            assert!(!leaks(message, &value), "a hash of the request is in `{message}`");
        }
        assert!(!leaks(message, scene.hub.admin_key.reveal()), "a key is in `{message}`");
    }
    let after = scene.hub.check().await;
    assert_eq!((after.entries, after.signals), (before.entries, before.signals), "nothing was written");
    let (since, _) = crate::follow::events(&scene.admin, before.events).await;
    assert!(since.iter().all(|event| event.opening.as_ref().unwrap().kind == "admin-refused"), "{since:?}");
    scene.hub.stop().await;
}

#[tokio::test]
async fn the_table_of_bad_requests_has_rows_for_every_method_that_can_be_called_badly() {
    let scene = Scene::new().await;
    let covered: BTreeSet<_> = scene.rows().iter().map(|(call, ..)| call.method()).collect();
    // Messages without fields, and streams, which answer each request in its place: `streams.rs`.
    let exempt =
        ["GetCheckpoint", "ListMembers", "ListIncidents", "ListHolds", "GetPolicy", "CheckStream", "ContributeStream"];
    for path in methods() {
        let method = path.rsplit('/').next().unwrap();
        assert_ne!(covered.contains(method), exempt.contains(&method), "{method}");
    }
    scene.hub.stop().await;
}

#[tokio::test]
async fn what_is_absent_and_what_is_not_the_callers_look_the_same() {
    let scene = Scene::new().await;
    let absent = scene.size + 1_000;
    // An entry of another member, an event that is no entry, and nothing at all.
    let ids = [scene.others, 0, absent];
    for (name, call) in [
        ("trace", calls::trace as fn(u64) -> Call),
        ("withdraw", calls::withdraw),
        ("supersede", |id| {
            let mut draft = first_draft();
            draft.signals = vec![some(v1::SignalKind::Sha256, 3)];
            draft.provenance.as_mut().unwrap().supersedes = Some(id);
            contribution("superseding", draft).into()
        }),
    ] {
        let mut answers = Vec::new();
        for id in ids {
            let status = call(id).make(&scene).await.unwrap_err();
            let shape = status.message().replacen(&format!("entry {id}:"), "entry _:", 1);
            assert!(shape.contains("entry _: no such entry, or not one"), "{name}: {shape}");
            // What else a caller can see: code, details, trailers.
            let details: Vec<_> = violations(&status).iter().map(|text| text.replace(&id.to_string(), "_")).collect();
            let trailers: BTreeSet<_> = status.metadata().keys().map(|key| format!("{key:?}")).collect();
            answers.push((status.code(), shape, details, trailers));
        }
        assert_eq!(answers[0], answers[1], "{name}");
        assert_eq!(answers[0], answers[2], "{name}");
    }
    scene.hub.stop().await;
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_by_a_limit_that_it_names() {
    let scene = Scene::new().await;
    let before = scene.hub.check().await;
    let limit = hashcommons::grpc::MESSAGE_BYTES_MAX;
    let large = "x".repeat(limit + 1);
    let enrolment = v1::EnrolMemberRequest { name: large.clone(), ..Default::default() };
    let key = v1::IssueKeyRequest { label: large.clone(), ..Default::default() };
    let against = vec![pdq(1); limit / 64];
    for (path, call) in [
        ("ContributeService/Contribute", contribution(&large, first_draft()).into()),
        ("AdminService/EnrolMember", Call::from(enrolment)),
        ("AdminService/IssueKey", key.into()),
        ("ReviewService/Trace", v1::TraceRequest { entry_id: scene.own, against }.into()),
    ] {
        let limit = hashcommons::grpc::intake(&format!("/hashcommons.v1.{path}")).message_bytes_max;
        let status = call.make(&scene).await.unwrap_err();
        assert_eq!(status.code(), Code::OutOfRange, "{}: {status:?}", call.method());
        assert!(status.message().contains(&limit.to_string()), "{status:?}");
    }
    assert_eq!(scene.hub.check().await, before);
    scene.hub.stop().await;
}
