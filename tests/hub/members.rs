//! How members climb and fall, and what becomes of them, their keys and their entries.

use hashcommons::client::Client;
use hashcommons::domain::{ChecklistItem, Role, Status};
use hashcommons::policy::ApiKey;
use hashcommons::wire::{Coded, v1};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status as Answer};

use crate::enrolment::approve;
use crate::items::contribute;
use crate::support::{TestHub, check_of, contribution, draft, pdq};

async fn enrol(hub: &TestHub, name: &str) -> String {
    let request = v1::EnrolMemberRequest { name: name.to_owned(), jurisdiction: "NZ".to_owned(), ..Default::default() };
    let member = hub.admin().admin().enrol_member(request).await.unwrap().into_inner();
    assert_eq!((member.status(), &member.roles[..]), (v1::MemberStatus::Applicant, &[][..]));
    member.member_id
}

async fn set(hub: &TestHub, member_id: &str, status: Status) -> Result<v1::Member, Answer> {
    let request = v1::SetMemberStatusRequest {
        member_id: member_id.to_owned(),
        status: status.to_wire(),
        reason: v1::StatusReason::Contributions.into(),
    };
    hub.admin().admin().set_member_status(request).await.map(tonic::Response::into_inner)
}

async fn issue(operator: &Client, member_id: &str) -> Result<ApiKey, Answer> {
    let request = v1::IssueKeyRequest { member_id: member_id.to_owned(), ..Default::default() };
    Ok(operator.admin().issue_key(request).await?.into_inner().secret.parse().unwrap())
}

async fn check(client: &Client) -> Result<v1::CheckResponse, Answer> {
    client.checks().check(check_of([pdq(1)])).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn an_applicant_has_no_key_a_checker_one_approval_and_a_contributor_those_of_two_people() {
    let hub = TestHub::start().await;
    let id = enrol(&hub, "Small Forum").await;
    let refused = issue(&hub.admin(), &id).await.unwrap_err();
    assert_eq!(refused.message(), "roles: the member has none yet: approve it for a status first");

    let member = approve(&hub.admin(), &id, Status::Checker).await.unwrap();
    assert_eq!((member.status(), member.roles), (v1::MemberStatus::Checker, vec![Role::Checker.to_wire()]));
    let checker = hub.client(&issue(&hub.admin(), &id).await.unwrap());
    check(&checker).await.expect("a checker checks");

    let member = approve(&hub.admin(), &id, Status::Contributor).await.unwrap();
    assert_eq!(member.status(), v1::MemberStatus::Checker, "one is too few");
    assert_eq!(member.approvals[0].key_id, hub.admin_key.id().to_string());
    let again = approve(&hub.admin(), &id, Status::Contributor).await.unwrap_err();
    assert_eq!(again.code(), Code::FailedPrecondition);
    assert!(again.message().contains("contributor needs two people"), "{again:?}");

    let hub = hub.restart().await;
    let second = hub.client(&hub.second_admin_key);
    let member = approve(&second, &id, Status::Contributor).await.unwrap();
    assert_eq!((member.status(), member.approvals.len()), (v1::MemberStatus::Contributor, 0));
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn a_key_that_an_operator_issues_itself_is_no_second_person() {
    let hub = TestHub::start().await;
    let operator = hub.admin().admin().list_members(v1::ListMembersRequest {}).await.unwrap().into_inner().members;
    let operator = operator[0].member_id.clone();
    // A key of the operator's own member, issued with its key; and one that was issued with that.
    let own = hub.client(&issue(&hub.admin(), &operator).await.unwrap());
    let own_again = hub.client(&issue(&own, &operator).await.unwrap());
    // And a new member of its with the duty to administer.
    let request = v1::EnrolMemberRequest {
        name: "Strawman".to_owned(),
        jurisdiction: "NZ".to_owned(),
        duties: vec![Role::Admin.to_wire()],
        ..Default::default()
    };
    let strawman = hub.admin().admin().enrol_member(request).await.unwrap().into_inner().member_id;
    let strawman = hub.client(&issue(&own_again, &strawman).await.unwrap());

    let id = enrol(&hub, "Friend").await;
    approve(&hub.admin(), &id, Status::Trusted).await.unwrap();
    for other in [&own, &own_again, &strawman] {
        let refused = approve(other, &id, Status::Trusted).await.unwrap_err();
        assert!(refused.message().contains("stems from the same key of the first start"), "{refused:?}");
    }
    let second = hub.client(&hub.second_admin_key);
    assert_eq!(approve(&second, &id, Status::Trusted).await.unwrap().status(), v1::MemberStatus::Trusted);
    hub.stop().await;
}

#[tokio::test]
async fn suspension_acts_on_the_next_request_and_on_open_streams_and_marks_what_was_contributed() {
    let hub = TestHub::start().await;
    let (id, key) = hub.enrol("Rogue", "NZ", &[Role::Contributor, Role::Checker]).await;
    let rogue = hub.client(&key);
    let reviewer = hub.member("Desk", &[Role::Reviewer]).await;
    let entry = contribute(&rogue, "one", vec![pdq(1)]).await;
    let (requests, stream) = mpsc::channel(4);
    let mut answers = rogue.checks().check_stream(ReceiverStream::new(stream)).await.unwrap().into_inner();
    requests.send(check_of([pdq(1)])).await.unwrap();
    answers.message().await.unwrap().expect("an answer");

    let member = set(&hub, &id, Status::Suspended).await.unwrap();
    assert_eq!((member.status(), &member.roles[..]), (v1::MemberStatus::Suspended, &[][..]));
    let words = "the member that this key belongs to is suspended: ask the hub's operator";
    for answer in [
        check(&rogue).await.map(drop),
        rogue.contributions().contribute(contribution("two", draft(vec![pdq(2)]))).await.map(drop),
        rogue.ledger().get_checkpoint(v1::GetCheckpointRequest {}).await.map(drop),
    ] {
        let status = answer.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::PermissionDenied, words));
    }
    requests.send(check_of([pdq(1)])).await.unwrap();
    let status = answers.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, words));

    // What it contributed still matches, and says whose it is.
    let found = check(&reviewer).await.unwrap().matches.remove(0).entry.unwrap();
    assert_eq!((found.entry_id, found.contributor.unwrap().mark.as_str()), (entry, "suspended"));
    hub.check().await;

    // Approved anew, by two: its old key opens what it opened.
    hub.operators().approve(&id, Status::Contributor).await;
    check(&rogue).await.expect("it is back");
    let found = check(&reviewer).await.unwrap().matches.remove(0).entry.unwrap();
    assert_eq!(found.contributor.unwrap().mark, "");
    hub.stop().await;
}

