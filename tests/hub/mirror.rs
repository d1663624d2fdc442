//! Copies of the list on members' disks: whoever was away, or was interrupted, ends with the same file as everybody else.

use std::path::Path;
use std::time::Duration;

use hashcommons::client::{Client, Mirror};
use hashcommons::domain::{Clock, Role};
use hashcommons::wire::timestamp;
use hashcommons::wire::v1::{self, follow_response::Item};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::incidents::{of_incident, open};
use crate::items::accepted;
use crate::support::{TestHub, contribution, draft, pdq};

const DAY: Duration = Duration::from_hours(24);

async fn opened(client: &Client, path: &Path) -> Mirror {
    let checkpoint = client.ledger().get_checkpoint(v1::GetCheckpointRequest {}).await.unwrap().into_inner();
    Mirror::open(path, &checkpoint.verifier_key).unwrap()
}

/// Follows from where the file is, at most so many events; saves if that is wanted.
async fn follow(client: &Client, path: &Path, most: usize, save: bool) -> Mirror {
    let mut mirror = opened(client, path).await;
    let request = v1::FollowRequest { from: mirror.position(), until_now: true, incident_first: true };
    let mut feed = client.ledger().follow(request).await.unwrap().into_inner();
    let mut taken = 0;
    while let Some(message) = feed.message().await.unwrap()
        && taken < most
    {
        if let Some(Item::Event(event)) = message.item {
            mirror.apply(&event).unwrap();
            taken += usize::from(!event.ahead);
        }
    }
    if save {
        mirror.save().unwrap();
    }
    mirror
}

/// Two persons' clients: their keys are issued with different keys of the first start.
async fn reviewers(hub: &TestHub) -> [Client; 2] {
    let (member_id, first) = hub.enrol("Reviewers", "CH", &[Role::Reviewer]).await;
    let request = v1::IssueKeyRequest { member_id, ..Default::default() };
    let second = hub.operators().second.admin().issue_key(request).await.unwrap().into_inner().secret;
    [hub.client(&first), hub.client(&second.parse().unwrap())]
}

/// Entries in a file, and their labels.
fn listed(path: &Path) -> Vec<(u64, Vec<String>)> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().skip(1).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let labels = |line: &serde_json::Value| {
        line["labels"].as_array().unwrap().iter().map(|label| label.as_str().unwrap().to_owned()).collect()
    };
    lines.map(|line| (line["entry_id"].as_u64().unwrap(), labels(&line))).collect()
}

#[tokio::test]
async fn a_member_that_was_away_for_thirty_days_ends_with_the_file_of_one_that_never_left() {
    let hub = TestHub::start().await;
    let (_, key) = hub.trusted("Follower").await;
    let one = hub.member("One", &[Role::Contributor]).await;
    let other = hub.member("Other", &[Role::Contributor]).await;
    let folder = tempfile::tempdir().unwrap();
    let [stayed, away, broken, fresh] = ["stayed", "away", "broken", "fresh"].map(|name| folder.path().join(name));
    let mut rng = StdRng::seed_from_u64(6);
    let mut entries = Vec::new();
    let (mut decisions, mut revoked) = ([0; 7], Vec::new());
    let reviewers = reviewers(&hub).await;
    for day in 0..=30_u64 {
        let follower = hub.client(&key);
        if day == 3 {
            open(&hub, "harbour", false).await;
            open(&hub, "exercise", true).await;
        }
        for n in 0..8 {
            let signals = vec![pdq(100 * day + n)];
            let mut draft = match n {
                1 if day >= 3 => of_incident("harbour", signals),
                2 if day >= 3 => of_incident("exercise", signals),
                _ => draft(signals),
            };
            let provenance = draft.provenance.as_mut().unwrap();
            if n % 3 == 0 {
                provenance.valid_until = Some(timestamp(hub.clock.now().plus(DAY * rng.random_range(1..20))));
            }
            if n == 7 {
                provenance.tlp = v1::Tlp::Red.into();
            }
            let client = if n % 2 == 0 { &one } else { &other };
            let entry = accepted(client, contribution(&format!("{day}-{n}"), draft)).await.entry_id;
            entries.push(entry);
            if rng.random_ratio(1, 5) {
                let withdraw = v1::WithdrawRequest { entry_id: entry, reason: 0 };
                client.contributions().withdraw(withdraw).await.unwrap();
            }
        }
        if day == 0 {
            follow(&follower, &away, usize::MAX, true).await;
        }
        follow(&follower, &stayed, usize::MAX, true).await;
        // Reviewers take away, bring back and relabel, wherever that can be.
        for _ in 0..6 {
            let ruling = [v1::Ruling::Revoke, v1::Ruling::Reinstate, v1::Ruling::Relabel, v1::Ruling::Lower];
            let ruling = ruling[rng.random_range(0..4)];
            let among = if ruling == v1::Ruling::Reinstate { &revoked } else { &entries };
            let Some(&entry) = among.choose(&mut rng) else { continue };
            let label = ["glorification", "recruitment-instruction"][rng.random_range(0..2)].to_owned();
            let labels = if ruling == v1::Ruling::Relabel { vec![label] } else { vec![] };
            let reason = v1::RulingReason::EvidenceSound.into();
            let request = v1::DecideRequest { entry_id: entry, ruling: ruling.into(), reason, labels };
            for reviewer in &reviewers[..if ruling == v1::Ruling::Reinstate { 2 } else { 1 }] {
                if let Ok(decided) = reviewer.reviews().decide(request.clone()).await {
                    decisions[ruling as usize] += usize::from(decided.into_inner().acts);
                    revoked.extend((ruling == v1::Ruling::Revoke).then_some(entry));
                }
            }
        }
        // Killed at some point, before or after it has written its file.
        let (most, save) = (rng.random_range(0..20), rng.random());
        follow(&follower, &broken, most, save).await;
        hub.clock.advance(DAY);
    }
    println!("decisions by ruling: {decisions:?}");
    assert!(decisions[3..].iter().all(|count| *count > 3), "{decisions:?}");
    // With the next event what has expired is told.
    accepted(&one, contribution("last", draft(vec![pdq(99_999)]))).await;
    let follower = hub.client(&key);
    for path in [&stayed, &away, &broken, &fresh] {
        follow(&follower, path, usize::MAX, true).await;
    }
    let whole = std::fs::read_to_string(&stayed).unwrap();
    for path in [&away, &broken, &fresh] {
        assert_eq!(std::fs::read_to_string(path).unwrap(), whole, "{}", path.display());
    }

    // What it lists is what matches, but for what the member may not read and for the drill's.
    let mut expected = Vec::new();
    for entry in entries {
        let request = v1::TraceRequest { entry_id: entry, against: vec![] };
        let traced = hub.admin().reviews().trace(request).await.unwrap().into_inner();
        let (summary, assessment) = (traced.entry.unwrap(), traced.assessment.unwrap());
        let standing = assessment.standing();
        let is_gone = matches!(standing, v1::Standing::Withdrawn | v1::Standing::Revoked | v1::Standing::Expired);
        let is_red = summary.provenance.unwrap().tlp() == v1::Tlp::Red;
        let is_drill = assessment.reasons.iter().any(|reason| reason.rule == "drill");
        if !is_gone && !is_red && !is_drill {
            expected.push((entry, assessment.labels));
        }
    }
    let listed = listed(&stayed);
    assert_eq!(listed[..listed.len() - 1], expected);
    assert!((60..240).contains(&expected.len()), "some have gone: {}", expected.len());
    hub.check().await;
    hub.stop().await;
}
