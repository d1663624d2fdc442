//! Followers of the ledger: every leaf to everybody, what it says only to those who may read it.

use hashcommons::client::Client;
use hashcommons::domain::{Clock, Fact, Role};
use hashcommons::ledger::record::decode_event;
use hashcommons::ledger::{Checkpoint, Frontier, Leaf, Salt, SignedCheckpoint, VerifierKey};
use hashcommons::wire::v1::{self, follow_response::Item, opening};
use tonic::Streaming;

use crate::items::{accepted, contribute, verifier};
use crate::support::{TestHub, contribution, draft, pdq};

async fn follow(client: &Client, from: u64, until_now: bool) -> Streaming<v1::FollowResponse> {
    client.ledger().follow(v1::FollowRequest { from, until_now, incident_first: false }).await.unwrap().into_inner()
}

async fn next(feed: &mut Streaming<v1::FollowResponse>) -> Item {
    feed.message().await.unwrap().expect("the feed goes on").item.unwrap()
}

async fn next_event(feed: &mut Streaming<v1::FollowResponse>) -> v1::LedgerEvent {
    match next(feed).await {
        Item::Event(event) => event,
        Item::Checkpoint(_) => panic!("a checkpoint where an event was expected"),
    }
}

fn signed(text: &str, key: &VerifierKey) -> Checkpoint {
    text.parse::<SignedCheckpoint>().unwrap().verify(key).unwrap().clone()
}

/// All events from `from` to the present end, and the checkpoint that ends them.
pub async fn events(client: &Client, from: u64) -> (Vec<v1::LedgerEvent>, String) {
    let mut feed = follow(client, from, true).await;
    let mut events = Vec::new();
    let checkpoint = loop {
        match next(&mut feed).await {
            Item::Event(event) => events.push(event),
            Item::Checkpoint(checkpoint) => break checkpoint,
        }
    };
    assert_eq!(feed.message().await.unwrap(), None, "the checkpoint comes last");
    (events, checkpoint)
}

fn leaf(event: &v1::LedgerEvent) -> Leaf {
    Leaf::from_bytes(&event.leaf).unwrap()
}

fn opens(event: &v1::LedgerEvent) -> bool {
    event.opening.as_ref().is_some_and(|opening| {
        let salt = Salt::from_bytes(opening.salt.as_slice().try_into().unwrap());
        leaf(event).opens(&salt, &opening.record)
    })
}

#[tokio::test]
async fn a_follower_computes_the_root_that_the_checkpoint_signs_and_every_opening_opens_its_leaf() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor]).await;
    let auditor = hub.member("Auditor", &[Role::Auditor]).await;
    // More than the hub sends at a time.
    let items = (0..700).map(|n| v1::ContributeRequest {
        without_receipt: true,
        ..contribution(&format!("item-{n}"), draft(vec![pdq(n)]))
    });
    let items = tokio_stream::iter(items.collect::<Vec<_>>());
    let mut answers = member.contributions().contribute_stream(items).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    let withdraw = v1::WithdrawRequest { entry_id: 10, reason: v1::WithdrawReason::Outdated.into() };
    member.contributions().withdraw(withdraw).await.unwrap();

    let (events, checkpoint) = events(&auditor, 0).await;
    let mut frontier = Frontier::empty();
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event.index, at as u64);
        assert!(opens(event), "event {at}");
        frontier.append(leaf(event).hash(), |_, _| {});
    }
    let checkpoint = signed(&checkpoint, &verifier(&hub));
    assert_eq!((checkpoint.size(), checkpoint.root()), (frontier.size(), frontier.root()));
    assert_eq!(checkpoint.size(), hub.check().await.events);
    hub.stop().await;
}