#[tokio::test]
async fn who_has_left_stays_away_and_its_entries_stay() {
    let hub = TestHub::start().await;
    let (id, key) = hub.enrol("Gone", "NZ", &[Role::Contributor]).await;
    let gone = hub.client(&key);
    contribute(&gone, "one", vec![pdq(1)]).await;
    set(&hub, &id, Status::Left).await.unwrap();
    assert!(check(&gone).await.unwrap_err().message().contains("has left"));
    for refused in [approve(&hub.admin(), &id, Status::Checker).await, set(&hub, &id, Status::Suspended).await] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().contains("has left"), "{refused:?}");
    }
    let hub = hub.restart().await;
    let reviewer = hub.member("Desk", &[Role::Reviewer]).await;
    let found = check(&reviewer).await.unwrap().matches.remove(0).entry.unwrap();
    assert_eq!(found.contributor.unwrap().mark, "left");
    hub.stop().await;
}

#[tokio::test]
async fn the_last_who_can_administer_cannot_be_suspended() {
    let hub = TestHub::start().await;
    let operator = hub.admin().admin().list_members(v1::ListMembersRequest {}).await.unwrap().into_inner().members;
    let operator = operator[0].member_id.clone();
    let refused = set(&hub, &operator, Status::Suspended).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("has the last live keys with the role admin"), "{refused:?}");

    let other = hub.member("Other Operator", &[Role::Admin]).await;
    set(&hub, &operator, Status::Suspended).await.unwrap();
    assert_eq!(check(&hub.admin()).await.unwrap_err().code(), Code::PermissionDenied);
    other.admin().list_members(v1::ListMembersRequest {}).await.expect("the other one goes on");
    hub.stop().await;
}

#[tokio::test]
async fn all_that_happened_to_a_member_is_listed_with_who_did_it_and_what_was_made_sure_of() {
    let hub = TestHub::start().await;
    let (id, key) = hub.enrol("Platform", "NZ", &[Role::Contributor]).await;
    contribute(&hub.client(&key), "not-about-the-member", vec![pdq(1)]).await;
    let request = v1::RevokeKeyRequest { key_id: key.id().to_string() };
    hub.admin().admin().revoke_key(request).await.unwrap();
    set(&hub, &id, Status::Checker).await.unwrap();

    let hub = hub.restart().await;
    let auditor = hub.member("Auditor", &[Role::Auditor]).await;
    let request = v1::GetMemberHistoryRequest { member_id: id };
    let events = auditor.admin().get_member_history(request).await.unwrap().into_inner().events;
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    let expected =
        ["member-enrolled", "member-approved", "member-approved", "key-issued", "key-revoked", "member-status-set"];
    assert_eq!(kinds, expected);
    assert!(events.is_sorted_by_key(|event| event.index));
    let (first, second) = (hub.admin_key.id().to_string(), hub.second_admin_key.id().to_string());
    let by: Vec<_> = events.iter().map(|event| event.by_key_id.as_str()).collect();
    assert_eq!(by, [&first, &first, &second, &first, &first, &first]);
    assert_eq!((events[1].is_enough, events[2].is_enough), (false, true));
    assert_eq!(events[1].checklist.len(), ChecklistItem::ALL.len());
    assert_eq!(events[3].key_id, key.id().to_string());
    assert_eq!((events[5].status(), events[5].reason()), (v1::MemberStatus::Checker, v1::StatusReason::Contributions));
    hub.stop().await;
}
