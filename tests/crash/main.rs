//! A hub that is killed, again and again, under load: what it acknowledged must be there afterwards. And the proof that this
//! test would notice if it were not.

mod book;
#[path = "../support/enrolment.rs"]
#[allow(dead_code, reason = "tests/hub uses the rest")]
mod enrolment;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "shared by several test programs, each of which uses a part")]
mod process;
#[path = "../hub/support.rs"]
#[allow(dead_code, reason = "shared by several test programs, each of which uses a part")]
mod support;
mod tampering;
mod watched;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use book::Book;
use enrolment::Operators;
use hashcommons::client::Client;
use hashcommons::domain::{Clock, Entropy, Role, SystemClock, SystemEntropy};
use hashcommons::hub::{self, ADMIN_KEY_FILE, AuditError, Report, SECOND_ADMIN_KEY_FILE};
use hashcommons::policy::ApiKey;
use hashcommons::wire::v1;
use process::{HubProcess, copy_directory};
use rand::{RngExt, SeedableRng};

const ROUNDS: u32 = 20;

/// The two operators of a hub.
async fn operators(hub: &HubProcess, directory: &Path) -> Operators {
    let client = async |file| {
        let key: ApiKey = std::fs::read_to_string(directory.join(file)).unwrap().trim().parse().unwrap();
        Client::connect(&hub.url(), Some(&key), None).await.unwrap()
    };
    Operators { first: client(ADMIN_KEY_FILE).await, second: client(SECOND_ADMIN_KEY_FILE).await }
}

/// Enrols a contributor who may also check; gives its key.
async fn contributor(hub: &HubProcess, directory: &Path) -> ApiKey {
    let operators = operators(hub, directory).await;
    let (member_id, key) = operators.enrol("Contributor", "NZ", &[Role::Contributor, Role::Checker]).await;
    // What is asked to find losses is more than a member may.
    let quota =
        v1::Quota { checks_per_second: Some(u32::MAX), contributions_per_day: Some(u32::MAX), ..v1::Quota::default() };
    let request = v1::SetQuotaRequest { member_id, quota: Some(quota), ..Default::default() };
    operators.first.admin().set_quota(request).await.unwrap();
    key
}

/// Opens a directory that no process has open, as a hub does, and compares everything with everything.
fn audit(directory: &Path) -> Result<Report, AuditError> {
    let (use_cases, thread) = support::start_alone(directory, false).unwrap();
    let verifier = use_cases.prove.verifier().clone();
    let report = hub::audit(&use_cases.store, &verifier, Some(&use_cases.indexes), SystemClock.now());
    thread.stop();
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_killed_under_load_twenty_times_has_lost_nothing_that_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    // Which moments it dies in differs from run to run; this tells which they were.
    let seed = u64::from_be_bytes((&SystemEntropy as &dyn Entropy).bytes().unwrap());
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let book = Arc::new(Book::default());
    let mut hub = HubProcess::start(directory.path());
    let key = contributor(&hub, directory.path()).await;
    book.learn_ledger(&Client::connect(&hub.url(), Some(&key), None).await.unwrap()).await;
    for round in 0..ROUNDS {
        let load = book::load(&book, &hub.url(), &key).await;
        book.wait_for(random.random_range(1..150)).await;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..30))).await;
        hub.kill();
        load.ended().await;
        if round % 5 == 0 {
            let report = audit(directory.path()).unwrap();
            assert!(report.entries >= book.acknowledged(), "{report:?}");
        }
        hub = HubProcess::start(directory.path());
        let client = Client::connect(&hub.url(), Some(&key), None).await.unwrap();
        assert_eq!(book.losses(&client).await, [""; 0], "after round {round}");
        book.learn_ledger(&client).await;
    }
    hub.kill();
    let report = audit(directory.path()).unwrap();
    assert!(report.entries >= book.acknowledged() && book.acknowledged() >= u64::from(ROUNDS), "{report:?}");
    assert!(book.withdrawals() > 0, "nothing was withdrawn");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_forgot_what_it_acknowledged_is_found_out() {
    let directory = tempfile::tempdir().unwrap();
    let (live, old) = (directory.path().join("live"), directory.path().join("old"));
    let book = Book::default();
    let hub = HubProcess::start(&live);
    let key = contributor(&hub, &live).await;
    let client = Client::connect(&hub.url(), Some(&key), None).await.unwrap();
    let kept = book.contribute(&client).await;
    let withdrawn = book.contribute(&client).await;
    hub.stop();
    copy_directory(&live, &old);

    let hub = HubProcess::start(&live);
    let client = Client::connect(&hub.url(), Some(&key), None).await.unwrap();
    let forgotten = book.contribute(&client).await;
    book.withdraw(&client, withdrawn).await;
    book.learn_ledger(&client).await;
    hub.kill();
    let hub = HubProcess::start(&live);
    let client = Client::connect(&hub.url(), Some(&key), None).await.unwrap();
    assert_eq!(book.losses(&client).await, [""; 0], "nothing is lost yet");
    hub.kill();

    std::fs::remove_dir_all(&live).unwrap();
    copy_directory(&old, &live);
    let hub = HubProcess::start(&live);
    let client = Client::connect(&hub.url(), Some(&key), None).await.unwrap();
    let losses = book.losses(&client).await;
    let told = |words: &str| losses.iter().any(|loss| loss.contains(words));
    assert!(told(&format!("entry {forgotten} does not match")), "{losses:?}");
    assert!(told(&format!("withdrawn entry {withdrawn} matches")), "{losses:?}");
    assert!(told("the ledger has shrunk"), "{losses:?}");
    assert!(told("the last receipt's leaf"), "{losses:?}");
    assert!(!told(&format!("entry {kept} does")), "{losses:?}");
    hub.kill();
}