#[tokio::test]
async fn what_an_opening_says_in_words_is_what_its_record_says() {
    let hub = TestHub::start().await;
    let (member_id, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor]).await;
    let member = hub.client(&key);
    let entry = contribute(&member, "one", vec![pdq(1)]).await;
    let withdraw = v1::WithdrawRequest { entry_id: entry, reason: v1::WithdrawReason::WrongLabel.into() };
    member.contributions().withdraw(withdraw).await.unwrap();
    let admin = hub.admin();
    let rotate = v1::RotateKeyRequest { key_id: key.id().to_string(), ..Default::default() };
    admin.admin().rotate_key(rotate).await.unwrap();
    admin.admin().revoke_key(v1::RevokeKeyRequest { key_id: key.id().to_string() }).await.unwrap();
    let since = Some(hashcommons::wire::timestamp(hub.clock.now()));
    let compromised = v1::MarkKeyCompromisedRequest { key_id: key.id().to_string(), since };
    admin.admin().mark_key_compromised(compromised).await.unwrap();
    let suspend = v1::SetMemberStatusRequest {
        member_id: member_id.clone(),
        status: v1::MemberStatus::Suspended.into(),
        reason: v1::StatusReason::Legal.into(),
    };
    admin.admin().set_member_status(suspend.clone()).await.unwrap();
    admin.admin().set_member_status(suspend).await.unwrap_err();
    admin.admin().list_members(v1::ListMembersRequest {}).await.unwrap();

    let (events, _) = events(&admin, 0).await;
    let mut kinds = Vec::new();
    for event in &events {
        let opening = event.opening.as_ref().unwrap();
        let recorded = decode_event(&opening.record).unwrap();
        assert_eq!(opening.kind, recorded.fact.kind().to_string());
        assert_eq!(opening.request_id, recorded.request.map(|id| id.to_string()).unwrap_or_default());
        assert_eq!(opening.at, Some(hashcommons::wire::timestamp(recorded.at)));
        match (opening.fact.as_ref().unwrap(), &recorded.fact) {
            (opening::Fact::Contributed(said), Fact::Contributed { taxonomy, .. }) => {
                assert_eq!((said.draft.as_ref(), said.taxonomy_version), (Some(&draft(vec![pdq(1)])), *taxonomy));
                assert_eq!(opening.actor, member_id);
            }
            (opening::Fact::Withdrawn(said), Fact::Withdrawn { .. }) => {
                assert_eq!((said.entry_id, said.reason.as_str()), (entry, "wrong-label"));
                assert_eq!(opening.actor, member_id);
            }
            (opening::Fact::MemberEnrolled(said), Fact::MemberEnrolled(member)) => {
                assert_eq!(said.member_id, member.id.to_string());
            }
            (opening::Fact::MemberApproved(said), Fact::MemberApproved { member, to, is_enough, .. }) => {
                assert_eq!((&said.member_id, &said.to), (&member.to_string(), &to.to_string()));
                assert_eq!(said.is_enough, *is_enough);
            }
            (opening::Fact::MemberStatusSet(said), Fact::MemberStatusSet { member, status, reason }) => {
                let said = [&said.member_id, &said.status, &said.reason];
                assert_eq!(said, [&member.to_string(), &status.to_string(), &reason.to_string()]);
            }
            (opening::Fact::KeyIssued(said), Fact::KeyIssued(key)) => {
                assert_eq!((&said.key_id, &said.member_id), (&key.id.to_string(), &key.member.to_string()));
            }
            (opening::Fact::KeyRotated(said), Fact::KeyRotated { key, replaces, until }) => {
                assert_eq!((&said.key_id, &said.replaces_key_id), (&key.id.to_string(), &replaces.to_string()));
                assert_eq!(said.until, Some(hashcommons::wire::timestamp(*until)));
            }
            (opening::Fact::KeyCompromised(said), Fact::KeyCompromised { key, since }) => {
                assert_eq!((&said.key_id, said.since), (&key.to_string(), Some(hashcommons::wire::timestamp(*since))));
            }
            (opening::Fact::KeyRevoked(said), Fact::KeyRevoked { key }) => assert_eq!(said.key_id, key.to_string()),
            (opening::Fact::AdminRefused(said), Fact::AdminRefused { attempted, member, key: None, reason, count }) => {
                let said = (&said.attempted, &said.member_id, &*said.key_id, &said.reason, said.count);
                let member = member.unwrap().to_string();
                assert_eq!(said, (&attempted.to_string(), &member, "", &reason.to_string(), *count));
            }
            (opening::Fact::NamesShown(_), Fact::NamesShown) => {}
            (said, fact) => panic!("{said:?} is not {fact:?}"),
        }
        kinds.push(opening.kind.as_str());
    }
    // The hub's founding enrols its operator.
    assert_eq!(kinds[..3], ["member-enrolled", "key-issued", "key-issued"]);
    let of_the_member = ["member-enrolled", "member-approved", "member-approved", "key-issued"];
    assert_eq!(kinds[3..7], of_the_member);
    assert_eq!(
        kinds[7..],
        [
            "contributed",
            "withdrawn",
            "key-rotated",
            "key-revoked",
            "key-compromised",
            "member-status-set",
            "admin-refused",
            "names-shown"
        ]
    );
    assert_eq!(events[0].opening.as_ref().unwrap().actor, "", "the hub itself");
    hub.stop().await;
}

