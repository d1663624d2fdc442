//! What those learn of a match who are not trusted with distances, and what becomes of those who ask their way to a listed hash.

use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::{Role, Status};
use hashcommons::policy::{ApiKey, WalkLimits};
use hashcommons::wire::v1::{self, Band};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use v1::check_stream_response::Answer;

use crate::enrolment::approve;
use crate::items::contribute;
use crate::media::{drawing, png};
use crate::support::{TestHub, check_of, contribution, draft};

/// A hash of which half of the bits are set, as a picture's.
fn picture(seed: u64) -> [u8; 32] {
    let mut bits: Vec<usize> = (0..256).collect();
    bits.shuffle(&mut StdRng::seed_from_u64(seed));
    let mut hash = [0; 32];
    bits[..128].iter().for_each(|bit| hash[bit / 8] |= 1 << (bit % 8));
    hash
}

/// Another such hash, `distance` bits (even) away.
fn near(hash: [u8; 32], distance: usize, seed: u64) -> [u8; 32] {
    let mut near = hash;
    let mut bits: Vec<usize> = (0..256).collect();
    bits.shuffle(&mut StdRng::seed_from_u64(seed));
    for set in [0, 1] {
        let of = bits.iter().filter(|bit| hash[*bit / 8] >> (*bit % 8) & 1 == set);
        of.take(distance / 2).for_each(|bit| near[bit / 8] ^= 1 << (bit % 8));
    }
    near
}

fn signal(hash: [u8; 32]) -> v1::Signal {
    let value = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    v1::Signal { kind: v1::SignalKind::Pdq.into(), value, quality: Some(100) }
}

async fn found(client: &Client, request: v1::CheckRequest) -> v1::CheckResponse {
    client.checks().check(request).await.unwrap().into_inner()
}

/// Each match as its entry, its band and its distance.
fn seen(response: &v1::CheckResponse) -> Vec<(u64, Band, Option<u32>)> {
    let of = |found: &v1::Match| {
        let [evidence] = &found.evidence[..] else { panic!("{found:?}") };
        (found.entry.as_ref().unwrap().entry_id, evidence.band(), evidence.distance)
    };
    response.matches.iter().map(of).collect()
}

#[tokio::test]
async fn members_see_bands_and_those_who_are_trusted_or_review_distances_too() {
    let hub = TestHub::start().await;
    let (_, trusted) = hub.trusted("Trusted").await;
    let trusted = hub.client(&trusted);
    let listed = picture(1);
    let entry = contribute(&trusted, "one", vec![signal(listed)]).await;
    let [checker, contributor, reviewer] = [Role::Checker, Role::Contributor, Role::Reviewer];
    let checker = hub.member("Checker", &[checker]).await;
    let contributor = hub.member("Contributor", &[contributor]).await;
    let reviewer = hub.member("Reviewer", &[reviewer]).await;
    for (distance, band) in
        [(0, Band::Identical), (2, Band::Near), (20, Band::Near), (22, Band::Similar), (30, Band::Similar)]
    {
        let request = check_of([signal(near(listed, distance, 7))]);
        for client in [&checker, &contributor] {
            assert_eq!(seen(&found(client, request.clone()).await), [(entry, band, None)]);
        }
        for client in [&trusted, &reviewer] {
            assert_eq!(seen(&found(client, request.clone()).await), [(entry, band, Some(distance as u32))]);
        }
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_radius_inside_a_band_is_for_those_who_see_distances() {
    let hub = TestHub::start().await;
    let (_, trusted) = hub.trusted("Trusted").await;
    let (trusted, checker) = (hub.client(&trusted), hub.member("Checker", &[Role::Checker]).await);
    let listed = picture(1);
    contribute(&trusted, "one", vec![signal(listed)]).await;
    let ask = |radius| {
        let mut request = check_of([signal(listed), signal(near(listed, 16, 1))]);
        request.queries[1].radius = Some(radius);
        request
    };
    for radius in 0..=31 {
        let matches = |response: v1::CheckResponse| response.results[1].total;
        assert_eq!(matches(found(&trusted, ask(radius)).await), u64::from(radius >= 16));
        let answer = checker.checks().check(ask(radius)).await;
        if [0, 20, 31].contains(&radius) {
            assert_eq!(matches(answer.unwrap().into_inner()), u64::from(radius >= 16));
        } else {
            let refused = answer.unwrap_err();
            let words = "queries[1].radius: must be 0 or 20 or 31 for pdq: other radii are for trusted members, as distances are";
            assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, words));
        }
    }
    hub.stop().await;
}

