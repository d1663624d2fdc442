//! An entry that far too many match at once falls to review by itself, until a reviewer has looked.

use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::wire::v1::{self, Ruling, opening::Fact};

use crate::follow::events;
use crate::items::contribute;
use crate::reviewing::{Party, a_month_passes, assessment, contributor, decide, reviewers, words};
use crate::support::{TestHub, check_of, pdq};

/// Two matches of each of three are a flood.
const POLICY: &str = "[floods]\nmatches_min = 6\nmembers_min = 3\ntimes_usual = 2";

struct Scene {
    hub: TestHub,
    source: Party,
    platforms: Vec<Party>,
    entry: u64,
}

/// An entry, and platforms of these owners.
async fn scene(owners: &[&str]) -> Scene {
    let hub = TestHub::start().await;
    hub.operators().set_policy(POLICY).await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    a_month_passes(&hub);
    let mut platforms = Vec::new();
    for (at, owner) in owners.iter().enumerate() {
        platforms.push(contributor(&hub, &format!("Platform {at}"), "FR", owner).await);
    }
    let entry = contribute(&source.client, "item", vec![pdq(1)]).await;
    Scene { hub, source, platforms, entry }
}

async fn meet(client: &Client, times: usize) {
    for _ in 0..times {
        client.checks().check(check_of([pdq(1)])).await.unwrap();
    }
}

/// The matches on disk.
fn written(hub: &TestHub) -> u64 {
    hub.running().use_cases().unwrap().store.matches_after(None).unwrap().map(|row| row.unwrap().1).sum()
}

/// Waits until the hub has looked at so many matches in all: what came of it is in the ledger then.
async fn looked_at(scene: &Scene, matches: u64) {
    for _ in 0..600 {
        if written(&scene.hub) == matches {
            // Sequenced by the same thread, after whatever it saw.
            contribute(&scene.source.client, &format!("after-{matches}"), vec![pdq(1_000 + matches)]).await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} of {matches} matches were written down", written(&scene.hub));
}

/// The floods that somebody without any duty is told of.
async fn floods(scene: &Scene) -> Vec<(u64, u64, u64)> {
    let (events, _) = events(&scene.platforms[0].client, 0).await;
    let flood = |event: &v1::LedgerEvent| match event.opening.as_ref()?.fact.as_ref()? {
        Fact::FloodSeen(flood) => Some((flood.entry_id, flood.matches, flood.usual)),
        _ => None,
    };
    events.iter().filter_map(flood).collect()
}

#[tokio::test]
async fn a_flood_of_three_is_said_once_falls_to_review_and_is_lifted_by_a_reviewer() {
    let scene = scene(&["", "", ""]).await;
    let [reviewer, _] = reviewers(&scene.hub).await;
    assert_eq!(assessment(&reviewer.client, scene.entry).await.action(), v1::Action::BlockPendingReview);
    for platform in &scene.platforms {
        meet(&platform.client, 2).await;
    }
    looked_at(&scene, 6).await;
    assert_eq!(floods(&scene).await, [(scene.entry, 6, 0)]);
    let judged = assessment(&reviewer.client, scene.entry).await;
    assert_eq!((judged.standing(), judged.action()), (v1::Standing::Disputed, v1::Action::Review));
    assert_eq!(words(&judged, "flood"), Some("it matched 6 times where 0 are usual; no reviewer has looked"));
    scene.hub.check().await;
    crate::statistics::recounted(&scene.hub).await;

    for platform in &scene.platforms {
        meet(&platform.client, 4).await;
    }
    looked_at(&scene, 18).await;
    assert_eq!(floods(&scene).await.len(), 1, "once until reviewers have decided");
    decide(&reviewer.client, scene.entry, Ruling::Uphold).await.unwrap();
    let judged = assessment(&reviewer.client, scene.entry).await;
    assert_eq!((judged.standing(), judged.action()), (v1::Standing::Provisional, v1::Action::BlockPendingReview));

    // What reviewers let stand is usual from then on: six more are none, twelve are.
    for platform in &scene.platforms {
        meet(&platform.client, 2).await;
    }
    looked_at(&scene, 24).await;
    assert_eq!(floods(&scene).await.len(), 1);
    for platform in &scene.platforms {
        meet(&platform.client, 2).await;
    }
    looked_at(&scene, 36 - 6).await;
    assert_eq!(floods(&scene).await, [(scene.entry, 6, 0), (scene.entry, 12, 6)]);
    scene.hub.check().await;
    crate::statistics::recounted(&scene.hub).await;
}

#[tokio::test]
async fn neither_one_member_nor_two_nor_three_of_one_owner_nor_a_third_of_less_than_its_share_make_an_entry_fall() {
    let scene = scene(&["", "owner", "owner", "owner", ""]).await;
    meet(&scene.platforms[0].client, 40).await;
    looked_at(&scene, 40).await;
    assert_eq!(floods(&scene).await, [], "one alone");
    for platform in &scene.platforms[1..4] {
        meet(&platform.client, 10).await;
    }
    looked_at(&scene, 70).await;
    assert_eq!(floods(&scene).await, [], "its owner's count as one");
    meet(&scene.platforms[4].client, 1).await;
    looked_at(&scene, 71).await;
    assert_eq!(floods(&scene).await, [], "the third has not brought its share");
    meet(&scene.platforms[4].client, 1).await;
    looked_at(&scene, 72).await;
    assert_eq!(floods(&scene).await, [(scene.entry, 6, 0)]);
    scene.hub.check().await;
    crate::statistics::recounted(&scene.hub).await;
}

#[tokio::test]
async fn what_is_usual_is_no_flood_and_matches_of_another_window_do_not_count() {
    let scene = scene(&["", "", ""]).await;
    meet(&scene.platforms[0].client, 2).await;
    meet(&scene.platforms[1].client, 2).await;
    looked_at(&scene, 4).await;
    scene.hub.clock.advance(Duration::from_mins(20));
    meet(&scene.platforms[2].client, 2).await;
    looked_at(&scene, 6).await;
    assert_eq!(floods(&scene).await, [], "twenty minutes apart");
    // Enough rows of earlier hours that four a window are usual: eight are the least of a flood.
    let mut batch = scene.hub.running().use_cases().unwrap().store.batch();
    let key = hashcommons::domain::MatchKey {
        entry: hashcommons::domain::EntryId(scene.entry),
        member: scene.platforms[0].id.parse().unwrap(),
        hour: hashcommons::domain::Clock::now(&*scene.hub.clock).minus(Duration::from_hours(30)).hour(),
    };
    batch.put_matches(&key, 4 * 1_008).unwrap();
    batch.commit().unwrap();
    scene.hub.clock.advance(Duration::from_mins(20));
    for platform in &scene.platforms {
        meet(&platform.client, 2).await;
    }
    looked_at(&scene, 4 * 1_008 + 12).await;
    assert_eq!(floods(&scene).await, []);
    for platform in &scene.platforms {
        meet(&platform.client, 1).await;
    }
    looked_at(&scene, 4 * 1_008 + 15).await;
    assert_eq!(floods(&scene).await, [(scene.entry, 9, 4)]);
}
