//! What standing costs: contributions with the search for entries near them, checks with and without a match, and going through all
//! entries after a change of rules: `cargo bench --bench standing`, or with another number of entries `cargo bench --bench standing --
//! 100000`.
//!
//! A hub in this process, without the network. Hashes are drawn from a seed; every tenth entry is contributed by a second member of
//! another state as well, a few bits away.
#![allow(clippy::unwrap_used, reason = "a program for measuring may stop at what it did not expect")]

use std::sync::Arc;
use std::time::Instant;

use hashcommons::domain::{
    Action, Basis, ChecklistItem, Confidence, Draft, Entropy, Origin, Pdq, Producer, Provenance, Reviewers,
    SeededEntropy, Signal, Status, SystemClock, SystemEntropy, Tlp,
};
use hashcommons::hub::{
    ADMIN_KEY_FILE, CheckQuery, Enrolment, HubConfig, KeyRequest, Query, SECOND_ADMIN_KEY_FILE, UseCases,
};
use hashcommons::policy::{ApiKey, Peer, Permit, Principal, QuotaTable, WalkLimits, operation};
use hashcommons::worker::PoolConfig;
use tokio::sync::watch;
use tokio::task::JoinSet;

const ENTRIES: u64 = 1_000_000;
const AT_ONCE: usize = 512;
const CHECKS: u64 = 20_000;

fn main() {
    let entries = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(ENTRIES);
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(run(entries));
}

async fn run(entries: u64) {
    let directory = tempfile::tempdir().unwrap();
    let media = PoolConfig { program: env!("CARGO_BIN_EXE_hashcommons").into(), ..PoolConfig::with_workers(1) };
    let config = HubConfig { origin: None, media, quotas: QuotaTable::NONE, walks: WalkLimits::default() };
    let (_stop, stopping) = watch::channel(false);
    let opened = hashcommons::hub::open(directory.path(), config).unwrap();
    let (hub, thread) = opened.start(Arc::new(SystemClock), Arc::new(SystemEntropy), &stopping).unwrap();
    let hub = Arc::new(hub);
    let key = |file: &str| -> Principal {
        let text = std::fs::read_to_string(directory.path().join(file)).unwrap();
        authenticate(&hub, &text.trim().parse().unwrap())
    };
    let operators = [key(ADMIN_KEY_FILE), key(SECOND_ADMIN_KEY_FILE)];
    let admin = &operators[0];
    let mut members = Vec::new();
    for (name, jurisdiction) in [("First", "NZ"), ("Second", "NO")] {
        members.push(enrol(&hub, &operators, name, jurisdiction).await);
    }
    let permits: Vec<Permit<operation::Contribute>> = members.iter().map(|member| member.permit().unwrap()).collect();

    println!("{entries} entries, and a second one near every tenth, {AT_ONCE} contributions at a time\n");
    println!("| entries | contributions/s |");
    println!("|---|---|");
    let step = (entries / 5).max(1);
    let (mut tasks, mut since, mut count) = (JoinSet::new(), Instant::now(), 0);
    for n in 0..entries {
        for (which, permit) in permits.iter().enumerate() {
            if which == 1 && n % 10 != 0 {
                continue;
            }
            let (hub, permit, draft) = (hub.clone(), permit.clone(), draft(hash(n, which as u32 * 5)));
            let request = format!("{which}-{n}").parse().unwrap();
            tasks.spawn(async move { hub.contribute.run(&permit, &request, draft, false).await.unwrap() });
            count += 1;
            if tasks.len() >= AT_ONCE {
                tasks.join_next().await.unwrap().unwrap();
            }
        }
        if (n + 1) % step == 0 {
            while let Some(done) = tasks.join_next().await {
                done.unwrap();
            }
            println!("| {} | {:.0} |", n + 1, f64::from(count) / since.elapsed().as_secs_f64());
            (since, count) = (Instant::now(), 0);
        }
    }

    println!("\n| what | p50 | p99 |");
    println!("|---|---|---|");
    let permit: Permit<operation::Check> = members[0].permit().unwrap();
    for (what, first, bits) in [("no match", entries, 0), ("one match", 1, 3), ("two matches that agree", 0, 3)] {
        let mut times = Vec::new();
        for n in 0..CHECKS {
            let of = if first == entries { entries + n } else { first + n * 10 % entries };
            let query = Query::new(Signal::Pdq { hash: hash(of, bits), quality: None }, Some(20)).unwrap();
            let query = CheckQuery::new(vec![query], None).unwrap();
            let started = Instant::now();
            let answer = hub.check.run(&permit, &query).await.unwrap();
            times.push(started.elapsed());
            let expected = if first == entries { 0 } else { 2 - usize::from(of % 10 != 0) };
            assert_eq!(answer.matches.len(), expected, "{what}, {of}");
        }
        times.sort_unstable();
        println!("| a check, {what} | {:?} | {:?} |", times[times.len() / 2], times[times.len() * 99 / 100]);
    }

    let permit: Permit<operation::PreviewPolicy> = admin.permit().unwrap();
    for _ in 0..3 {
        let started = Instant::now();
        let found = hub.govern.preview(&permit, "[newcomers]\ndays = 0").await.unwrap();
        let shifted: u64 = found.shifts.values().map(|shifted| shifted.entries).sum();
        println!(
            "\nall {} entries judged by two sets of rules: {:?}; {shifted} would change",
            found.entries,
            started.elapsed()
        );
    }
    drop(hub);
    thread.stop();
}

