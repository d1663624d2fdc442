//! What the ledger comes to in numbers, and the same computed from the ledger alone.

use std::time::Duration;

use hashcommons::client::{Client, Difference, RecountError, figure_name, recount};
use hashcommons::domain::{Clock, EntryId, EntryState, Role, Withdrawal};
use hashcommons::ledger::{Frontier, Leaf, VerifierKey};
use hashcommons::policy::Period;
use hashcommons::store::Store;
use hashcommons::wire::v1::{self, Suppressed, figure::Value};
use hashcommons::wire::{timestamp, timestamp_from_wire};
use sha2::{Digest, Sha256};
use tonic::Code;

use crate::follow::events;
use crate::items::{accepted, contribute, near, verifier};
use crate::support::{TestHub, check_of, contribution, draft, pdq};

const FROM: &str = "2026-11-22";
const TO: &str = "2026-11-23";
const HOUR: Duration = Duration::from_hours(1);

async fn report(client: &Client) -> v1::StatisticsReport {
    let request = v1::GetReportRequest { from: FROM.to_owned(), to: TO.to_owned() };
    client.statistics().get_report(request).await.unwrap().into_inner()
}

async fn differences(hub: &TestHub, answer: &v1::StatisticsReport) -> Result<Vec<Difference>, RecountError> {
    let period = Period::new(FROM.parse().unwrap(), TO.parse().unwrap()).unwrap();
    recount(&hub.admin(), &verifier(hub), period, answer).await
}

fn find(report: &v1::StatisticsReport, name: &str) -> Option<Value> {
    report.figures.iter().find(|figure| figure_name(figure) == name).unwrap_or_else(|| panic!("no {name}")).value
}

fn few() -> Option<Value> {
    Some(Value::Suppressed(Suppressed::Few.into()))
}

