//! Open streams when what they were opened with is taken away: idle or in use, they end, or show what the member may still see.
//! What a revoked key does to streams of checks, of contributions and of a follower who waits is in `keys.rs`.

use std::fmt::Debug;
use std::time::Duration;

use hashcommons::domain::{MemberId, ReadKind, Role, Status as Standing};
use hashcommons::policy::ApiKey;
use hashcommons::wire::{Coded, v1};
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

use crate::items::{accepted, near};
use crate::raw::open;
use crate::support::{TestHub, check_of, contribution, draft, pdq};

const NOT_LIVE: (Code, &str) = (Code::Unauthenticated, "this key is unknown, revoked, expired or not for this address");
const SUSPENDED: (Code, &str) =
    (Code::PermissionDenied, "the member that this key belongs to is suspended: ask the hub's operator");
const NO_CONTRIBUTOR: (Code, &str) =
    (Code::PermissionDenied, "this key may not contribute: it needs the role contributor");
const NO_FOLLOWER: (Code, &str) =
    (Code::PermissionDenied, "this key may not follow: it needs the role contributor or reviewer or auditor or admin");

/// Far more than the second that it may take: a machine may have much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

async fn set(hub: &TestHub, member_id: &str, status: Standing) {
    let request = v1::SetMemberStatusRequest {
        member_id: member_id.to_owned(),
        status: status.to_wire(),
        reason: v1::StatusReason::Abuse.into(),
    };
    hub.admin().admin().set_member_status(request).await.unwrap();
}

async fn next<T: Debug>(stream: &mut Streaming<T>) -> Result<Option<T>, Status> {
    timeout(PATIENCE, stream.message()).await.expect("something comes")
}

/// The next that comes is this end, and nothing after it.
async fn ends<T: Debug>(stream: &mut Streaming<T>, (code, words): (Code, &str)) {
    let status = next(stream).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (code, words));
    assert!(next(stream).await.unwrap().is_none(), "nothing comes after the end");
}

