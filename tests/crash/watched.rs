//! A hub that is killed while members and keys change: every change and every refusal that was answered is listed afterwards, and
//! no more of what was read is forgotten than a second's.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hashcommons::client::Client;
use hashcommons::domain::Role;
use hashcommons::wire::v1;
use tokio::task::JoinSet;
use tonic::Request;

use crate::book::Book;
use crate::process::HubProcess;
use crate::{audit, contributor, operators};

const ROUNDS: u64 = 6;
/// Counts wait at most this long for the disk, and the machine may be busy.
const FLUSHED: Duration = Duration::from_secs(4);

fn named<T>(message: T, id: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-request-id", id.parse().unwrap());
    request
}

/// The ids of all requests that the audit lists.
async fn listed(operator: &Client) -> BTreeSet<String> {
    let (mut ids, mut from) = (BTreeSet::new(), None);
    loop {
        let request = v1::ListAuditRequest { page_size: 1_000, from, ..Default::default() };
        let page = operator.admin().list_audit(request).await.unwrap().into_inner();
        ids.extend(page.events.into_iter().map(|event| event.request_id));
        from = page.next;
        if from.is_none() {
            return ids;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_killed_while_members_and_keys_change_lists_every_change_and_refusal_that_it_answered() {
    let directory = tempfile::tempdir().unwrap();
    let mut hub = HubProcess::start(directory.path());
    contributor(&hub, directory.path()).await;
    let answered: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    for round in 0..ROUNDS {
        let operator = operators(&hub, directory.path()).await.first;
        let members = operator.admin().list_members(v1::ListMembersRequest {}).await.unwrap().into_inner().members;
        let member_id = members.into_iter().find(|member| member.name == "Contributor").unwrap().member_id;
        let before = answered.lock().unwrap().len();
        let mut tasks = JoinSet::new();
        for task in 0..4 {
            let (operator, answered, member_id) = (operator.clone(), answered.clone(), member_id.clone());
            tasks.spawn(async move {
                for n in 0.. {
                    let id = format!("{round}-{task}-{n}");
                    // Few enough to have an event each.
                    let noted = if task == 0 && n < 3 {
                        let absent = v1::RevokeKeyRequest { key_id: "k-aaaaaaaa".to_owned() };
                        let status = operator.admin().revoke_key(named(absent, &id)).await.unwrap_err();
                        status.code() == tonic::Code::NotFound
                    } else {
                        let issue = v1::IssueKeyRequest { member_id: member_id.clone(), ..Default::default() };
                        operator.admin().issue_key(named(issue, &id)).await.is_ok()
                    };
                    if !noted {
                        return;
                    }
                    answered.lock().unwrap().insert(id);
                }
            });
        }
        while answered.lock().unwrap().len() < before + 20 + 7 * round as usize {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        hub.kill();
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        audit(directory.path()).unwrap();
        hub = HubProcess::start(directory.path());
        let listed = listed(&operators(&hub, directory.path()).await.first).await;
        let lost: Vec<_> = answered.lock().unwrap().difference(&listed).cloned().collect();
        assert_eq!(lost, [""; 0], "round {round}");
    }
    hub.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_was_read_a_killed_hub_has_lost_no_more_than_the_last_moments() {
    let directory = tempfile::tempdir().unwrap();
    let mut hub = HubProcess::start(directory.path());
    let key = contributor(&hub, directory.path()).await;
    let client = Client::connect(&hub.url(), Some(&key), None).await.unwrap();
    let entry = Book::default().contribute(&client).await;
    let (desk_id, desk_key) = operators(&hub, directory.path()).await.enrol("Desk", "NZ", &[Role::Reviewer]).await;
    let read = async |hub: &HubProcess| {
        let operator = operators(hub, directory.path()).await.first;
        let request = v1::ListReadsRequest { member_id: desk_id.clone(), ..Default::default() };
        let mut counts = operator.admin().list_reads(request).await.unwrap().into_inner();
        let mut sum = 0;
        // Two, if midnight is passed.
        while let Some(count) = counts.message().await.unwrap() {
            sum += count.count;
        }
        sum
    };
    let mut before = 0;
    for _ in 0..2 {
        let desk = Client::connect(&hub.url(), Some(&desk_key), None).await.unwrap();
        let traced = Arc::new(AtomicU64::new(before));
        let reading = tokio::spawn({
            let traced = traced.clone();
            async move {
                let request = v1::TraceRequest { entry_id: entry, against: vec![] };
                while desk.reviews().trace(request.clone()).await.is_ok() {
                    traced.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        });
        tokio::time::sleep(Duration::from_millis(700)).await;
        let safe = traced.load(Ordering::SeqCst);
        let since = Instant::now();
        while since.elapsed() < FLUSHED {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        hub.kill();
        reading.await.unwrap();
        hub = HubProcess::start(directory.path());
        let (counted, asked) = (read(&hub).await, traced.load(Ordering::SeqCst));
        // One more may have been counted than was answered.
        assert!((safe..=asked + 1).contains(&counted) && safe > before, "{counted} of {asked}, {safe} of them before");
        before = counted;
    }
    hub.kill();
}
