//! How much each member may use, and what the others have of it.

use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::{KeyId, Role};
use hashcommons::policy::{ApiKey, Limits, QuotaTable};
use hashcommons::wire::v1;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;
use v1::check_stream_response::Answer;
use v1::contribute_stream_response::Outcome;

use crate::raw::{call, connect};
use crate::support::{TestHub, check_of, contribution, draft, pdq};

/// Two checks a second and twenty at once, and so on.
const NARROW: Limits =
    Limits { checks_per_second: 2, media_bytes_per_second: 100, contributions_per_day: 24, streams: 2 };

async fn narrow() -> TestHub {
    TestHub::start_with(|config| {
        config.hub.quotas = QuotaTable { checker: NARROW, contributor: NARROW, ..QuotaTable::NONE };
    })
    .await
}

async fn check(client: &Client, signals: usize) -> Result<(), Status> {
    let request = check_of((0..signals).map(|n| pdq(n as u64)));
    client.checks().check(request).await.map(|_| ())
}

/// That `status` says when to come again, in each of the ways that it may be read.
fn is_later(status: &Status, after: Duration, words: &str) {
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, words));
    assert_eq!(status.get_details_retry_info().unwrap().retry_delay, Some(after));
    let seconds: u64 = status.metadata().get("retry-after").unwrap().to_str().unwrap().parse().unwrap();
    assert_eq!(seconds, after.as_secs_f64().ceil() as u64);
}

async fn set(hub: &TestHub, member: &str, key: &str, quota: v1::Quota) -> Result<(), Status> {
    let request = v1::SetQuotaRequest { member_id: member.to_owned(), key_id: key.to_owned(), quota: Some(quota) };
    hub.admin().admin().set_quota(request).await.map(|_| ())
}

fn checks(checks_per_second: u32) -> v1::Quota {
    v1::Quota { checks_per_second: Some(checks_per_second), ..Default::default() }
}

#[tokio::test]
async fn checks_beyond_the_quota_are_told_when_to_come_again_and_nobody_else_is() {
    let hub = narrow().await;
    let [one, other] = [hub.member("One", &[Role::Checker]).await, hub.member("Other", &[Role::Checker]).await];
    // A signal is a check, however many come together.
    check(&one, 16).await.unwrap();
    check(&one, 4).await.unwrap();
    let refused = check(&one, 3).await.unwrap_err();
    is_later(
        &refused,
        Duration::from_millis(1_500),
        "quota: this member may use 2 checks a second; try again in 1.5 s",
    );
    check(&other, 16).await.unwrap();
    hub.clock.advance(Duration::from_millis(1_499));
    check(&one, 3).await.unwrap_err();
    hub.clock.advance(Duration::from_millis(1));
    check(&one, 3).await.unwrap();
    hub.stop().await;
}

#[tokio::test]
async fn a_stream_of_checks_says_so_in_the_place_of_the_answer_and_goes_on() {
    let hub = narrow().await;
    let member = hub.member("One", &[Role::Checker]).await;
    let (requests, receiver) = mpsc::channel(1);
    let mut answers = member.checks().check_stream(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    let request = check_of((0..10).map(pdq));
    let mut ask = async || {
        requests.send(request.clone()).await.unwrap();
        answers.message().await.unwrap().unwrap().answer.unwrap()
    };
    for _ in 0..2 {
        assert!(matches!(ask().await, Answer::Response(_)));
    }
    let Answer::Error(refused) = ask().await else { panic!("beyond the quota") };
    assert_eq!(refused.code, i32::from(Code::ResourceExhausted));
    assert_eq!(refused.retry_after, Some(prost_types::Duration { seconds: 5, nanos: 0 }));
    hub.clock.advance(Duration::from_secs(5));
    assert!(matches!(ask().await, Answer::Response(_)));
    hub.stop().await;
}

#[tokio::test]
async fn contributions_beyond_the_days_quota_are_refused_and_nothing_of_them_is_recorded() {
    let hub = narrow().await;
    let member = hub.member("One", &[Role::Contributor]).await;
    let requests: Vec<_> = (0..26).map(|n| contribution(&format!("item-{n}"), draft(vec![pdq(n)]))).collect();
    let events = hub.check().await.events;
    let mut answers =
        member.contributions().contribute_stream(tokio_stream::iter(requests.clone())).await.unwrap().into_inner();
    let mut outcomes = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        outcomes.push(answer.outcome.unwrap());
    }
    let accepted = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted(_))).count();
    let Outcome::Rejected(refused) = &outcomes[25] else { panic!("{:?}", outcomes[25]) };
    assert_eq!((accepted, refused.code), (24, i32::from(Code::ResourceExhausted)));
    assert_eq!(refused.retry_after, Some(prost_types::Duration { seconds: 3_600, nanos: 0 }));
    assert_eq!(hub.check().await.events, events + 24);
    let refused = member.contributions().contribute(requests[25].clone()).await.unwrap_err();
    let words = "quota: this member may use 24 contributions a day; try again in 3600.0 s";
    is_later(&refused, Duration::from_secs(3_600), words);
    hub.clock.advance(Duration::from_secs(3_600));
    member.contributions().contribute(requests[25].clone()).await.unwrap();
    hub.stop().await;
}

