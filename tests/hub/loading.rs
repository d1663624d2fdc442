//! A hub that has not finished loading: it answers nothing but that, and it can be told to give up.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::support::{TestHub, check_of, config, contribution, draft, pdq, start_alone};
use hashcommons::client::Client;
use hashcommons::domain::{Clock, Role, SeededEntropy, Timestamp};
use hashcommons::hub::{self, StartError, UseCases};
use hashcommons::policy::ApiKey;
use hashcommons::serve::{self, Running, SERVICES};
use hashcommons::store::Store;
use hashcommons::wire::v1;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// A clock that answers nobody until whoever holds its other end lets go. A hub asks it when it begins to fill its indexes.
#[derive(Debug)]
struct HeldClock {
    asked: UnboundedSender<mpsc::Sender<()>>,
}

impl HeldClock {
    fn new() -> (Arc<Self>, UnboundedReceiver<mpsc::Sender<()>>) {
        let (asked, held) = unbounded_channel();
        (Arc::new(Self { asked }), held)
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        let (hold, let_go) = mpsc::channel();
        if self.asked.send(hold).is_ok() {
            // An error says that the other end was dropped: that is the word.
            let _ = let_go.recv();
        }
        "2026-11-22T12:00:01Z".parse().unwrap()
    }
}

/// One signal of each kind that has an index.
fn signals() -> Vec<v1::Signal> {
    let short =
        |kind: v1::SignalKind| v1::Signal { kind: kind.into(), value: "0102030405060708".into(), quality: None };
    vec![pdq(1), short(v1::SignalKind::Phash), short(v1::SignalKind::Dhash)]
}

/// The directory of a hub that was stopped, with those signals on its list and many more; and the key of a checker.
async fn stopped() -> (TempDir, ApiKey) {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Member", "NZ", &[Role::Contributor, Role::Checker]).await;
    let client = hub.client(&key);
    client.contributions().contribute(contribution("all-kinds", draft(signals()))).await.unwrap();
    for n in 2..100 {
        client.contributions().contribute(contribution(&n.to_string(), draft(vec![pdq(n)]))).await.unwrap();
    }
    drop(client);
    (hub.stop().await, key)
}

/// A hub on `directory` that begins to load and comes no further until what is received is dropped.
async fn held(directory: &TempDir) -> (Running, UnboundedReceiver<mpsc::Sender<()>>, mpsc::Sender<()>) {
    let (clock, mut held) = HeldClock::new();
    let running = serve::start(config(directory.path()), clock, Arc::new(SeededEntropy::new(9))).await.unwrap();
    let hold = tokio::time::timeout(Duration::from_secs(20), held.recv()).await.unwrap().unwrap();
    (running, held, hold)
}

