//! Members that take more than is theirs: by requests that they take back, and by asking twenty times what they may.
//!
//! What the latter costs another member is for people to read, hence ignored:
//!
//! `cargo test --release --test transport what_a_flooding_member_costs -- --ignored --nocapture`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::Role;
use hashcommons::policy::{Limits, QuotaTable};
use hashcommons::wire::v1;
use prost::Message;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use crate::measured::{Scene, connect, latencies};
use crate::raw::{DATA, END_HEADERS, END_STREAM, Frame, HEADERS, Raw, header, request_headers, reset, setting};
use crate::support::{TestHub, check_of, pdq};

/// Requests a second: twenty times a checker's quota of checks.
const FLOOD: u64 = 4_000;
/// On their way at the same time: who is slower is not waited for.
const ON_THEIR_WAY: usize = 512;

#[derive(Clone, Copy, Debug)]
enum Flood {
    Unary { signals: u64 },
    Stream { signals: u64 },
}

impl Flood {
    fn request(self) -> v1::CheckRequest {
        let (Self::Unary { signals } | Self::Stream { signals }) = self;
        check_of((0..signals).map(pdq))
    }

    /// Floods until dropped; counts requests, and those that were refused.
    async fn run(self, client: Client, asked: Arc<AtomicU64>, refused: Arc<AtomicU64>) {
        let request = self.request();
        let places = Arc::new(Semaphore::new(ON_THEIR_WAY));
        let (sender, receiver) = mpsc::channel(ON_THEIR_WAY);
        if let Self::Stream { .. } = self {
            let refused = refused.clone();
            let client = client.clone();
            tokio::spawn(async move {
                let mut answers =
                    client.checks().check_stream(ReceiverStream::new(receiver)).await.unwrap().into_inner();
                while let Some(Ok(answer)) = answers.next().await {
                    let error = matches!(answer.answer, Some(v1::check_stream_response::Answer::Error(_)));
                    refused.fetch_add(u64::from(error), Ordering::Relaxed);
                }
            });
        }
        let mut tick = tokio::time::interval(Duration::from_millis(1));
        loop {
            tick.tick().await;
            for _ in 0..FLOOD / 1_000 {
                let request = request.clone();
                match self {
                    Self::Stream { .. } => {
                        sender.send(request).await.unwrap();
                    }
                    Self::Unary { .. } => {
                        let place = places.clone().acquire_owned().await.unwrap();
                        let (client, refused) = (client.clone(), refused.clone());
                        tokio::spawn(async move {
                            let answer = client.checks().check(request).await;
                            refused.fetch_add(u64::from(answer.is_err()), Ordering::Relaxed);
                            drop(place);
                        });
                    }
                }
                asked.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; for people to read"]
async fn what_a_flooding_member_costs() {
    println!("| flood | p50 / p99 ms (checks) without | p50 / p99 ms (checks) with | asked, refused |");
    println!("|---|---|---|---|");
    let floods = [Flood::Unary { signals: 1 }, Flood::Stream { signals: 1 }, Flood::Unary { signals: 16 }];
    for flood in floods {
        let scene = Scene::start().await;
        let behaved = connect(&scene.hub.url(), &scene.checker("Well behaved").await).await;
        let (url, flooding) = (scene.hub.url(), scene.checker("Flooding").await);
        let (asked, refused) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let (p50, p99, count) = latencies(&behaved).await;
        let without = format!("{p50:.2} / {p99:.2} ({count})");
        // On threads of its own, so that it is not in the way of the client that is measured.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let counts = (asked.clone(), refused.clone());
        runtime.spawn(async move { flood.run(connect(&url, &flooding).await, counts.0, counts.1).await });
        // The burst of ten seconds that a quota lets through is over soon.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (p50, p99, count) = latencies(&behaved).await;
        runtime.shutdown_background();
        let (asked, refused) = (asked.load(Ordering::Relaxed), refused.load(Ordering::Relaxed));
        println!("| {flood:?} | {without} | {p50:.2} / {p99:.2} ({count}) | {asked}, {refused} |");
    }
}

#[tokio::test]
async fn a_check_that_is_taken_back_has_been_counted() {
    let own = Limits { checks_per_second: 1, ..Limits::NONE };
    let hub = TestHub::start_with(|config| config.hub.quotas = QuotaTable { checker: own, ..QuotaTable::NONE }).await;
    let (_, key) = hub.enrol("Takes back", "NZ", &[Role::Checker]).await;
    let message = check_of([pdq(1)]).encode_to_vec();
    let head = [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes()].concat();
    let body = [head, message].concat();
    let headers = [
        request_headers("/hashcommons.v1.CheckService/Check"),
        header("authorization", &format!("Bearer {}", key.reveal())),
    ]
    .concat();
    let mut raw = Raw::connect(hub.address()).await;
    // No window: answers cannot be taken, and each request is open when it is reset.
    raw.send(&[setting(4, 0)]).await.unwrap();
    for n in 0..60 {
        let stream = 2 * n + 1;
        let ask = [
            Frame::new(HEADERS, END_HEADERS, stream, headers.clone()),
            Frame::new(DATA, END_STREAM, stream, body.clone()),
        ];
        raw.send(&ask).await.unwrap();
        raw.until_pong().await;
        raw.send(&[reset(stream)]).await.unwrap();
    }
    raw.until_pong().await;
    // Ten may come at once: all the others have been refused, and so is this.
    let client = connect(&hub.url(), &key).await;
    let refused = client.checks().check(check_of([pdq(1)])).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted, "{refused}");
    hub.stop().await;
}