fn authenticate(hub: &UseCases, key: &ApiKey) -> Principal {
    let peer = Peer { address: [127, 0, 0, 1].into(), certificate: None };
    hub.gate.authenticate(Some(key), &peer).unwrap()
}

async fn enrol(hub: &UseCases, operators: &[Principal; 2], name: &str, jurisdiction: &str) -> Principal {
    let permits: Vec<Permit<operation::Administer>> =
        operators.iter().map(|operator| operator.permit().unwrap()).collect();
    let enrolment = Enrolment {
        name: name.parse().unwrap(),
        jurisdiction: jurisdiction.parse().unwrap(),
        control_group: None,
        duties: [].into(),
    };
    let member = hub.members.enrol(&permits[0], enrolment).await.unwrap().id;
    for (to, needed) in [(Status::Contributor, 2), (Status::Trusted, 2)] {
        for permit in &permits[..needed] {
            let all = ChecklistItem::ALL.iter().copied().collect();
            hub.members.approve(permit, member, to, all).await.unwrap();
        }
    }
    let request =
        KeyRequest { member, label: None, roles: [].into(), expires: None, networks: vec![], certificate: None };
    let (_, key) = hub.members.issue(&permits[0], request).await.unwrap();
    authenticate(hub, &key.unwrap())
}

/// The hash number `n`, with its first bits turned.
fn hash(n: u64, turned: u32) -> Pdq {
    let mut words = [0; 4];
    for (at, word) in words.iter_mut().enumerate() {
        *word = u64::from_le_bytes((&SeededEntropy::new(n * 4 + at as u64) as &dyn Entropy).bytes().unwrap());
    }
    words[0] ^= (1 << turned) - 1;
    Pdq::from_words(words)
}

fn draft(hash: Pdq) -> Draft {
    let provenance = Provenance {
        origin: Origin::Human,
        reviewers: Reviewers::TwoOrMore,
        basis: Basis::Behaviour,
        producer: Producer::Perpetrator,
        contexts: vec![],
        content_types: vec![],
        confidence: Confidence::new(95).unwrap(),
        tlp: Tlp::Amber,
        action_max: Action::Block,
        valid_until: None,
        supersedes: None,
        government_order: None,
    };
    let signals = vec![Signal::Pdq { hash, quality: None }];
    Draft::new(signals, vec!["graphic-violence".parse().unwrap()], provenance).unwrap()
}