#[tokio::test]
async fn pictures_beyond_the_quota_are_refused_while_they_arrive() {
    let hub = narrow().await;
    let member = hub.member("One", &[Role::Checker]).await;
    let send = |bytes: usize| {
        let member = member.clone();
        async move { member.check_media(vec![0; bytes], v1::check_media_request::Options::default()).await }
    };
    // No picture, but sent all the same.
    assert_eq!(send(900).await.unwrap_err().code(), Code::InvalidArgument);
    let words = "quota: this member may use 100 bytes of pictures a second; try again in 1.0 s";
    is_later(&send(200).await.unwrap_err(), Duration::from_secs(1), words);
    hub.clock.advance(Duration::from_secs(1));
    assert_eq!(send(200).await.unwrap_err().code(), Code::InvalidArgument);
    hub.stop().await;
}

#[tokio::test]
async fn a_stream_too_many_is_refused_until_another_has_ended() {
    let hub = narrow().await;
    let (_, key) = hub.enrol("One", "NZ", &[Role::Checker]).await;
    let member = hub.client(&key);
    let open = || async {
        let (requests, receiver) = mpsc::channel(1);
        let answers = member.checks().check_stream(ReceiverStream::new(receiver)).await?.into_inner();
        Ok::<_, Status>((requests, answers))
    };
    let first = open().await.unwrap();
    let _second = open().await.unwrap();
    let refused = open().await.map(|_| ()).unwrap_err();
    let words = "quota: this member may use 2 streams at the same time; end one of them first";
    assert_eq!((refused.code(), refused.message()), (Code::ResourceExhausted, words));
    // A picture on its way is a stream.
    let refused = member.check_media(vec![0; 10], v1::check_media_request::Options::default()).await.unwrap_err();
    assert_eq!(refused.message(), words);
    drop(first);
    for attempt in 0.. {
        // The hub learns of it over the wire.
        match open().await {
            Ok(_) => break,
            Err(refused) => assert!(attempt < 1_000 && refused.code() == Code::ResourceExhausted, "{refused}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_quota_of_its_own_takes_effect_with_the_next_request_and_outlives_a_restart() {
    let hub = narrow().await;
    let (member, key) = hub.enrol("One", "NZ", &[Role::Checker]).await;
    set(&hub, &member, "", checks(100)).await.unwrap();
    check(&hub.client(&key), 16).await.unwrap();
    check(&hub.client(&key), 16).await.unwrap();
    set(&hub, "", &key.id().to_string(), checks(1)).await.unwrap();
    let refused = check(&hub.client(&key), 1).await.unwrap_err();
    assert!(refused.message().starts_with("quota: this key may use 1 checks a second"), "{refused}");
    hub.check().await;

    let hub = hub.restart().await;
    let members = hub.admin().admin().list_members(v1::ListMembersRequest {}).await.unwrap().into_inner().members;
    assert_eq!(members.iter().find(|one| one.member_id == member).unwrap().quota, Some(checks(100)));
    check(&hub.client(&key), 10).await.unwrap();
    check(&hub.client(&key), 1).await.unwrap_err();
    // Taken away again.
    set(&hub, "", &key.id().to_string(), v1::Quota::default()).await.unwrap();
    check(&hub.client(&key), 16).await.unwrap();
    let request = v1::GetMemberHistoryRequest { member_id: member };
    let history = hub.admin().admin().get_member_history(request).await.unwrap().into_inner().events;
    let told: Vec<_> = history.into_iter().filter(|event| event.kind == "quota-set").collect();
    let quotas: Vec<_> = told.iter().map(|event| (event.key_id.clone(), event.quota.unwrap())).collect();
    let id = key.id().to_string();
    assert_eq!(quotas, [(String::new(), checks(100)), (id.clone(), checks(1)), (id, v1::Quota::default())]);
    hub.stop().await;
}

#[tokio::test]
async fn a_key_opens_from_its_networks_alone() {
    let hub = TestHub::start().await;
    let (member_id, _) = hub.enrol("One", "NZ", &[Role::Checker]).await;
    let issue = |networks: &[&str]| {
        let networks = networks.iter().map(|network| (*network).to_owned()).collect();
        let request = v1::IssueKeyRequest { member_id: member_id.clone(), networks, ..Default::default() };
        let admin = hub.admin();
        async move { admin.admin().issue_key(request).await.map(|issued| issued.into_inner()) }
    };
    let elsewhere = issue(&["192.0.2.0/24", "2001:db8::/32"]).await.unwrap();
    let here = issue(&["192.0.2.0/24", "127.0.0.0/8"]).await.unwrap();
    assert_eq!(elsewhere.key.unwrap().networks, ["192.0.2.0/24", "2001:db8::/32"]);
    let [elsewhere, here]: [ApiKey; 2] = [elsewhere.secret, here.secret].map(|secret| secret.parse().unwrap());
    check(&hub.client(&here), 1).await.unwrap();
    let refused = check(&hub.client(&elsewhere), 1).await.unwrap_err();
    let words = "this key is unknown, revoked, expired or not for this address";
    assert_eq!((refused.code(), refused.message()), (Code::Unauthenticated, words));
    // A successor is for the same.
    let request = v1::RotateKeyRequest { key_id: elsewhere.id().to_string(), ..Default::default() };
    let rotated = hub.admin().admin().rotate_key(request).await.unwrap().into_inner();
    assert_eq!(rotated.key.unwrap().networks, ["192.0.2.0/24", "2001:db8::/32"]);

    let hub = hub.restart().await;
    check(&hub.client(&here), 1).await.unwrap();
    check(&hub.client(&elsewhere), 1).await.unwrap_err();
    hub.stop().await;
}

#[tokio::test]
async fn whoever_fails_too_often_is_told_to_come_later_and_whoever_has_a_key_is_not() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("One", "NZ", &[Role::Checker]).await;
    let wrong = |n: u8| hub.client(&ApiKey::new(KeyId::from_bytes([n; 5]), [n; 20]));
    for n in 0..20 {
        assert_eq!(check(&wrong(n), 1).await.unwrap_err().code(), Code::Unauthenticated);
    }
    let words =
        "too many requests with a key that opens nothing have come from this address or with this key; try again later";
    is_later(&check(&wrong(99), 1).await.unwrap_err(), Duration::from_secs(5), words);
    is_later(&check(&hub.anonymous(), 1).await.unwrap_err(), Duration::from_secs(5), words);
    let channel = connect(&hub).await;
    let nonsense = call(&channel, "/hashcommons.v1.LedgerService/GetCheckpoint", &["Bearer nonsense"]).await;
    is_later(&nonsense.unwrap_err(), Duration::from_secs(5), words);
    // From the same address.
    check(&hub.client(&key), 1).await.unwrap();
    hub.clock.advance(Duration::from_secs(5));
    assert_eq!(check(&wrong(99), 1).await.unwrap_err().code(), Code::Unauthenticated);
    hub.stop().await;
}

/// Begins so many requests with `key` that never become complete, a connection for every 200 of them.
async fn begin(hub: &TestHub, key: &ApiKey, count: usize) -> Vec<JoinHandle<Result<(), Status>>> {
    let mut begun = Vec::new();
    while begun.len() < count {
        let channel = connect(hub).await;
        for _ in 0..(count - begun.len()).min(200) {
            let mut grpc = Grpc::new(channel.clone());
            let mut request = Request::new(tokio_stream::pending::<()>());
            request.metadata_mut().append("authorization", format!("Bearer {}", key.reveal()).parse().unwrap());
            begun.push(tokio::spawn(async move {
                grpc.ready().await.unwrap();
                let path = "/hashcommons.v1.CheckService/Check".parse().unwrap();
                grpc.client_streaming(request, path, ProstCodec::<(), ()>::default()).await.map(|_| ())
            }));
        }
    }
    begun
}

/// Waits until what `key` asks is answered so, in a word.
async fn until(hub: &TestHub, key: &ApiKey, wanted: &str) {
    for _ in 0..1_000 {
        let answer = check(&hub.client(key), 1).await;
        if answer.as_ref().map_or_else(|refused| refused.message(), |()| "ok").contains(wanted) {
            if let Err(refused) = answer {
                assert_eq!(refused.code(), Code::ResourceExhausted);
                assert!(refused.get_details_retry_info().is_some());
            }
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never `{wanted}`");
}

#[tokio::test]
async fn who_floods_takes_half_of_the_hub_and_all_who_flood_leave_the_operators_a_way_in() {
    let hub = TestHub::start().await;
    let mut keys = Vec::new();
    for name in ["One", "Other", "Third"] {
        keys.push(hub.enrol(name, "NZ", &[Role::Checker]).await.1);
    }
    // A few more than there are places: what looks whether they are taken takes one for a moment.
    let of_one = begin(&hub, &keys[0], 540).await;
    until(&hub, &keys[0], "this member has 512 requests on their way").await;
    until(&hub, &keys[1], "ok").await;
    let of_other = begin(&hub, &keys[1], 540).await;
    until(&hub, &keys[2], "the hub has as many requests as it can work on").await;

    hub.admin().admin().list_members(v1::ListMembersRequest {}).await.unwrap();
    let request = v1::RevokeKeyRequest { key_id: keys[0].id().to_string() };
    hub.admin().admin().revoke_key(request).await.unwrap();
    call(&connect(&hub).await, "/grpc.health.v1.Health/Check", &[]).await.unwrap();

    of_other.iter().for_each(JoinHandle::abort);
    until(&hub, &keys[2], "ok").await;
    of_one.iter().for_each(JoinHandle::abort);
    hub.stop().await;
}
