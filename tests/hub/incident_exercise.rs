//! An attack's footage spreads: 1,200 contributions by three members to one incident, and three followers, one of them interrupted.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use hashcommons::client::Client;
use hashcommons::domain::{Role, Status};
use hashcommons::ledger::SignedCheckpoint;
use hashcommons::wire::v1::{self, follow_response::Item, opening::Fact};

use crate::follow::events;
use crate::incidents::{Recount, counts, debrief, of_incident, open};
use crate::items::{contribute, near};
use crate::support::{TestHub, check_of, contribution, pdq};

const CLUSTERS: u64 = 300;
const VARIANTS: u64 = 4;
const ALL: usize = (CLUSTERS * VARIANTS) as usize;
const LABEL: &str = "incident-harbour";
/// Followers that are not done by then never will be.
const DEADLINE: Duration = Duration::from_secs(300);

/// A picture that was cut out of the footage, as the `variant`th upload has it: a few bits from the others.
fn variant(cluster: u64, variant: u64) -> v1::Signal {
    near(&pdq(10_000 + cluster), 2 * variant as usize)
}

/// What a follower has.
#[derive(Default)]
struct Followed {
    /// Entries of the incident in the order in which they came in their place.
    entries: Vec<u64>,
    /// Those that came before their turn.
    ahead: BTreeSet<u64>,
    next: u64,
}

impl Followed {
    /// Follows until there are so many entries of the incident.
    async fn until(&mut self, client: &Client, entries: usize, incident_first: bool) {
        let request = v1::FollowRequest { from: self.next, until_now: false, incident_first };
        let mut feed = client.ledger().follow(request).await.unwrap().into_inner();
        while self.entries.len() < entries {
            let Some(Item::Event(event)) = feed.message().await.unwrap().unwrap().item else { continue };
            let contributed = match event.opening.and_then(|opening| opening.fact) {
                Some(Fact::Contributed(said)) => Some(said.draft.unwrap()),
                _ => None,
            };
            if let Some(draft) = &contributed {
                assert_eq!(draft.labels, [LABEL], "labelled, from the first moment");
            }
            if event.ahead {
                assert!(contributed.is_some() && self.ahead.insert(event.index), "each once");
                continue;
            }
            assert_eq!(event.index, self.next, "no gap");
            self.next += 1;
            self.entries.extend(contributed.map(|_| event.index));
        }
    }
}

/// How many events there are.
async fn size(client: &Client) -> u64 {
    let newest = client.ledger().get_checkpoint(v1::GetCheckpointRequest {}).await.unwrap().into_inner();
    newest.checkpoint.parse::<SignedCheckpoint>().unwrap().claimed().size()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_hundred_contributions_reach_three_followers_whole_and_nothing_else_changes() {
    let hub = TestHub::start().await;
    let mut members = Vec::new();
    for (name, jurisdiction) in [("One", "NZ"), ("Two", "FR"), ("Three", "KE")] {
        let (id, key) = hub.enrol(name, jurisdiction, &[Role::Checker, Role::Contributor]).await;
        hub.operators().approve(&id, Status::Trusted).await;
        members.push(hub.client(&key));
    }
    let auditor = hub.member("Auditor", &[Role::Auditor]).await;
    hub.clock.advance(Duration::from_hours(31 * 24));
    for n in 0..50 {
        contribute(&members[n as usize % 3], &format!("unrelated-{n}"), vec![pdq(n)]).await;
    }
    let unrelated = async || {
        let mut answers = Vec::new();
        for n in 0..60 {
            let request = v1::CheckRequest { limit: Some(1_000), ..check_of([near(&pdq(n), 10)]) };
            answers.push(members[0].checks().check(request).await.unwrap().into_inner());
        }
        answers
    };
    let before = unrelated().await;
    open(&hub, "harbour", false).await;
    let first = events(&auditor, 0).await.0.len() as u64;

    let followers = members.iter().cloned().enumerate().map(|(n, client)| {
        tokio::spawn(async move {
            let mut followed = Followed { next: first, ..Followed::default() };
            if n == 1 {
                // Dropped in the middle; back when much has happened since.
                followed.until(&client, ALL / 3, false).await;
                while size(&client).await < followed.next + 100 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                println!("follower 1 goes on at {}, the ledger is at {}", followed.next, size(&client).await);
            }
            followed.until(&client, ALL, n == 1).await;
            (followed, Instant::now())
        })
    });
    let followers: Vec<_> = followers.collect();

    let contributing = members.iter().cloned().enumerate().map(|(n, client)| {
        // Of each cluster every member has some.
        let own = (0..CLUSTERS).flat_map(|cluster| (0..VARIANTS).map(move |variant| (cluster, variant)));
        let own = own.filter(move |(cluster, variant)| (cluster + variant) % 3 == n as u64);
        let requests = own.map(|(cluster, number)| v1::ContributeRequest {
            without_receipt: true,
            ..contribution(&format!("{cluster}-{number}"), of_incident("harbour", vec![variant(cluster, number)]))
        });
        let requests: Vec<_> = requests.collect();
        tokio::spawn(async move {
            let mut answers =
                client.contributions().contribute_stream(tokio_stream::iter(requests)).await.unwrap().into_inner();
            let mut entries = BTreeSet::new();
            while let Some(answer) = answers.message().await.unwrap() {
                match answer.outcome.unwrap() {
                    v1::contribute_stream_response::Outcome::Accepted(accepted) => entries.insert(accepted.entry_id),
                    other => panic!("{other:?}"),
                };
            }
            entries
        })
    });
    let contributing: Vec<_> = contributing.collect();
    let mut entries = BTreeSet::new();
    for contributed in contributing {
        entries.extend(contributed.await.unwrap());
    }
    let last_commit = Instant::now();
    assert_eq!(entries.len(), ALL);

    let expected: Vec<_> = entries.iter().copied().collect();
    for (n, follower) in followers.into_iter().enumerate() {
        let (followed, done) = tokio::time::timeout(DEADLINE, follower).await.expect("it is complete").unwrap();
        assert_eq!(followed.entries, expected, "follower {n} has all of it, in order");
        assert!(followed.ahead.is_subset(&entries));
        assert_eq!(n != 1, followed.ahead.is_empty(), "whoever was away was sent the incident's first");
        let late = done.saturating_duration_since(last_commit);
        println!("follower {n}: complete and labelled {late:?} after the last commit");
    }
    assert_eq!(unrelated().await, before, "unrelated entries are as they were");

    // Every variant is of three organisations in three jurisdictions.
    let found = members[0].checks().check(check_of([variant(7, 1)])).await.unwrap().into_inner();
    assert_eq!(found.results[0].total, VARIANTS);
    for found in found.matches {
        let assessment = found.assessment.unwrap();
        let expected = (v1::Standing::Active, v1::Action::BlockPendingReview);
        assert_eq!((assessment.standing(), assessment.action()), expected);
    }
    let told = debrief(&auditor, "harbour").await;
    assert_eq!(Recount::told(&told), Recount::of("harbour", &events(&auditor, 0).await.0));
    assert_eq!((told.entries, told.corroborated.unwrap().in_time), (ALL as u64, ALL as u64));
    assert_eq!(counts(&told.standings), [("active".to_owned(), ALL as u64)].into());
    assert!(told.members.iter().all(|member| member.count == ALL as u64 / 3) && told.members.len() == 3);
    hub.check().await;
    hub.stop().await;
}