#[tokio::test]
async fn neither_the_order_of_matches_nor_which_are_shown_tells_a_distance() {
    let hub = TestHub::start().await;
    let (_, trusted) = hub.trusted("Trusted").await;
    let (trusted, checker) = (hub.client(&trusted), hub.member("Checker", &[Role::Checker]).await);
    let asked = picture(1);
    let mut entries = Vec::new();
    for (n, distance) in [24, 18, 2, 28, 22].into_iter().enumerate() {
        let signal = signal(near(asked, distance, n as u64));
        entries.push(contribute(&trusted, &format!("item-{n}"), vec![signal]).await);
    }
    let order = |picks: [usize; 5]| picks.map(|at| entries[at]).to_vec();
    let ids = |response: &v1::CheckResponse| seen(response).iter().map(|(id, ..)| *id).collect::<Vec<_>>();
    let request = check_of([signal(asked)]);
    assert_eq!(ids(&found(&trusted, request.clone()).await), order([2, 1, 4, 0, 3]));
    assert_eq!(ids(&found(&checker, request.clone()).await), order([1, 2, 0, 3, 4]));
    for limit in 1..=5 {
        let request = v1::CheckRequest { limit: Some(limit as u32), ..request.clone() };
        let response = found(&checker, request).await;
        assert_eq!(ids(&response), order([1, 2, 0, 3, 4])[..limit]);
        assert_eq!((response.more, response.results[0].total), (limit < 5, 5));
    }
    hub.stop().await;
}

#[tokio::test]
async fn which_of_very_many_matches_are_shown_tells_no_distance_either() {
    let hub = TestHub::start().await;
    let (_, trusted) = hub.trusted("Trusted").await;
    let (trusted, checker) = (hub.client(&trusted), hub.member("Checker", &[Role::Checker]).await);
    let asked = picture(1);
    // More than an answer may show, all in one band; the nearest comes last.
    let distance = |n| if n < 1_001 { 28 } else { 22 };
    let items: Vec<_> = (0..1_002)
        .map(|n| contribution(&format!("item-{n}"), draft(vec![signal(near(asked, distance(n), n))])))
        .collect();
    let mut answers = trusted.contributions().contribute_stream(tokio_stream::iter(items)).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    let request = v1::CheckRequest { limit: Some(1_000), ..check_of([signal(asked)]) };
    let ids = |response: &v1::CheckResponse| seen(response).iter().map(|(id, ..)| *id).collect::<Vec<_>>();
    let shown = ids(&found(&checker, request.clone()).await);
    let nearest = ids(&found(&trusted, request).await)[0];
    assert!(shown.is_sorted() && shown.len() == 1_000 && shown[999] + 2 == nearest, "the oldest of the band");
    hub.stop().await;
}

/// A hub where a slowed answer is hardly late, with one listed hash; and the questions of a walk around it.
async fn walked() -> (TestHub, Vec<v1::Signal>) {
    let hub = TestHub::start_with(|config| {
        config.hub.walks = WalkLimits { slow_by: Duration::from_millis(1), ..WalkLimits::default() };
    })
    .await;
    let (_, trusted) = hub.trusted("Trusted").await;
    let listed = picture(1);
    contribute(&hub.client(&trusted), "one", vec![signal(listed)]).await;
    let centre = near(listed, 30, 3);
    (hub, (0..200).map(|n| signal(near(centre, 2, 100 + n))).collect())
}