/// What health says of each service, the process itself last.
async fn health(url: &str) -> Vec<ServingStatus> {
    let mut health = HealthClient::new(Endpoint::from_shared(url.to_owned()).unwrap().connect().await.unwrap());
    let mut statuses = Vec::new();
    for service in SERVICES.into_iter().chain([""]) {
        let asked = HealthCheckRequest { service: service.to_owned() };
        statuses.push(health.check(asked).await.unwrap().into_inner().status());
    }
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_loading_is_alive_and_not_ready_and_never_says_that_nothing_matches() {
    let (directory, key) = stopped().await;
    let (mut running, later, hold) = held(&directory).await;
    let url = format!("http://{}", running.address());
    let client = Client::connect(&url, Some(&key), None).await.unwrap();
    let checked = async || client.checks().check(check_of(signals())).await;

    let mut expected = vec![ServingStatus::NotServing; SERVICES.len()];
    expected.push(ServingStatus::Serving);
    assert_eq!(health(&url).await, expected);
    let status = checked().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.message(), "the hub is still loading its index: try again in a moment");
    let other = client.contributions().contribute(contribution("early", draft(vec![pdq(7_000)]))).await;
    assert_eq!(other.unwrap_err().code(), Code::Unavailable);
    let mut stream = client.checks().check_stream(tokio_stream::iter([check_of(signals())])).await;
    if let Ok(answers) = &mut stream {
        assert_eq!(answers.get_mut().message().await.unwrap_err().code(), Code::Unavailable);
    }

    drop((hold, later));
    // From now on it may be ready at any moment: the first that is answered has everything.
    let answer = loop {
        match checked().await {
            Ok(answer) => break answer.into_inner(),
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
        }
    };
    assert_eq!(answer.matches.len(), 1);
    assert_eq!(answer.matches[0].evidence.len(), 3, "{:?}", answer.matches);
    running.ready().await.unwrap();
    assert_eq!(health(&url).await, vec![ServingStatus::Serving; SERVICES.len() + 1]);
    assert_eq!(running.use_cases().unwrap().indexes.pdq.len(), 99);
    drop((client, stream));
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_to_stop_a_loading_hub_ends_it_with_its_data_directory_closed() {
    let (directory, _) = stopped().await;
    let (running, later, hold) = held(&directory).await;
    let address = running.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut hub = tokio::spawn(running.run_until(async move { stopped.await.unwrap() }));
    stop.send(()).unwrap();
    while TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let early = tokio::time::timeout(Duration::from_millis(500), &mut hub).await;
    assert!(early.is_err(), "it was said to have stopped while it was still loading");
    drop((hold, later));
    hub.await.unwrap().unwrap();
    // Refused while anything of it still runs.
    drop(hub::open(directory.path(), config(directory.path()).hub).unwrap());
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_the_rest_to_the_next() {
    let (directory, _) = stopped().await;
    let given_up = |outcome: Result<(UseCases, _), StartError>| matches!(outcome, Err(StartError::Stopped));
    assert!(given_up(start_alone(directory.path(), true)), "while filling the indexes");

    let (use_cases, thread) = start_alone(directory.path(), false).unwrap();
    use_cases.store.forget_folds().unwrap();
    thread.stop();
    drop(use_cases);
    assert!(given_up(start_alone(directory.path(), true)), "while folding");
    assert_eq!(Store::open(directory.path()).unwrap().folded().unwrap(), 0, "all was folded first");

    let (use_cases, thread) = start_alone(directory.path(), false).unwrap();
    let verifier = use_cases.prove.verifier().clone();
    let now = "2026-11-22T12:00:01Z".parse().unwrap();
    let report = hub::audit(&use_cases.store, &verifier, Some(&use_cases.indexes), now).unwrap();
    assert_eq!((report.entries, use_cases.indexes.pdq.len()), (99, 99));
    thread.stop();
}

#[tokio::test]
async fn what_has_expired_stays_out_at_a_start_and_the_rest_leaves_when_its_time_comes() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Member", "NZ", &[Role::Contributor]).await;
    // Times in another order than that of the hashes, which is that of the load; the last item is for good.
    for n in 0..20 {
        let mut item = draft(vec![pdq(n)]);
        let hours = Duration::from_secs(3_600 * (1 + (7 * n) % 19));
        let until = (n < 19).then(|| hashcommons::wire::timestamp(hub.clock.now().plus(hours)));
        item.provenance.as_mut().unwrap().valid_until = until;
        hub.client(&key).contributions().contribute(contribution(&n.to_string(), item)).await.unwrap();
    }
    let indexed = |hub: &TestHub| hub.running().use_cases().unwrap().indexes.pdq.len();
    assert_eq!(indexed(&hub), 20);
    hub.clock.advance(Duration::from_secs(3_600 * 5));
    let hub = hub.restart().await;
    assert_eq!(indexed(&hub), 15);
    for left in [13, 11, 9, 1] {
        hub.clock.advance(Duration::from_secs(3_600 * if left == 1 { 10 } else { 2 }));
        // A commit tidies the indexes, and only what is stored counts for the audit.
        hub.enrol(&format!("Another {left}"), "NZ", &[Role::Checker]).await;
        assert_eq!(indexed(&hub), left);
        hub.check().await;
    }
    hub.stop().await;
}
