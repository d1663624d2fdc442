//! What becomes of keys that are not as they must be, or no longer are.

use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::{Clock, KeyId, Role};
use hashcommons::policy::ApiKey;
use hashcommons::wire::{Coded, timestamp, v1};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::items::contribute;
use crate::raw::{call, connect};
use crate::support::{TestHub, check_of, pdq};

const CHECKPOINT: &str = "/hashcommons.v1.LedgerService/GetCheckpoint";
const NOT_LIVE: &str = "this key is unknown, revoked, expired or not for this address";

async fn issue(hub: &TestHub, request: v1::IssueKeyRequest) -> (String, ApiKey) {
    let issued = hub.admin().admin().issue_key(request).await.unwrap().into_inner();
    (issued.key.unwrap().key_id, issued.secret.parse().unwrap())
}

async fn revoke(hub: &TestHub, key: &ApiKey) -> v1::Key {
    let request = v1::RevokeKeyRequest { key_id: key.id().to_string() };
    hub.admin().admin().revoke_key(request).await.unwrap().into_inner()
}

async fn checkpoint(client: &Client) -> Result<(), (Code, String)> {
    let answer = client.ledger().get_checkpoint(v1::GetCheckpointRequest {}).await;
    answer.map(|_| ()).map_err(|status| (status.code(), status.message().to_owned()))
}

#[tokio::test]
async fn a_header_that_is_no_key_is_told_what_is_wrong_with_it_and_never_shown_again() {
    let hub = TestHub::start().await;
    let channel = connect(&hub).await;
    let key = hub.admin_key.reveal();
    let bearer = format!("Bearer {key}");
    call(&channel, CHECKPOINT, &[&bearer]).await.expect("the key itself is good");

    let scheme = "authorization: must be `Bearer hck_…`";
    let once = "authorization: must be sent once, as `Bearer hck_…`";
    let form = "authorization: is not an API key: one looks like `hck_xxxxxxxx_…`, 52 characters";
    let checksum = "authorization: is not an API key: its checksum does not fit; was it cut off or mistyped?";
    // A slip of the finger in the middle of the secret.
    let mut mistyped = key.to_owned();
    let slip = if &mistyped[20..21] == "a" { "b" } else { "a" };
    mistyped.replace_range(20..21, slip);
    for (headers, expected) in [
        (vec![], once),
        (vec![bearer.clone(), bearer.clone()], once),
        (vec![key.to_owned()], scheme),
        (vec![format!("Basic {key}")], scheme),
        (vec![format!("Bearer{key}")], scheme),
        (vec![String::new()], scheme),
        (vec!["Bearer ".to_owned()], form),
        (vec![format!("Bearer  {key}")], form),
        (vec![format!("Bearer {}", &key[..key.len() - 1])], form),
        (vec![format!("Bearer {key}a")], form),
        (vec![format!("Bearer {}", key.to_uppercase())], form),
        (vec![format!("Bearer {bearer}")], form),
        (vec![format!("Bearer {mistyped}")], checksum),
    ] {
        let headers: Vec<_> = headers.iter().map(String::as_str).collect();
        let status = call(&channel, CHECKPOINT, &headers).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Unauthenticated, expected));
        assert!(!status.message().contains(&key[13..20]));
    }
    hub.stop().await;
}

#[tokio::test]
async fn unknown_wrong_expired_and_revoked_keys_look_the_same() {
    let hub = TestHub::start().await;
    let (member, live) = hub.enrol("Checker", "NZ", &[Role::Checker]).await;
    let now = hub.clock.now();
    let expires = Some(timestamp(now.plus(Duration::from_secs(60))));
    let (_, expiring) =
        issue(&hub, v1::IssueKeyRequest { member_id: member.clone(), expires, ..Default::default() }).await;
    let (_, revoked) = issue(&hub, v1::IssueKeyRequest { member_id: member, ..Default::default() }).await;
    for key in [&live, &expiring, &revoked] {
        checkpoint(&hub.client(key)).await.unwrap();
    }

    hub.clock.advance(Duration::from_millis(59_999));
    checkpoint(&hub.client(&expiring)).await.expect("a millisecond is left");
    hub.clock.advance(Duration::from_millis(1));
    revoke(&hub, &revoked).await;
    let unknown = ApiKey::new(KeyId::from_bytes([7; 5]), [7; 20]);
    let wrong_secret = ApiKey::new(live.id(), [7; 20]);
    for key in [&unknown, &wrong_secret, &expiring, &revoked] {
        let refused = checkpoint(&hub.client(key)).await.unwrap_err();
        assert_eq!(refused, (Code::Unauthenticated, NOT_LIVE.to_owned()));
    }
    checkpoint(&hub.client(&live)).await.unwrap();
    let (code, message) = checkpoint(&hub.anonymous()).await.unwrap_err();
    assert_eq!(code, Code::Unauthenticated);
    assert_ne!(message, NOT_LIVE, "no key at all is told apart");
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn a_key_revoked_twice_was_revoked_the_first_time() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Checker", "NZ", &[Role::Checker]).await;
    let first = revoke(&hub, &key).await;
    let size = hub.check().await.events;
    hub.clock.advance(Duration::from_secs(1));
    assert_eq!(revoke(&hub, &key).await, first);
    assert!(first.revoked.is_some());
    assert_eq!(hub.check().await.events, size);
    hub.stop().await;
}

