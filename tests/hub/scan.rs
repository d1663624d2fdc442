//! Any list and any check: what the hub answers is what comparing everything with everything answers.

use hashcommons::wire::v1::{self, Outcome, SignalKind};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::items::{contribute, near, some};
use crate::support::TestHub;

/// A few values for each kind, and others near them: so that most queries find something.
fn signal() -> impl Strategy<Value = v1::Signal> {
    use SignalKind::{Dhash, Md5, Pdq, Phash, Sha256};
    let kind = prop::sample::select(vec![Pdq, Pdq, Phash, Dhash, Md5, Sha256]);
    (kind, 0..3_u64, 0..40_usize).prop_map(|(kind, centre, bits)| {
        let centre = some(kind, centre);
        match kind {
            Pdq => near(&centre, bits),
            Phash | Dhash => near(&centre, bits / 4),
            _ => near(&centre, bits / 20),
        }
    })
}

fn entry() -> impl Strategy<Value = Vec<v1::Signal>> {
    prop::collection::vec(signal(), 1..5).prop_map(|mut signals| {
        signals.sort_by(|a, b| (a.kind, &a.value).cmp(&(b.kind, &b.value)));
        signals.dedup();
        signals
    })
}

fn check() -> impl Strategy<Value = v1::CheckRequest> {
    let query = (signal(), prop::option::of(0..=31_u32)).prop_map(|(signal, radius)| {
        let radius = radius.map(|radius| radius % (limits(signal.kind()).1 + 1));
        v1::Query { signal: Some(signal), radius }
    });
    let queries = prop::collection::vec(query, 1..6);
    (queries, prop::option::of(1..8_u32)).prop_map(|(queries, limit)| v1::CheckRequest {
        queries,
        limit,
        tag: String::new(),
        drill: String::new(),
    })
}

/// Default and widest radius, and bits, as `types.proto` says.
fn limits(kind: SignalKind) -> (u32, u32, u32) {
    match kind {
        SignalKind::Pdq => (31, 31, 256),
        SignalKind::Phash => (0, 8, 64),
        SignalKind::Dhash => (4, 8, 64),
        SignalKind::Md5 => (0, 0, 128),
        _ => (0, 0, 256),
    }
}

fn distance(a: &v1::Signal, b: &v1::Signal) -> Option<u32> {
    let bits = |(a, b): (char, char)| (a.to_digit(16).unwrap() ^ b.to_digit(16).unwrap()).count_ones();
    (a.kind == b.kind).then(|| a.value.chars().zip(b.value.chars()).map(bits).sum())
}

/// What the check must find, by comparing everything with everything.
struct Scan {
    results: Vec<(Outcome, u64)>,
    /// Entry, and its evidence as query and distance.
    matches: Vec<(u64, Vec<(u32, u32)>)>,
    more: bool,
}

fn scan(entries: &[(u64, Vec<v1::Signal>)], check: &v1::CheckRequest) -> Scan {
    let mut totals = vec![0; check.queries.len()];
    let mut found = Vec::new();
    for (id, signals) in entries {
        let mut evidence = Vec::new();
        for (at, query) in check.queries.iter().enumerate() {
            let wanted = query.signal.as_ref().unwrap();
            let (default, _, bits) = limits(wanted.kind());
            let nearest = signals.iter().filter_map(|stored| distance(wanted, stored)).min();
            if let Some(nearest) = nearest.filter(|nearest| *nearest <= query.radius.unwrap_or(default)) {
                totals[at] += 1;
                let weak = matches!(wanted.kind(), SignalKind::Phash | SignalKind::Dhash);
                evidence.push(((weak, nearest * 256 / bits), at as u32, nearest));
            }
        }
        evidence.sort_unstable();
        if let Some((rank, ..)) = evidence.first() {
            found.push((*rank, *id, evidence.iter().map(|(_, at, distance)| (*at, *distance)).collect()));
        }
    }
    found.sort_unstable();
    let limit = check.limit.unwrap_or(100) as usize;
    Scan {
        results: totals.iter().map(|n| (if *n == 0 { Outcome::NoMatch } else { Outcome::Match }, *n)).collect(),
        more: found.len() > limit,
        matches: found.into_iter().take(limit).map(|(_, id, evidence)| (id, evidence)).collect(),
    }
}

async fn compare(lists: Vec<(Vec<Vec<v1::Signal>>, Vec<v1::CheckRequest>)>) -> (usize, usize) {
    let hub = TestHub::start().await;
    let (_, key) = hub.trusted("Both").await;
    let member = hub.client(&key);
    let mut entries = Vec::new();
    let (mut found, mut cut) = (0, 0);
    for (list, checks) in lists {
        for signals in list {
            let id = contribute(&member, &format!("item-{}", entries.len()), signals.clone()).await;
            entries.push((id, signals));
        }
        for check in checks {
            let response = member.checks().check(check.clone()).await.unwrap().into_inner();
            let expected = scan(&entries, &check);
            let results: Vec<_> = response.results.iter().map(|result| (result.outcome(), result.total)).collect();
            assert_eq!(results, expected.results, "{check:?}");
            let matches = response.matches.iter().map(|found| {
                let evidence = found.evidence.iter().map(|one| (one.signal, one.distance())).collect();
                (found.entry.as_ref().unwrap().entry_id, evidence)
            });
            assert_eq!(matches.collect::<Vec<_>>(), expected.matches, "{check:?}");
            assert_eq!(response.more, expected.more, "{check:?}");
            found += expected.matches.len();
            cut += usize::from(expected.more);
        }
    }
    hub.check().await;
    hub.stop().await;
    (found, cut)
}

#[test]
fn what_a_check_finds_is_what_a_linear_scan_of_the_same_list_finds() {
    let round = || (prop::collection::vec(entry(), 1..12), prop::collection::vec(check(), 20));
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut found, mut cut) = (0, 0);
    // The list grows within a hub: the same queries meet longer and longer lists.
    for _ in 0..6 {
        let rounds = prop::collection::vec(round(), 5).new_tree(&mut runner).unwrap().current();
        let (more_found, more_cut) = runtime.block_on(compare(rounds));
        found += more_found;
        cut += more_cut;
    }
    assert!(found > 1_000 && cut > 50, "the lists and checks are worth comparing: {found} matches, {cut} cut off");
}