/// Walks until blocked; after how many questions.
async fn walk(client: &Client, questions: &[v1::Signal]) -> Option<usize> {
    for (at, question) in questions.iter().enumerate() {
        match client.checks().check(check_of([question.clone()])).await {
            Ok(_) => {}
            Err(refused) => {
                assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
                return Some(at);
            }
        }
    }
    None
}

/// What was recorded of walks, with whose key.
async fn recorded(hub: &TestHub) -> Vec<(String, String, String)> {
    let kinds = ["walk-seen", "walk-cleared"].map(str::to_owned).to_vec();
    let request = v1::ListAuditRequest { kinds, ascending: true, ..Default::default() };
    let events = hub.admin().admin().list_audit(request).await.unwrap().into_inner().events;
    events.into_iter().map(|event| (event.kind, event.walk, event.by_key_id)).collect()
}

#[tokio::test]
async fn who_asks_its_way_to_a_listed_hash_is_flagged_slowed_and_blocked_until_an_operator_has_looked() {
    let (hub, questions) = walked().await;
    let (member, key) = hub.enrol("Walker", "NZ", &[Role::Checker]).await;
    let other = hub.member("Other", &[Role::Checker]).await;
    let blocked = walk(&hub.client(&key), &questions).await.expect("it is caught");
    assert!((20..100).contains(&blocked), "{blocked}");
    let seen = |level: &str| ("walk-seen".to_owned(), level.to_owned(), key.id().to_string());
    assert_eq!(recorded(&hub).await, ["flagged", "slowed", "blocked"].map(seen));

    // Whatever it asks, however, with whichever key.
    let words = "checks of this member are blocked: its questions looked like a search for what a listed hash is. Ask the hub's \
                 operator, who can release it";
    let issue = v1::IssueKeyRequest { member_id: member.clone(), ..Default::default() };
    let issued = hub.admin().admin().issue_key(issue).await.unwrap().into_inner();
    let second: ApiKey = issued.secret.parse().unwrap();
    let harmless = check_of([signal(picture(9))]);
    for key in [&key, &second] {
        let client = hub.client(key);
        let refused = client.checks().check(harmless.clone()).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::PermissionDenied, words));
        let options = v1::check_media_request::Options::default();
        let refused = client.check_media(png(&drawing(64, 64)), options).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::PermissionDenied, words));
        let stream = tokio_stream::iter([harmless.clone()]);
        let mut answers = client.checks().check_stream(stream).await.unwrap().into_inner();
        let Some(Answer::Error(error)) = answers.message().await.unwrap().unwrap().answer else { panic!("no error") };
        assert_eq!((error.code, error.message.as_str()), (i32::from(Code::PermissionDenied), words));
    }
    // Nobody else.
    for question in &questions[..3] {
        found(&other, check_of([question.clone()])).await;
    }
    hub.check().await;

    let hub = hub.restart().await;
    hub.client(&key).checks().check(harmless.clone()).await.unwrap_err();
    let told = hub.admin().admin().list_members(v1::ListMembersRequest {}).await.unwrap().into_inner().members;
    assert_eq!(told.iter().find(|one| one.member_id == member).unwrap().walk, "blocked");
    let release = v1::ReleaseMemberRequest { member_id: member };
    let released = hub.admin().admin().release_member(release.clone()).await.unwrap().into_inner();
    assert_eq!((released.walk.as_str(), released.walk_seen), ("", None));
    found(&hub.client(&key), harmless).await;
    let by_admin = ("walk-cleared".to_owned(), String::new(), hub.admin_key.id().to_string());
    assert_eq!(recorded(&hub).await.last(), Some(&by_admin));
    let again = hub.admin().admin().release_member(release).await.unwrap_err();
    assert_eq!(again.code(), Code::FailedPrecondition);
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn a_release_forgets_what_was_asked_and_what_comes_after_it_counts_again() {
    let (hub, questions) = walked().await;
    let (member_id, key) = hub.enrol("Walker", "NZ", &[Role::Checker]).await;
    let first = walk(&hub.client(&key), &questions).await.unwrap();
    hub.admin().admin().release_member(v1::ReleaseMemberRequest { member_id }).await.unwrap();
    let again = walk(&hub.client(&key), &questions).await.unwrap();
    assert_eq!(again, first, "the same questions, from nothing");
    hub.stop().await;
}

