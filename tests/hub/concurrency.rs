//! Many callers at once.

use std::collections::{BTreeMap, BTreeSet};

use hashcommons::domain::Role;
use tokio::task::JoinSet;

use crate::items::accepted;
use crate::support::{TestHub, check_of, contribution, draft, pdq};

const CLIENTS: u64 = 8;
const ITEMS: u64 = 25;

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_many_clients_each_sent_twice_at_once_are_one_entry_each() {
    let hub = TestHub::start().await;
    let before = hub.check().await;
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        clients.push(hub.member(&format!("Contributor {n}"), &[Role::Contributor, Role::Checker]).await);
    }
    let mut requests = JoinSet::new();
    for item in 0..ITEMS {
        for (which, client) in clients.iter().enumerate() {
            for _ in 0..2 {
                let client = client.clone();
                // All clients use the same request ids: what one calls its request is no affair of another's.
                let request = contribution(&format!("item-{item}"), draft(vec![pdq(1_000 * which as u64 + item)]));
                requests.spawn(async move { ((which, item), accepted(&client, request).await) });
            }
        }
    }
    let mut answers: BTreeMap<_, Vec<_>> = BTreeMap::new();
    while let Some(answer) = requests.join_next().await {
        let (request, accepted) = answer.unwrap();
        answers.entry(request).or_default().push(accepted);
    }

    let mut ids = BTreeSet::new();
    for ((which, item), twice) in &answers {
        let [one, two] = &twice[..] else { panic!("{} answers", twice.len()) };
        assert_eq!(one.entry_id, two.entry_id);
        assert_ne!(one.repeated, two.repeated, "one of the two came first");
        assert!(ids.insert(one.entry_id), "entry {} stands for two requests", one.entry_id);
        let check = check_of([pdq(1_000 * *which as u64 + item)]);
        let found = clients[0].checks().check(check).await.unwrap().into_inner().matches;
        let found: Vec<_> = found.iter().map(|found| found.entry.as_ref().unwrap().entry_id).collect();
        assert_eq!(found, [one.entry_id]);
    }
    let after = hub.check().await;
    assert_eq!((ids.len() as u64, after.entries), (CLIENTS * ITEMS, CLIENTS * ITEMS));
    assert_eq!(after.events, before.events + 4 * CLIENTS + CLIENTS * ITEMS, "enrolments, two approvals, keys, entries");
    hub.stop().await;
}