#[tokio::test]
async fn a_key_may_do_less_than_its_member_but_never_more() {
    let hub = TestHub::start().await;
    let (member, _) = hub.enrol("Both", "NZ", &[Role::Checker, Role::Contributor]).await;
    let only = |role: Role| v1::IssueKeyRequest {
        member_id: member.clone(),
        roles: vec![role.to_wire()],
        ..Default::default()
    };
    let (_, key) = issue(&hub, only(Role::Checker)).await;
    let client = hub.client(&key);
    client.checks().check(check_of([pdq(1)])).await.unwrap();
    let status = client.contributions().contribute(v1::ContributeRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);

    let status = hub.admin().admin().issue_key(only(Role::Admin)).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "roles: the member has no role admin"));
    hub.stop().await;
}

#[tokio::test]
async fn an_open_check_stream_ends_with_the_request_after_its_key_is_revoked() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Checker", "NZ", &[Role::Checker]).await;
    let (requests, receiver) = mpsc::channel(1);
    requests.send(check_of([pdq(1)])).await.unwrap();
    let mut answers = hub.client(&key).checks().check_stream(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    answers.message().await.unwrap().expect("the key is good");

    revoke(&hub, &key).await;
    requests.send(check_of([pdq(1)])).await.unwrap();
    let status = answers.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, NOT_LIVE));
    hub.stop().await;
}

#[tokio::test]
async fn an_open_contribute_stream_takes_nothing_more_once_its_key_is_revoked() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor]).await;
    let (requests, receiver) = mpsc::channel(1);
    let item = |n| crate::support::contribution(&format!("item-{n}"), crate::support::draft(vec![pdq(n)]));
    requests.send(item(1)).await.unwrap();
    let mut answers =
        hub.client(&key).contributions().contribute_stream(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    answers.message().await.unwrap().expect("the key is good");

    revoke(&hub, &key).await;
    let before = hub.check().await;
    requests.send(item(2)).await.unwrap();
    let status = answers.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, NOT_LIVE));
    assert_eq!(hub.check().await, before);
    hub.stop().await;
}

#[tokio::test]
async fn a_follower_who_waits_is_sent_away_when_its_key_is_revoked() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Auditor", "NZ", &[Role::Auditor]).await;
    let from = hub.check().await.events;
    let request = v1::FollowRequest { from, until_now: false, incident_first: false };
    let mut feed = hub.client(&key).ledger().follow(request).await.unwrap().into_inner();
    let first = feed.message().await.unwrap().unwrap();
    assert!(matches!(first.item, Some(v1::follow_response::Item::Checkpoint(_))), "it waits at the end");

    revoke(&hub, &key).await;
    let status = feed.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, NOT_LIVE));
    hub.stop().await;
}

#[tokio::test]
async fn a_follower_who_waits_while_nothing_happens_is_sent_away_when_its_key_expires() {
    let hub = TestHub::start().await;
    let (member, _) = hub.enrol("Auditor", "NZ", &[Role::Auditor]).await;
    let expires = hashcommons::wire::timestamp("2026-11-22T13:00:00Z".parse().unwrap());
    let (_, key) =
        issue(&hub, v1::IssueKeyRequest { member_id: member, expires: Some(expires), ..Default::default() }).await;
    let request = v1::FollowRequest { from: hub.check().await.events, until_now: false, incident_first: false };
    let mut feed = hub.client(&key).ledger().follow(request).await.unwrap().into_inner();
    feed.message().await.unwrap().expect("it waits at the end");

    hub.clock.advance(std::time::Duration::from_secs(3_600));
    let status = feed.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, NOT_LIVE));
    hub.stop().await;
}