#[tokio::test]
async fn a_walk_in_a_stream_or_spread_over_keys_or_over_one_owners_members_is_caught_as_well() {
    let (hub, questions) = walked().await;
    let alone = hub.member("Alone", &[Role::Checker]).await;
    let most = walk(&alone, &questions).await.unwrap();

    let streamed = hub.member("Streamed", &[Role::Checker]).await;
    let (sender, receiver) = mpsc::channel(1);
    let mut answers = streamed.checks().check_stream(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    let mut asked = 0;
    for question in &questions {
        sender.send(check_of([question.clone()])).await.unwrap();
        match answers.message().await.unwrap().unwrap().answer.unwrap() {
            Answer::Response(_) => asked += 1,
            Answer::Error(error) => {
                assert_eq!(error.code, i32::from(Code::PermissionDenied));
                break;
            }
        }
    }
    assert_eq!(asked, most);

    let mut owners = Vec::new();
    for name in ["First of two", "Second of two"] {
        let request = v1::EnrolMemberRequest {
            name: name.to_owned(),
            jurisdiction: "NZ".to_owned(),
            control_group: "one-owner".to_owned(),
            ..Default::default()
        };
        let member_id = hub.admin().admin().enrol_member(request).await.unwrap().into_inner().member_id;
        approve(&hub.admin(), &member_id, Status::Checker).await.unwrap();
        let issue = v1::IssueKeyRequest { member_id, ..Default::default() };
        let issued = hub.admin().admin().issue_key(issue).await.unwrap().into_inner();
        owners.push(hub.client(&issued.secret.parse().unwrap()));
    }
    let mut asked = 0;
    for (question, owner) in questions.iter().zip(owners.iter().cycle()) {
        if owner.checks().check(check_of([question.clone()])).await.is_err() {
            break;
        }
        asked += 1;
    }
    assert_eq!(asked, most);
    hub.stop().await;
}

#[tokio::test]
async fn a_walk_behind_a_nearer_match_is_seen_however_few_matches_are_asked_for() {
    let (hub, questions) = walked().await;
    let open = walk(&hub.member("In the open", &[Role::Checker]).await, &questions).await.unwrap();
    // Nearer to all of the questions than what they walk around, and older than nothing else.
    let (_, trusted) = hub.trusted("Another").await;
    contribute(&hub.client(&trusted), "decoy", vec![signal(near(picture(1), 30, 3))]).await;
    let hidden = hub.member("Behind it", &[Role::Checker]).await;
    let mut asked = 0;
    for question in &questions {
        let request = v1::CheckRequest { limit: Some(1), ..check_of([question.clone()]) };
        match hidden.checks().check(request).await {
            Ok(answer) => assert_eq!(answer.into_inner().matches.len(), 1),
            Err(_) => break,
        }
        asked += 1;
    }
    assert_eq!(asked, open);
    hub.stop().await;
}

#[tokio::test]
async fn nobody_is_taken_to_walk_around_what_it_put_on_the_list_itself() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Contributor", "NZ", &[Role::Checker, Role::Contributor]).await;
    let member = hub.client(&key);
    contribute(&member, "own", vec![signal(picture(1))]).await;
    let centre = near(picture(1), 30, 3);
    let questions: Vec<_> = (0..200).map(|n| signal(near(centre, 2, 100 + n))).collect();
    assert_eq!(walk(&member, &questions).await, None);
    assert_eq!(recorded(&hub).await, []);
    hub.stop().await;
}

#[tokio::test]
async fn trusted_members_and_reviewers_who_have_the_hashes_anyway_are_not_watched() {
    let (hub, questions) = walked().await;
    let (_, trusted) = hub.trusted("Another").await;
    let reviewer = hub.member("Reviewer", &[Role::Reviewer]).await;
    for client in [hub.client(&trusted), reviewer] {
        assert_eq!(walk(&client, &questions).await, None);
    }
    assert_eq!(recorded(&hub).await, []);
    hub.stop().await;
}
