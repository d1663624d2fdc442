//! What a check finds, in which order, and what it says of it.

use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::{Clock, Role};
use hashcommons::wire::{timestamp, v1};
use v1::{Action, Outcome, SignalKind};

use crate::items::{accepted, contribute, near, signal, some};
use crate::support::{TestHub, check_of, contribution, draft, pdq};

async fn check(client: &Client, request: v1::CheckRequest) -> v1::CheckResponse {
    client.checks().check(request).await.unwrap().into_inner()
}

fn ids(response: &v1::CheckResponse) -> Vec<u64> {
    response.matches.iter().map(|found| found.entry.as_ref().unwrap().entry_id).collect()
}

fn totals(response: &v1::CheckResponse) -> Vec<(Outcome, u64)> {
    response.results.iter().map(|result| (result.outcome(), result.total)).collect()
}

async fn hub_with_member() -> (TestHub, Client) {
    let hub = TestHub::start().await;
    hub.operators().set_policy("[newcomers]\ndays = 0").await;
    let (_, key) = hub.trusted("Both").await;
    let member = hub.client(&key);
    (hub, member)
}

#[tokio::test]
async fn a_limit_shows_the_nearest_and_the_total_counts_them_all() {
    let (hub, member) = hub_with_member().await;
    let mut entries = Vec::new();
    // The farthest first, so that age and nearness disagree.
    for bits in [12, 9, 6, 3, 0] {
        entries.push(contribute(&member, &format!("near-{bits}"), vec![near(&pdq(1), bits)]).await);
    }
    entries.reverse();
    for limit in 1..=6 {
        let response = check(&member, v1::CheckRequest { limit: Some(limit), ..check_of([pdq(1)]) }).await;
        let shown = entries.len().min(limit as usize);
        assert_eq!(ids(&response), entries[..shown]);
        assert_eq!(totals(&response), [(Outcome::Match, 5)]);
        assert_eq!(response.more, shown < 5, "limit {limit}");
    }
    hub.stop().await;
}

#[tokio::test]
async fn without_a_limit_a_hundred_are_shown() {
    let (hub, member) = hub_with_member().await;
    let items = (0..101).map(|n| contribution(&format!("item-{n}"), draft(vec![pdq(1), pdq(n + 2)])));
    let items = tokio_stream::iter(items.collect::<Vec<_>>());
    let mut answers = member.contributions().contribute_stream(items).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    let response = check(&member, check_of([pdq(1)])).await;
    assert_eq!((response.matches.len(), response.more, totals(&response)), (100, true, vec![(Outcome::Match, 101)]));
    hub.stop().await;
}

#[tokio::test]
async fn pdq_and_digests_come_first_then_the_nearest_by_share_of_bits_then_the_oldest() {
    let (hub, member) = hub_with_member().await;
    let (md5, phash, dhash) = (some(SignalKind::Md5, 1), some(SignalKind::Phash, 2), some(SignalKind::Dhash, 3));
    let weak_far = contribute(&member, "dhash-4", vec![near(&dhash, 4)]).await;
    let weak_equal = contribute(&member, "phash-0", vec![phash.clone()]).await;
    let strong_far = contribute(&member, "pdq-20", vec![near(&pdq(4), 20)]).await;
    let equal = contribute(&member, "md5", vec![md5.clone()]).await;
    let equal_too = contribute(&member, "pdq-0", vec![pdq(4)]).await;
    let strong_and_weak = contribute(&member, "both", vec![phash.clone(), near(&pdq(4), 30)]).await;
    let response = check(&member, check_of([phash, pdq(4), dhash, md5])).await;
    assert_eq!(ids(&response), [equal, equal_too, strong_far, strong_and_weak, weak_equal, weak_far]);
    let evidence: Vec<_> = response.matches[3].evidence.iter().map(|one| (one.kind(), one.distance())).collect();
    assert_eq!(evidence, [(SignalKind::Pdq, 30), (SignalKind::Phash, 0)], "strong before weak, in a match too");
    assert!(!response.more);
    hub.stop().await;
}

#[tokio::test]
async fn an_entry_that_several_queries_find_is_one_match_with_all_the_evidence_whatever_the_limit() {
    let (hub, member) = hub_with_member().await;
    let one = contribute(&member, "one", vec![pdq(1), near(&pdq(2), 5)]).await;
    let two = contribute(&member, "two", vec![near(&pdq(1), 3), pdq(2)]).await;
    for limit in [1, 2] {
        let request = v1::CheckRequest { limit: Some(limit), ..check_of([pdq(1), pdq(2), pdq(3)]) };
        let response = check(&member, request).await;
        assert_eq!(ids(&response), [one, two][..limit as usize]);
        assert_eq!(totals(&response), [(Outcome::Match, 2), (Outcome::Match, 2), (Outcome::NoMatch, 0)]);
        assert_eq!(response.more, limit == 1);
        let evidence = &response.matches[0].evidence;
        let evidence: Vec<_> = evidence.iter().map(|one| (one.signal, one.distance())).collect();
        assert_eq!(evidence, [(0, 0), (1, 5)], "limit {limit}");
    }
    hub.stop().await;
}