#[tokio::test]
async fn idle_streams_end_when_their_member_is_suspended_or_no_longer_has_the_role() {
    let hub = TestHub::start().await;
    for (status, of_checks, of_contributions, of_follower) in [
        (Standing::Suspended, Some(SUSPENDED), SUSPENDED, SUSPENDED),
        // A checker checks.
        (Standing::Checker, None, NO_CONTRIBUTOR, NO_FOLLOWER),
    ] {
        let (id, key) = hub.enrol(&format!("To be {status}"), "NZ", &[Role::Checker, Role::Contributor]).await;
        let client = hub.client(&key);
        let (asking, requests) = mpsc::channel(1);
        let mut checks = client.checks().check_stream(ReceiverStream::new(requests)).await.unwrap().into_inner();
        let (_open, requests) = mpsc::channel(1);
        let contributions = ReceiverStream::new(requests);
        let mut contributions = client.contributions().contribute_stream(contributions).await.unwrap().into_inner();
        let request = v1::FollowRequest { from: hub.check().await.events, until_now: false, incident_first: false };
        let mut feed = client.ledger().follow(request).await.unwrap().into_inner();
        next(&mut feed).await.unwrap().expect("it waits at the end");

        set(&hub, &id, status).await;
        ends(&mut feed, of_follower).await;
        ends(&mut contributions, of_contributions).await;
        match of_checks {
            Some(end) => ends(&mut checks, end).await,
            None => {
                asking.send(check_of([pdq(1)])).await.unwrap();
                next(&mut checks).await.unwrap().expect("it goes on");
            }
        }
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_stream_of_contributions_takes_nothing_more_once_its_member_may_not_contribute() {
    let hub = TestHub::start().await;
    for (status, end) in [(Standing::Suspended, SUSPENDED), (Standing::Checker, NO_CONTRIBUTOR)] {
        let (id, key) = hub.enrol(&format!("To be {status}"), "NZ", &[Role::Contributor]).await;
        let (items, requests) = mpsc::channel(1);
        let item = |n: u64| contribution(&format!("{status}-{n}"), draft(vec![pdq(10 * status as u64 + n)]));
        items.send(item(1)).await.unwrap();
        let contributions = ReceiverStream::new(requests);
        let client = hub.client(&key);
        let mut answers = client.contributions().contribute_stream(contributions).await.unwrap().into_inner();
        next(&mut answers).await.unwrap().expect("it is taken");

        set(&hub, &id, status).await;
        let before = hub.check().await;
        // At once: nobody has looked at the stream since.
        items.send(item(2)).await.unwrap();
        ends(&mut answers, end).await;
        assert_eq!(hub.check().await, before);
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_member_that_is_no_longer_trusted_sees_bands_and_its_own_on_the_streams_that_it_has_open() {
    let hub = TestHub::start().await;
    let (id, key) = hub.trusted("Trusted").await;
    let client = hub.client(&key);
    let other = hub.member("Other", &[Role::Contributor]).await;
    let first = accepted(&other, contribution("first", draft(vec![pdq(1)]))).await.entry_id;
    let (asking, requests) = mpsc::channel(1);
    let mut checks = client.checks().check_stream(ReceiverStream::new(requests)).await.unwrap().into_inner();
    let mut distance = async || {
        asking.send(check_of([near(&pdq(1), 10)])).await.unwrap();
        match next(&mut checks).await.unwrap().unwrap().answer.unwrap() {
            v1::check_stream_response::Answer::Response(response) => response.matches[0].evidence[0].distance,
            v1::check_stream_response::Answer::Error(error) => panic!("{error:?}"),
        }
    };
    let mut feed = client
        .ledger()
        .follow(v1::FollowRequest { from: first, until_now: false, incident_first: false })
        .await
        .unwrap()
        .into_inner();
    let mut is_opened = async |entry| loop {
        match next(&mut feed).await.unwrap().unwrap().item.unwrap() {
            v1::follow_response::Item::Event(event) if event.index == entry => return event.opening.is_some(),
            _ => {}
        }
    };
    assert_eq!((distance().await, is_opened(first).await), (Some(10), true));

    set(&hub, &id, Standing::Contributor).await;
    let second = accepted(&other, contribution("second", draft(vec![pdq(2)]))).await.entry_id;
    let own = accepted(&client, contribution("own", draft(vec![pdq(3)]))).await.entry_id;
    assert_eq!((distance().await, is_opened(second).await, is_opened(own).await), (None, false, true));

    hub.operators().approve(&id, Standing::Trusted).await;
    let third = accepted(&other, contribution("third", draft(vec![pdq(4)]))).await.entry_id;
    assert_eq!((distance().await, is_opened(third).await), (Some(10), true));
    hub.stop().await;
}

/// More than the hub sends ahead to somebody who reads nothing, which is some 32 KiB of each list.
const MANY: u64 = 2_500;

/// A connection over which a kilobyte of a stream comes, and then no more until that is read.
async fn narrow(hub: &TestHub) -> Channel {
    Endpoint::from_shared(hub.url()).unwrap().initial_stream_window_size(1_024).connect().await.unwrap()
}

/// Opens the call and reads the first message.
async fn begin(channel: &Channel, key: &ApiKey, (method, message): &(&str, Vec<u8>)) -> Streaming<Vec<u8>> {
    let mut stream = open(channel, Some(key), method, vec![message.clone()]).await.unwrap();
    next(&mut stream).await.unwrap().expect("the first of many");
    stream
}

/// A stream that is in the midst of what it has to send.
#[tokio::test]
async fn a_long_answer_ends_where_it_is_when_the_key_is_revoked_or_its_member_suspended_or_set_down() {
    let hub = TestHub::start().await;
    let (_, busy) = hub.enrol("Busy", "NZ", &[Role::Contributor]).await;
    let items = (0..MANY).map(|n| v1::ContributeRequest {
        without_receipt: true,
        ..contribution(&format!("item-{n}"), draft(vec![pdq(n)]))
    });
    let items = tokio_stream::iter(items.collect::<Vec<_>>());
    let mut answers = hub.client(&busy).contributions().contribute_stream(items).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    for n in 0..MANY {
        let member = MemberId::from_bytes([9, 9, 9, (n >> 8) as u8, n as u8]);
        hub.running().use_cases().unwrap().count.add(member, ReadKind::Names, 1).unwrap();
    }

    let follow =
        ("LedgerService/Follow", v1::FollowRequest { from: 0, until_now: true, incident_first: false }.encode_to_vec());
    let key_id = busy.id().to_string();
    let contributions = v1::ListContributionsRequest { key_id, since: None }.encode_to_vec();
    let contributions = ("AdminService/ListContributions", contributions);
    let reads = ("AdminService/ListReads", v1::ListReadsRequest::default().encode_to_vec());
    let everything = [follow.clone(), contributions.clone(), reads.clone()];
    let channel = narrow(&hub).await;
    for (name, roles, status, calls, end) in [
        ("Revoked", &[Role::Contributor, Role::Auditor][..], None, &everything[..], NOT_LIVE),
        ("Suspended", &[Role::Contributor, Role::Auditor], Some(Standing::Suspended), &everything, SUSPENDED),
        ("Set Down", &[Role::Contributor], Some(Standing::Checker), std::slice::from_ref(&follow), NO_FOLLOWER),
    ] {
        let (id, key) = hub.enrol(name, "NZ", roles).await;
        let mut open = Vec::new();
        for call in calls {
            open.push((call.0, begin(&channel, &key, call).await));
        }
        match status {
            Some(status) => set(&hub, &id, status).await,
            None => {
                let request = v1::RevokeKeyRequest { key_id: key.id().to_string() };
                hub.admin().admin().revoke_key(request).await.unwrap();
            }
        }
        // So long it may take.
        sleep(Duration::from_secs(1)).await;
        for (method, mut stream) in open {
            let mut seen = 1;
            let status = loop {
                match next(&mut stream).await {
                    Ok(Some(_)) => seen += 1,
                    Ok(None) => panic!("{name}: {method} is complete, of {seen}"),
                    Err(status) => break status,
                }
            };
            assert_eq!((status.code(), status.message()), end, "{name}: {method}");
            assert!(seen < MANY, "{name}: {method} went on, to {seen}");
            assert!(next(&mut stream).await.unwrap().is_none(), "{name}: {method}");
        }
    }
    hub.stop().await;
}
