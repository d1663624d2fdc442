//! Every method, called with a key of every role and with none.

use std::collections::BTreeSet;
use std::time::Duration;

use hashcommons::domain::Role::{self, Admin, Auditor, Checker, Contributor, Reviewer};
use hashcommons::grpc::access::{Access, CHANGES, TABLE};
use tonic::Code;

use crate::raw::{call, code, connect, methods};
use crate::support::TestHub;

const ANY: &[Role] = Role::ALL;
const CHECKS: &[Role] = &[Checker, Contributor, Reviewer];
const READS: &[Role] = &[Contributor, Reviewer, Auditor, Admin];

/// What the protos say in words: who may call, and what becomes of an empty message from one who may.
///
/// The last column proves that a call was let through to its method.
const EXPECTED: &[(&str, &[Role], Code)] = &[
    ("/hashcommons.v1.CheckService/Check", CHECKS, Code::InvalidArgument),
    ("/hashcommons.v1.CheckService/CheckStream", CHECKS, Code::Ok),
    ("/hashcommons.v1.CheckService/CheckMedia", CHECKS, Code::InvalidArgument),
    ("/hashcommons.v1.ContributeService/Contribute", &[Contributor], Code::InvalidArgument),
    ("/hashcommons.v1.ContributeService/ContributeStream", &[Contributor], Code::Ok),
    ("/hashcommons.v1.ContributeService/Withdraw", &[Contributor], Code::NotFound),
    ("/hashcommons.v1.ReviewService/Trace", READS, Code::NotFound),
    ("/hashcommons.v1.ReviewService/ListQueue", &[Reviewer, Auditor], Code::Ok),
    ("/hashcommons.v1.ReviewService/Decide", &[Reviewer], Code::InvalidArgument),
    ("/hashcommons.v1.ReviewService/AddBenign", &[Reviewer], Code::InvalidArgument),
    ("/hashcommons.v1.ReviewService/RemoveBenign", &[Reviewer], Code::NotFound),
    ("/hashcommons.v1.ReviewService/ListBenign", &[Reviewer, Auditor], Code::Ok),
    ("/hashcommons.v1.ReviewService/DelistEntity", &[Reviewer, Admin], Code::InvalidArgument),
    ("/hashcommons.v1.FeedbackService/ReportOutcome", CHECKS, Code::InvalidArgument),
    ("/hashcommons.v1.FeedbackService/OpenAppeal", CHECKS, Code::InvalidArgument),
    ("/hashcommons.v1.FeedbackService/ListAppeals", ANY, Code::Ok),
    ("/hashcommons.v1.FeedbackService/ListReversals", CHECKS, Code::Ok),
    ("/hashcommons.v1.FeedbackService/GetTrust", READS, Code::Ok),
    ("/hashcommons.v1.LedgerService/Follow", READS, Code::Ok),
    ("/hashcommons.v1.LedgerService/GetCheckpoint", ANY, Code::Ok),
    ("/hashcommons.v1.LedgerService/GetInclusionProof", ANY, Code::Ok),
    ("/hashcommons.v1.LedgerService/GetConsistencyProof", ANY, Code::Ok),
    ("/hashcommons.v1.IncidentService/OpenIncident", &[Reviewer, Admin], Code::InvalidArgument),
    ("/hashcommons.v1.IncidentService/ExtendIncident", &[Reviewer, Admin], Code::InvalidArgument),
    ("/hashcommons.v1.IncidentService/CloseIncident", &[Reviewer, Admin], Code::InvalidArgument),
    ("/hashcommons.v1.IncidentService/ListIncidents", ANY, Code::Ok),
    ("/hashcommons.v1.IncidentService/GetDebrief", READS, Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/EnrolMember", &[Admin], Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/ApproveMember", &[Admin], Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/SetMemberStatus", &[Admin], Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/GetMemberHistory", &[Auditor, Admin], Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/ListMembers", &[Auditor, Admin], Code::Ok),
    ("/hashcommons.v1.AdminService/IssueKey", &[Admin], Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/RotateKey", &[Admin], Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/MarkKeyCompromised", &[Admin], Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/ListContributions", &[Auditor, Admin], Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/ListKeys", &[Auditor, Admin], Code::Ok),
    ("/hashcommons.v1.AdminService/ReleaseMember", &[Admin], Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/SetQuota", &[Admin], Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/RevokeKey", &[Admin], Code::InvalidArgument),
    ("/hashcommons.v1.AdminService/ListAudit", &[Auditor, Admin], Code::Ok),
    ("/hashcommons.v1.AdminService/ListReads", &[Auditor, Admin], Code::Ok),
    ("/hashcommons.v1.PolicyService/GetPolicy", ANY, Code::Ok),
    ("/hashcommons.v1.PolicyService/PreviewPolicy", &[Auditor, Admin], Code::Ok),
    ("/hashcommons.v1.PolicyService/SetPolicy", &[Admin], Code::Ok),
    ("/hashcommons.v1.RetentionService/PlaceHold", &[Admin], Code::InvalidArgument),
    ("/hashcommons.v1.RetentionService/LiftHold", &[Admin], Code::NotFound),
    ("/hashcommons.v1.RetentionService/ListHolds", &[Auditor, Admin], Code::Ok),
    ("/hashcommons.v1.StatisticsService/GetReport", &[Auditor, Admin], Code::InvalidArgument),
    ("/hashcommons.v1.StatisticsService/DrawSample", &[Auditor], Code::InvalidArgument),
    ("/hashcommons.v1.StatisticsService/JudgeSample", &[Auditor], Code::InvalidArgument),
    ("/hashcommons.v1.TaxonomyService/GetTaxonomy", ANY, Code::Ok),
];

/// What changes something that every entry rests on, and is not for admins alone.
const ALSO_OTHERS: [&str; 1] = ["/hashcommons.v1.ReviewService/DelistEntity"];

/// What needs no key.
const OPEN: &[&str] = &[
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.health.v1.Health/List",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

fn sorted<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut paths: Vec<_> = paths.into_iter().collect();
    paths.sort_unstable();
    paths
}

#[test]
fn protos_expectations_and_the_hubs_table_name_the_same_methods_and_each_once() {
    let methods = methods();
    let methods = sorted(methods.iter().map(String::as_str));
    assert_eq!(sorted(EXPECTED.iter().map(|(path, ..)| *path)), methods, "this file's table");
    assert_eq!(sorted(TABLE.iter().map(|(path, _)| *path)), sorted([&methods[..], OPEN].concat()), "the hub's table");
}

#[test]
fn the_hubs_table_gives_each_method_the_roles_that_its_proto_names() {
    for (path, access) in TABLE {
        let expected = EXPECTED.iter().find(|(other, ..)| other == path);
        match (access, expected) {
            (Access::Open, None) => assert!(OPEN.contains(path), "{path} is open"),
            (Access::Operation { roles, .. }, Some((_, expected, _))) => {
                let set = |roles: &[Role]| roles.iter().copied().collect::<BTreeSet<_>>();
                assert_eq!(set(roles), set(expected), "{path}");
            }
            _ => panic!("{path}: {access:?} is not what this file expects"),
        }
    }
}

/// A new method that changes members, keys, rules or incidents would else be refused without a word in the ledger.
#[test]
fn every_method_for_admins_alone_and_every_change_of_incidents_has_the_event_that_it_makes() {
    let administers = |access: &Access| {
        matches!(access, Access::Operation { roles: [Admin], .. } | Access::Operation { name: "change incidents", .. })
    };
    let methods = TABLE.iter().filter(|(_, access)| administers(access)).map(|(path, _)| *path);
    assert_eq!(sorted(methods.chain(ALSO_OTHERS)), sorted(CHANGES.iter().map(|(path, _)| *path)));
}

#[tokio::test]
async fn every_method_lets_in_exactly_the_roles_that_its_proto_names() {
    let hub = TestHub::start().await;
    let channel = connect(&hub).await;
    for role in Role::ALL {
        let (_, key) = hub.enrol(&format!("A {role}"), "NZ", &[*role]).await;
        let bearer = format!("Bearer {}", key.reveal());
        for (path, roles, reached) in EXPECTED {
            let result = call(&channel, path, &[&bearer]).await;
            let expected = if roles.contains(role) { *reached } else { Code::PermissionDenied };
            assert_eq!(code(&result), expected, "{role} at {path}: {result:?}");
        }
    }
    hub.stop().await;
}

#[tokio::test]
async fn without_a_key_every_method_is_unauthenticated_and_not_merely_denied() {
    let hub = TestHub::start().await;
    let channel = connect(&hub).await;
    for path in methods() {
        let status = call(&channel, &path, &[]).await.unwrap_err();
        // Who fails often is told to come later.
        hub.clock.advance(Duration::from_secs(60));
        assert_eq!(status.code(), Code::Unauthenticated, "{path}: {status:?}");
        assert_eq!(status.message(), "authorization: must be sent once, as `Bearer hck_…`");
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_refusal_names_the_roles_that_would_do() {
    let hub = TestHub::start().await;
    let channel = connect(&hub).await;
    let (_, key) = hub.enrol("Checker", "NZ", &[Checker]).await;
    let bearer = format!("Bearer {}", key.reveal());
    let status = call(&channel, "/hashcommons.v1.AdminService/ListMembers", &[&bearer]).await.unwrap_err();
    assert_eq!(status.message(), "this key may not list members: it needs the role auditor or admin");
    hub.stop().await;
}

#[tokio::test]
async fn health_and_reflection_need_no_key() {
    let hub = TestHub::start().await;
    let channel = connect(&hub).await;
    for path in OPEN {
        let expected = match *path {
            "/grpc.health.v1.Health/Check" | "/grpc.health.v1.Health/Watch" => (Code::Ok, ""),
            // The health service's own word: it has no such list yet.
            "/grpc.health.v1.Health/List" => (Code::Unimplemented, ""),
            // It was asked, and finds nothing to answer in an empty message.
            _ => (Code::InvalidArgument, "invalid MessageRequest"),
        };
        let result = call(&channel, path, &[]).await;
        let message = result.as_ref().map_or_else(tonic::Status::message, |()| "");
        assert_eq!((code(&result), message), expected, "{path}");
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_method_that_nobody_wrote_down_is_unimplemented_with_and_without_a_key() {
    let hub = TestHub::start().await;
    let channel = connect(&hub).await;
    let bearer = format!("Bearer {}", hub.admin_key.reveal());
    for path in [
        "/hashcommons.v1.AdminService/EraseEverything",
        "/hashcommons.v1.SecretService/Check",
        "/hashcommons.v1.CheckService/check",
        "/hashcommons.v1.CheckService/Check/",
        "//hashcommons.v1.CheckService/Check",
        "/hashcommons.v1.CheckService",
        "/hashcommons.v2.CheckService/Check",
        "/grpc.health.v1.Health/Stop",
        "/",
    ] {
        for authorization in [&[][..], &[bearer.as_str()][..]] {
            let status = call(&channel, path, authorization).await.unwrap_err();
            assert_eq!((status.code(), status.message()), (Code::Unimplemented, "no such method"), "{path}");
        }
    }
    hub.stop().await;
}