/// Waits until the ledger has an event of this kind after `from`; gives it.
pub async fn await_event(hub: &TestHub, from: u64, kind: &str) -> v1::LedgerEvent {
    loop {
        let (told, _) = events(&hub.admin(), from).await;
        let is_it = |event: &&v1::LedgerEvent| event.opening.as_ref().is_some_and(|opening| opening.kind == kind);
        if let Some(event) = told.iter().find(is_it) {
            return event.clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn size(hub: &TestHub) -> u64 {
    hub.check().await.events
}

/// Whatever a hub has been through, its figures are those of its ledger.
pub async fn recounted(hub: &TestHub) {
    let answer = report(&hub.admin()).await;
    assert_eq!(differences(hub, &answer).await.unwrap(), []);
}

/// A hub that entries came to, were withdrawn from and expired on, with matches, and an auditor who judged a sample.
async fn lived() -> (TestHub, Client, v1::DrawSampleResponse) {
    let hub = TestHub::start().await;
    hub.operators().set_policy("[newcomers]\ndays = 0\n[contributions]\nquarantine_above_per_day = 6").await;
    let (_, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor]).await;
    let contributor = hub.client(&key);
    let (_, key) = hub.enrol("Platform", "CH", &[Role::Checker, Role::Contributor]).await;
    let platform = hub.client(&key);
    for n in 0..8 {
        contribute(&contributor, &format!("item-{n}"), vec![pdq(n)]).await;
    }
    contribute(&platform, "agreed", vec![near(&pdq(0), 4)]).await;
    let gone = contribute(&platform, "gone", vec![pdq(100)]).await;
    platform.contributions().withdraw(v1::WithdrawRequest { entry_id: gone, reason: 0 }).await.unwrap();
    let mut expiring = draft(vec![pdq(101)]);
    expiring.provenance.as_mut().unwrap().valid_until = Some(timestamp(hub.clock.now().plus(HOUR / 2)));
    accepted(&platform, contribution("expiring", expiring)).await;
    // Near two entries each.
    for _ in 0..6 {
        platform.checks().check(check_of([pdq(0)])).await.unwrap();
    }
    let before = size(&hub).await;
    hub.clock.advance(HOUR);
    await_event(&hub, before, "expired").await;
    await_event(&hub, before, "matches-tallied").await;
    let (_, key) = hub.enrol("Auditor", "NO", &[Role::Auditor]).await;
    let auditor = hub.client(&key);
    let request = v1::DrawSampleRequest { count: 5, nonce: vec![7; 32] };
    let drawn = auditor.statistics().draw_sample(request).await.unwrap().into_inner();
    for (item, verdict) in drawn.items.iter().zip(["correct", "error", "correct", "undecidable"]) {
        let (sample_id, entry_id) = (drawn.sample_id, item.entry_id);
        let request = v1::JudgeSampleRequest { sample_id, entry_id, verdict: verdict.to_owned() };
        auditor.statistics().judge_sample(request).await.unwrap();
    }
    (hub, auditor, drawn)
}

#[tokio::test]
async fn the_hubs_figures_are_those_of_its_ledger_and_a_lie_in_any_is_noticed() {
    let (hub, auditor, _) = lived().await;
    let answer = report(&auditor).await;
    assert_eq!(timestamp_from_wire(answer.at.as_ref().unwrap(), "at").unwrap(), hub.clock.now());
    assert_eq!(answer.tree_size, size(&hub).await);
    for (name, value) in [
        ("entries-contributed", Some(Value::Count(11))),
        ("entries-contributed, label graphic-violence", Some(Value::Count(11))),
        ("entries-contributed, basis behaviour", Some(Value::Count(11))),
        ("entries-contributed, kind pdq", Some(Value::Count(11))),
        ("entries-quarantined-on-arrival", few()),
        ("entries-quarantined-on-arrival, cause excess", few()),
        ("entries-withdrawn", few()),
        ("entries-expired", Some(Value::Count(1))),
        ("entries", Some(Value::Count(11))),
        ("entries, standing withdrawn, action log-only", few()),
        ("entries, standing expired, action log-only", few()),
        ("entries, standing quarantined, action log-only", few()),
        ("entries, standing active, action block", few()),
        (
            "entries, standing provisional, action block-pending-review",
            Some(Value::Suppressed(Suppressed::Complement.into())),
        ),
        ("matches", Some(Value::Count(12))),
        ("matches, label graphic-violence, kind pdq, action block", Some(Value::Count(12))),
        ("samples-judged", Some(Value::Count(4))),
        ("samples-judged, verdict correct", Some(Value::Count(2))),
        ("sample-error-rate", Some(Value::BasisPoints(3_333))),
        ("appeals-reversal-rate", None),
    ] {
        assert_eq!(find(&answer, name), value, "{name}");
    }
    assert_eq!(differences(&hub, &answer).await.unwrap(), []);

    let named = |differences: Vec<Difference>| differences.into_iter().map(|one| one.figure).collect::<Vec<_>>();
    let mut lie = answer.clone();
    let expired = lie.figures.iter_mut().find(|figure| figure.name == "entries-expired").unwrap();
    expired.value = Some(Value::Count(2));
    assert_eq!(named(differences(&hub, &lie).await.unwrap()), ["entries-expired"]);
    let mut lie = answer.clone();
    lie.figures.retain(|figure| figure.name != "matches");
    lie.figures.push(v1::Figure { name: "made-up".to_owned(), ..answer.figures[0].clone() });
    lie.figures.push(answer.figures[0].clone());
    let expected =
        ["entries-contributed", "made-up", "matches", "matches, label graphic-violence, kind pdq, action block"];
    assert_eq!(named(differences(&hub, &lie).await.unwrap()), expected);
    let lie = v1::StatisticsReport { from: TO.to_owned(), ..answer.clone() };
    assert_eq!(named(differences(&hub, &lie).await.unwrap()), ["from, to"]);

    // What happened since is not in it; what has not happened yet cannot be.
    hub.member("Another", &[Role::Checker]).await;
    assert_eq!(differences(&hub, &answer).await.unwrap(), []);
    let future = v1::StatisticsReport { tree_size: answer.tree_size + 1_000, ..answer.clone() };
    assert!(matches!(differences(&hub, &future).await, Err(RecountError::Short { .. })));
    let period = Period::new(FROM.parse().unwrap(), TO.parse().unwrap()).unwrap();
    let other: VerifierKey = std::fs::read_to_string("docs/examples/ledger.pub").unwrap().trim().parse().unwrap();
    let problem = recount(&hub.admin(), &other, period, &answer).await.unwrap_err();
    assert!(matches!(problem, RecountError::Checkpoint(_)), "{problem}");
    let (_, key) = hub.enrol("Reviewer", "NO", &[Role::Reviewer]).await;
    let problem = recount(&hub.client(&key), &verifier(&hub), period, &answer).await.unwrap_err();
    assert!(matches!(problem, RecountError::Sealed(0)), "{problem}");
    hub.stop().await;
}

#[tokio::test]
async fn a_hub_whose_rows_say_something_else_than_its_ledger_is_found_out() {
    let (hub, _, drawn) = lived().await;
    let entries: Vec<_> = drawn.items.iter().map(|item| EntryId(item.entry_id)).collect();
    let tampered = hub.restart_after(|directory| {
        let store = Store::open(directory).unwrap();
        let withdrawn = Some(Withdrawal { event: 1, at: "2026-11-22T12:00:00Z".parse().unwrap() });
        let mut batch = store.batch();
        for entry in entries {
            let state = store.entry_state(entry).unwrap().unwrap();
            batch.put_entry(entry, &EntryState { withdrawn, ..state }).unwrap();
        }
        batch.commit().unwrap();
    });
    let hub = tampered.await;
    let answer = report(&hub.admin()).await;
    let found = differences(&hub, &answer).await.unwrap();
    let lie = found.iter().find(|one| one.figure == "entries, standing withdrawn, action log-only").unwrap();
    let counts = [&lie.hub, &lie.ledger].map(|figure| figure.as_ref().unwrap().value);
    assert_ne!(counts[0], few());
    assert_eq!(counts[1], few());
    hub.stop().await;
}

#[tokio::test]
async fn matches_are_told_by_the_hour_and_when_the_hub_stops_and_name_nobody() {
    let (hub, _, _) = lived().await;
    let trusted = hub.client(&hub.trusted("Trusted").await.1);
    let member = hub.member("Untrusted", &[Role::Contributor]).await;
    trusted.checks().check(check_of([pdq(1)])).await.unwrap();
    let before = size(&hub).await;
    let hub = hub.restart().await;
    let event = await_event(&hub, before, "matches-tallied").await;
    let opening = event.opening.unwrap();
    assert_eq!(opening.actor, "");
    let Some(v1::opening::Fact::MatchesTallied(tally)) = opening.fact else { panic!("{:?}", opening.kind) };
    assert_eq!((tally.since, tally.until), (Some(timestamp(hub.clock.now())), Some(timestamp(hub.clock.now()))));
    let cell = |cell: &v1::opening::matches_tallied::Cell| {
        (cell.label.clone(), cell.signal_kind.clone(), cell.action.clone(), cell.matches)
    };
    let expected = ("graphic-violence".to_owned(), "pdq".to_owned(), "block-pending-review".to_owned(), 1);
    assert_eq!(tally.cells.iter().map(cell).collect::<Vec<_>>(), [expected]);
    drop((trusted, member));
    let answer = report(&hub.admin()).await;
    assert_eq!(find(&answer, "matches"), Some(Value::Count(13)));
    assert_eq!(differences(&hub, &answer).await.unwrap(), []);
    hub.stop().await;
}

#[tokio::test]
async fn a_sample_is_drawn_again_from_leaves_and_nonce_alone_and_shows_nobody() {
    let (hub, auditor, drawn) = lived().await;
    let (told, _) = events(&hub.admin(), 0).await;
    let mut frontier = Frontier::empty();
    for event in &told[..drawn.tree_size as usize] {
        frontier.append(Leaf::from_bytes(&event.leaf).unwrap().hash(), |_, _| {});
    }
    // By the words of docs/statistics.md.
    let hash = |parts: &[&[u8]]| parts.iter().fold(Sha256::new(), |sum, part| sum.chain_update(part)).finalize();
    let seed = hash(&[b"hashcommons/v1/sample\n", &frontier.root().to_bytes(), &[7; 32]]);
    let (mut live, mut gone) = (Vec::new(), Vec::new());
    for event in &told[..drawn.tree_size as usize] {
        match event.opening.as_ref().unwrap().fact.as_ref().unwrap() {
            v1::opening::Fact::Contributed(_) => live.push(event.index),
            v1::opening::Fact::Withdrawn(withdrawn) => gone.push(withdrawn.entry_id),
            v1::opening::Fact::Expired(expired) => gone.extend(&expired.entry_ids),
            _ => {}
        }
    }
    live.retain(|entry| !gone.contains(entry));
    assert_eq!((live.len(), gone.len()), (9, 2));
    live.sort_by_key(|entry| hash(&[&seed, &entry.to_be_bytes()]));
    assert_eq!(drawn.items.iter().map(|item| item.entry_id).collect::<Vec<_>>(), live[..5]);

    let all = v1::DrawSampleRequest { count: 500, nonce: vec![8; 32] };
    let all = auditor.statistics().draw_sample(all).await.unwrap().into_inner();
    assert_eq!(all.items.len(), 9, "as many as there are");
    let judge = async |sample_id, entry_id| {
        let request = v1::JudgeSampleRequest { sample_id, entry_id, verdict: "correct".to_owned() };
        auditor.statistics().judge_sample(request).await
    };
    let problem = judge(drawn.sample_id, live[5]).await.unwrap_err();
    assert_eq!((problem.code(), problem.message().split(':').next().unwrap()), (Code::InvalidArgument, "entry_id"));
    assert_eq!(judge(drawn.sample_id + 1, live[0]).await.unwrap_err().code(), Code::NotFound);
    hub.check().await;
    hub.stop().await;
}