#[tokio::test]
async fn the_last_key_that_can_administer_is_not_revoked() {
    let hub = TestHub::start().await;
    let keys = hub.admin().admin().list_keys(v1::ListKeysRequest::default()).await.unwrap().into_inner().keys;
    let operator = keys.into_iter().find(|key| key.key_id == hub.admin_key.id().to_string()).unwrap();
    revoke(&hub, &hub.second_admin_key).await;
    let request = v1::RevokeKeyRequest { key_id: operator.key_id.clone() };
    let status = hub.admin().admin().revoke_key(request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("issue another"), "{status}");

    // One that ends by itself is not enough; one that does not is.
    let expires = Some(hashcommons::wire::timestamp("2027-01-01T00:00:00Z".parse().unwrap()));
    let other = |expires| v1::IssueKeyRequest { member_id: operator.member_id.clone(), expires, ..Default::default() };
    issue(&hub, other(expires)).await;
    assert!(hub.admin().admin().revoke_key(request.clone()).await.is_err());
    issue(&hub, other(None)).await;
    hub.admin().admin().revoke_key(request).await.unwrap();
    hub.stop().await;
}

#[tokio::test]
async fn an_open_stream_on_which_nobody_asks_ends_within_a_second_of_its_keys_revocation() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Both", "NZ", &[Role::Checker, Role::Contributor]).await;
    let client = hub.client(&key);
    let (_open, requests) = mpsc::channel(1);
    let mut checks = client.checks().check_stream(ReceiverStream::new(requests)).await.unwrap().into_inner();
    let (_also_open, requests) = mpsc::channel(1);
    let contributions = ReceiverStream::new(requests);
    let mut contributions = client.contributions().contribute_stream(contributions).await.unwrap().into_inner();
    let (_, other) = hub.enrol("Other", "NZ", &[Role::Checker]).await;
    let (_open_as_well, requests) = mpsc::channel(1);
    let checks_of_other = ReceiverStream::new(requests);
    let mut others = hub.client(&other).checks().check_stream(checks_of_other).await.unwrap().into_inner();

    revoke(&hub, &key).await;
    // Far more than the second that it may take: a machine may have much else to do.
    let patience = Duration::from_secs(30);
    let status = tokio::time::timeout(patience, checks.message()).await.expect("it ends").unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, NOT_LIVE));
    let status = tokio::time::timeout(patience, contributions.message()).await.expect("it ends").unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, NOT_LIVE));
    let goes_on = tokio::time::timeout(Duration::from_secs(2), others.message()).await;
    assert!(goes_on.is_err(), "another key's stream has ended: {goes_on:?}");
    drop((checks, contributions, others, _open, _also_open, _open_as_well));
    hub.stop().await;
}

async fn rotate(hub: &TestHub, request: v1::RotateKeyRequest) -> Result<(v1::Key, ApiKey), tonic::Status> {
    let issued = hub.admin().admin().rotate_key(request).await?.into_inner();
    Ok((issued.key.unwrap(), issued.secret.parse().unwrap()))
}

#[tokio::test]
async fn a_key_and_its_successor_both_open_for_a_while_and_then_the_successor_alone() {
    let hub = TestHub::start().await;
    let (_, old) = hub.enrol("Checker", "NZ", &[Role::Checker]).await;
    let request =
        |key: &ApiKey| v1::RotateKeyRequest { key_id: key.id().to_string(), overlap_seconds: 3_600, expires: None };
    let (key, new) = rotate(&hub, request(&old)).await.unwrap();
    assert_eq!((&key.roles, key.expires), (&vec![Role::Checker.to_wire()], None));
    assert_eq!(key.issued_by_key_id, hub.admin_key.id().to_string());
    hub.clock.advance(Duration::from_secs(3_599));
    for key in [&old, &new] {
        checkpoint(&hub.client(key)).await.expect("both open");
    }
    hub.clock.advance(Duration::from_secs(1));
    assert_eq!(checkpoint(&hub.client(&old)).await.unwrap_err().0, Code::Unauthenticated);
    checkpoint(&hub.client(&new)).await.expect("the successor goes on");
    let refused = rotate(&hub, request(&old)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("is revoked or expired; issue a new one"), "{refused:?}");

    // A key that ends earlier by itself is not given more time.
    let soon = Some(timestamp(hub.clock.now().plus(Duration::from_secs(60))));
    let (_, short) = rotate(&hub, v1::RotateKeyRequest { expires: soon, ..request(&new) }).await.unwrap();
    rotate(&hub, request(&short)).await.unwrap();
    hub.clock.advance(Duration::from_secs(60));
    assert_eq!(checkpoint(&hub.client(&short)).await.unwrap_err().0, Code::Unauthenticated);
    hub.check().await;
    let hub = hub.restart().await;
    checkpoint(&hub.client(&new)).await.expect("also after a restart");
    hub.stop().await;
}