#[tokio::test]
async fn entries_with_one_hash_are_all_found_oldest_first() {
    let (hub, member) = hub_with_member().await;
    let other = hub.member("Other", &[Role::Contributor]).await;
    for kind in [SignalKind::Pdq, SignalKind::Phash, SignalKind::Dhash, SignalKind::Md5, SignalKind::Sha256] {
        let hash = some(kind, 7);
        let mut entries = Vec::new();
        for (n, client) in [&member, &other, &member].into_iter().enumerate() {
            entries.push(contribute(client, &format!("{kind:?}-{n}"), vec![hash.clone()]).await);
        }
        let upper = signal(kind, &hash.value.to_uppercase());
        let response = check(&member, v1::CheckRequest { limit: Some(2), ..check_of([upper]) }).await;
        assert_eq!((ids(&response), response.more), (entries[..2].to_vec(), true), "{kind:?}");
        assert_eq!(totals(&response), [(Outcome::Match, 3)]);
        let is_caller: Vec<_> = response.matches.iter().map(|found| found.entry.as_ref().unwrap()).collect();
        let is_caller: Vec<_> = is_caller.iter().map(|entry| entry.contributor.as_ref().unwrap().is_caller).collect();
        assert_eq!(is_caller, [true, false]);
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_querys_own_radius_decides_and_without_one_its_kinds_default() {
    let (hub, member) = hub_with_member().await;
    for (kind, default, max) in [(SignalKind::Pdq, 31, 31), (SignalKind::Phash, 0, 8), (SignalKind::Dhash, 4, 8)] {
        for bits in 0..=max + 1 {
            let hash = some(kind, 1_000 + u64::from(bits));
            contribute(&member, &format!("{kind:?}-{bits}"), vec![near(&hash, bits as usize)]).await;
            let mut request = check_of([hash.clone(), hash.clone(), hash]);
            request.queries[0].radius = Some(bits.min(max));
            request.queries[1].radius = Some(bits.saturating_sub(1));
            let expected = [bits <= max, bits == 0, bits <= default];
            let found: Vec<_> = check(&member, request).await.results.iter().map(v1::QueryResult::outcome).collect();
            let expected = expected.map(|found| if found { Outcome::Match } else { Outcome::NoMatch });
            assert_eq!(found, expected, "{kind:?} at {bits} bits");
        }
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_featureless_query_says_so_and_the_others_are_answered() {
    let (hub, member) = hub_with_member().await;
    let entry = contribute(&member, "one", vec![pdq(1)]).await;
    let of_quality = |quality| v1::Signal { quality: Some(quality), ..pdq(1) };
    let response = check(&member, check_of([of_quality(49), of_quality(50), pdq(2)])).await;
    assert_eq!(totals(&response), [(Outcome::TooFeatureless, 0), (Outcome::Match, 1), (Outcome::NoMatch, 0)]);
    assert_eq!(ids(&response), [entry]);
    assert_eq!(response.matches[0].evidence[0].signal, 1);
    hub.stop().await;
}

#[tokio::test]
async fn entries_whose_time_has_passed_count_for_nothing_beyond_the_limit_either() {
    let (hub, member) = hub_with_member().await;
    for kind in [SignalKind::Pdq, SignalKind::Phash, SignalKind::Dhash, SignalKind::Md5, SignalKind::Sha256] {
        let lasting = contribute(&member, &format!("{kind:?}-lasting"), vec![some(kind, 1)]).await;
        let mut short = draft(vec![some(kind, 1)]);
        short.provenance.as_mut().unwrap().valid_until = Some(timestamp(hub.clock.now().plus(Duration::from_secs(60))));
        accepted(&member, contribution(&format!("{kind:?}-short"), short)).await;
        let one = v1::CheckRequest { limit: Some(1), ..check_of([some(kind, 1)]) };
        let response = check(&member, one.clone()).await;
        assert_eq!((totals(&response), response.more), (vec![(Outcome::Match, 2)], true), "{kind:?}");

        hub.clock.advance(Duration::from_secs(60));
        let response = check(&member, one.clone()).await;
        assert_eq!(ids(&response), [lasting], "{kind:?}: at once");
        // A commit tidies the indexes; without one they do so within a moment.
        contribute(&member, &format!("{kind:?}-later"), vec![some(kind, 2)]).await;
        let response = check(&member, one).await;
        assert_eq!((ids(&response), totals(&response)), (vec![lasting], vec![(Outcome::Match, 1)]), "{kind:?}");
        assert!(!response.more, "{kind:?}");
    }
    hub.stop().await;
}

#[tokio::test]
async fn only_a_64_bit_hash_as_evidence_lowers_the_action_to_review() {
    let (hub, member) = hub_with_member().await;
    let all = vec![pdq(1), some(SignalKind::Phash, 1), some(SignalKind::Dhash, 1), some(SignalKind::Md5, 1)];
    contribute(&member, "item", all.clone()).await;
    for (signals, weak) in [
        (vec![all[0].clone()], false),
        (vec![all[3].clone()], false),
        (vec![all[1].clone()], true),
        (vec![all[2].clone()], true),
        (vec![all[1].clone(), all[2].clone()], true),
        (vec![all[1].clone(), all[0].clone()], false),
    ] {
        let response = check(&member, check_of(signals.clone())).await;
        let assessment = response.matches[0].assessment.as_ref().unwrap();
        let expected = if weak { Action::Review } else { Action::BlockPendingReview };
        assert_eq!(assessment.action(), expected, "{signals:?}");
        assert_eq!(assessment.reasons.iter().any(|reason| reason.rule == "weak-evidence"), weak, "{signals:?}");
    }
    hub.stop().await;
}

#[tokio::test]
async fn each_ceiling_is_among_the_reasons_and_the_lowest_is_the_action() {
    let (hub, member) = hub_with_member().await;
    type Spoil = fn(&mut v1::Provenance);
    let news: Spoil = |p| p.contexts = vec![v1::Context::News.into()];
    let media: Spoil = |p| p.producer = v1::Producer::Media.into();
    let bystander: Spoil = |p| p.producer = v1::Producer::Bystander.into();
    let unsure: Spoil = |p| p.confidence = Some(49);
    let sure: Spoil = |p| p.confidence = Some(50);
    let modest: Spoil = |p| p.action_max = Action::LogOnly.into();
    let unseen: Spoil = |p| (p.origin, p.reviewers) = (v1::Origin::Automated.into(), v1::Reviewers::None.into());
    for (n, (spoil, rule, action)) in [
        (news, Some("context"), Action::Review),
        (media, Some("producer"), Action::Review),
        (bystander, Some("producer"), Action::Review),
        (unsure, Some("confidence"), Action::Review),
        (sure, None, Action::BlockPendingReview),
        (modest, Some("contributor"), Action::LogOnly),
        (unseen, Some("unseen"), Action::Review),
    ]
    .into_iter()
    .enumerate()
    {
        let hash = pdq(n as u64);
        let mut draft = draft(vec![hash.clone()]);
        spoil(draft.provenance.as_mut().unwrap());
        accepted(&member, contribution(&format!("item-{n}"), draft)).await;
        let response = check(&member, check_of([hash])).await;
        let assessment = response.matches[0].assessment.clone().unwrap();
        assert_eq!((assessment.standing(), assessment.action()), (v1::Standing::Provisional, action), "{rule:?}");
        let lowest: Vec<_> = assessment.reasons.iter().filter(|reason| reason.ceiling() == action).collect();
        if let Some(rule) = rule {
            assert_eq!(lowest.iter().map(|reason| reason.rule.as_str()).collect::<Vec<_>>(), [rule]);
        }
        assert!(assessment.reasons.iter().all(|reason| !reason.words.is_empty()));
    }
    hub.stop().await;
}

#[tokio::test]
async fn who_contributed_is_a_pseudonym_to_all_but_admins_and_auditors() {
    let hub = TestHub::start().await;
    let (contributor, key) = hub.enrol("Contributor Ltd", "FR", &[Role::Contributor]).await;
    let entry = contribute(&hub.client(&key), "one", vec![pdq(1)]).await;
    let trace = v1::TraceRequest { entry_id: entry, against: vec![] };
    for (n, (roles, named)) in [
        (&[Role::Checker][..], false),
        (&[Role::Contributor], false),
        (&[Role::Reviewer], false),
        (&[Role::Checker, Role::Auditor], true),
        (&[Role::Checker, Role::Admin], true),
    ]
    .into_iter()
    .enumerate()
    {
        let client = hub.member(&format!("Member {n}"), roles).await;
        let mut seen = check(&client, check_of([pdq(1)])).await.matches.remove(0).entry.into_iter().collect::<Vec<_>>();
        if roles.iter().any(|role| !matches!(role, Role::Checker | Role::Contributor)) {
            seen.extend(client.reviews().trace(trace.clone()).await.unwrap().into_inner().entry);
        }
        let expected = v1::Contributor {
            pseudonym: contributor.clone(),
            is_caller: false,
            name: named.then(|| "Contributor Ltd".to_owned()),
            jurisdiction: named.then(|| "FR".to_owned()),
            mark: String::new(),
        };
        for summary in seen {
            assert_eq!(summary.contributor.as_ref(), Some(&expected), "{roles:?}");
        }
    }
    hub.stop().await;
}