#[tokio::test]
async fn members_keys_and_what_others_marked_red_are_sealed_for_contributors() {
    let hub = TestHub::start().await;
    let one = hub.member("One", &[Role::Contributor]).await;
    let other = hub.member("Other", &[Role::Contributor]).await;
    let (_, trusted) = hub.trusted("Trusted").await;
    let reviewer = hub.member("Reviewer", &[Role::Reviewer]).await;
    let auditor = hub.member("Auditor", &[Role::Auditor]).await;
    let marked = |n, tlp: v1::Tlp| {
        let mut draft = draft(vec![pdq(n)]);
        draft.provenance.as_mut().unwrap().tlp = tlp.into();
        contribution("entry", draft)
    };
    let red = accepted(&one, marked(1, v1::Tlp::Red)).await.entry_id;
    let strict = accepted(&other, marked(2, v1::Tlp::AmberStrict)).await.entry_id;
    let size = strict + 1;

    let (all, _) = events(&auditor, 0).await;
    assert!(all.iter().all(opens), "an auditor reads everything");
    let entries = red..size;
    for (name, client, readable) in [
        ("the red one's contributor", &one, red..strict),
        ("the other's contributor", &other, strict..size),
        ("a trusted contributor", &hub.client(&trusted), strict..size),
        ("a reviewer", &reviewer, entries),
        ("the operator", &hub.admin(), 0..size),
    ] {
        let (seen, _) = events(client, 0).await;
        // Those who read names have made an event each by it.
        assert!(seen.len() as u64 >= size);
        for (event, whole) in seen.iter().zip(&all) {
            assert_eq!(event.leaf, whole.leaf, "every leaf is sent to everybody");
            let expected = readable.contains(&event.index).then_some(whole.opening.as_ref()).flatten();
            assert_eq!(event.opening.as_ref(), expected, "event {} for {name}", event.index);
        }
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_live_follower_goes_on_where_it_was_and_sees_what_comes_after() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor]).await;
    let first = contribute(&member, "one", vec![pdq(1)]).await;
    let key = verifier(&hub);

    let mut feed = follow(&member, first, false).await;
    assert_eq!(next_event(&mut feed).await.index, first);
    let Item::Checkpoint(checkpoint) = next(&mut feed).await else { panic!("the end is reached") };
    let earlier = signed(&checkpoint, &key);
    assert_eq!(earlier.size(), first + 1);

    for n in 2..5 {
        let entry = contribute(&member, &format!("item-{n}"), vec![pdq(n)]).await;
        let event = next_event(&mut feed).await;
        assert_eq!(event.index, entry);
        assert!(opens(&event));
        let Item::Checkpoint(checkpoint) = next(&mut feed).await else { panic!("the end is reached again") };
        assert_eq!(signed(&checkpoint, &key).size(), entry + 1);
    }
    drop(feed);
    hub.stop().await;
}

#[tokio::test]
async fn a_follower_who_has_everything_is_given_the_checkpoint_alone() {
    let hub = TestHub::start().await;
    let auditor = hub.member("Auditor", &[Role::Auditor]).await;
    let size = hub.check().await.events;
    let (none, checkpoint) = events(&auditor, size).await;
    assert_eq!((none, signed(&checkpoint, &verifier(&hub)).size()), (vec![], size));
    let newest = auditor.ledger().get_checkpoint(v1::GetCheckpointRequest {}).await.unwrap().into_inner();
    assert_eq!(newest.checkpoint, checkpoint);
    hub.stop().await;
}