#[tokio::test]
async fn a_compromised_key_opens_nothing_and_all_that_was_contributed_with_it_since_is_listed() {
    let hub = TestHub::start().await;
    let (member_id, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor]).await;
    let (_, other) = issue(&hub, v1::IssueKeyRequest { member_id, ..Default::default() }).await;
    let (client, others) = (hub.client(&key), hub.client(&other));
    contribute(&client, "before", vec![pdq(1)]).await;
    hub.clock.advance(Duration::from_secs(60));
    let since = hub.clock.now();
    let first = contribute(&client, "first", vec![pdq(2)]).await;
    contribute(&others, "with-another-key", vec![pdq(3)]).await;
    hub.clock.advance(Duration::from_secs(60));
    let second = contribute(&client, "second", vec![pdq(4)]).await;
    let withdraw = v1::WithdrawRequest { entry_id: second, reason: 0 };
    client.contributions().withdraw(withdraw).await.unwrap();

    let request = v1::MarkKeyCompromisedRequest { key_id: key.id().to_string(), since: Some(timestamp(since)) };
    let marked = hub.admin().admin().mark_key_compromised(request.clone()).await.unwrap().into_inner();
    assert_eq!(marked.compromised_since, request.since);
    assert!(marked.revoked.is_some());
    assert_eq!(checkpoint(&client).await.unwrap_err().0, Code::Unauthenticated);
    checkpoint(&others).await.expect("the member's other key goes on");

    let listed = async |since| {
        let request = v1::ListContributionsRequest { key_id: key.id().to_string(), since };
        let mut listed = hub.admin().admin().list_contributions(request).await.unwrap().into_inner();
        let mut entries = Vec::new();
        while let Some(one) = listed.message().await.unwrap() {
            entries.push((one.entry_id, one.is_withdrawn));
        }
        entries
    };
    assert_eq!(listed(None).await, [(first, false), (second, true)]);
    assert_eq!(listed(Some(timestamp(since.plus(Duration::from_secs(1))))).await, [(second, true)]);
    assert_eq!(listed(Some(prost_types::Timestamp { seconds: 9, nanos: 0 })).await.len(), 3);

    // It turns out to have been earlier.
    let earlier = Some(prost_types::Timestamp { seconds: 9, nanos: 0 });
    let again = v1::MarkKeyCompromisedRequest { since: earlier, ..request.clone() };
    hub.admin().admin().mark_key_compromised(again).await.unwrap();
    let marked = hub.admin().admin().mark_key_compromised(request).await.unwrap().into_inner();
    assert_eq!(marked.compromised_since, earlier, "the earlier time stands");
    assert_eq!(listed(None).await.len(), 3);
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn a_key_is_listed_with_the_hour_in_which_it_was_last_used_and_no_more() {
    let hub = TestHub::start().await;
    let (member_id, key) = hub.enrol("Checker", "NZ", &[Role::Checker]).await;
    let used = |hub: &TestHub| {
        let (admin, member_id) = (hub.admin(), member_id.clone());
        async move {
            let listed = admin.admin().list_keys(v1::ListKeysRequest { member_id }).await.unwrap().into_inner().keys;
            listed[0].last_used.as_ref().map(|time| time.to_string())
        }
    };
    assert_eq!(used(&hub).await, None);
    // What opens nothing uses nothing.
    let wrong = ApiKey::new(key.id(), [7; 20]);
    checkpoint(&hub.client(&wrong)).await.unwrap_err();
    assert_eq!(used(&hub).await, None);
    hub.clock.advance(Duration::from_secs(1_234));
    checkpoint(&hub.client(&key)).await.unwrap();
    assert_eq!(used(&hub).await.as_deref(), Some("2026-11-22T12:00:00Z"));
    hub.clock.advance(Duration::from_secs(3_600));
    assert_eq!(used(&hub).await.as_deref(), Some("2026-11-22T12:00:00Z"));
    checkpoint(&hub.client(&key)).await.unwrap();
    assert_eq!(used(&hub).await.as_deref(), Some("2026-11-22T13:00:00Z"));
    let hub = hub.restart().await;
    assert_eq!(used(&hub).await.as_deref(), Some("2026-11-22T13:00:00Z"));

    // An open stream uses it, whether anything is asked or not.
    let (_requests, receiver) = mpsc::channel::<v1::CheckRequest>(1);
    let _answers = hub.client(&key).checks().check_stream(ReceiverStream::new(receiver)).await.unwrap();
    hub.clock.advance(Duration::from_secs(7_200));
    for _ in 0..200 {
        if used(&hub).await.as_deref() == Some("2026-11-22T15:00:00Z") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(used(&hub).await.as_deref(), Some("2026-11-22T15:00:00Z"));
    hub.stop().await;
}
