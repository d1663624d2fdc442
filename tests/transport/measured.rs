//! What each attack costs a client that behaves, and the hub's memory. For people to read, hence ignored:
//!
//! `cargo test --release --test transport what_attacks_cost -- --ignored --nocapture`
//!
//! Attackers run on the same machine, and their own work is in the figures. So none does more than one remote address could: it
//! makes as many connections a second as the hub lets it ([`ArrivalLimit`]), and sends no more than a line of 32 Mbit/s takes.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashcommons::client::Client;
use hashcommons::policy::ApiKey;
use hashcommons::serve::ArrivalLimit;
use tokio::task::JoinSet;

use crate::doors::many_descriptors;
use crate::enrolment::Operators;
use crate::process::HubProcess;
use crate::raw::{
    CONTINUATION, DATA, END_STREAM, Frame, HEADERS, Raw, WATCH, empty_message, header, open, request_headers, reset,
    setting, window_update,
};
use crate::readers::ask_for_much;
use crate::support::{check_of, pdq};

/// How long latencies are taken with and without each attack.
const LONG: Duration = Duration::from_secs(5);
/// Attackers who hold what they have, at the same time, from addresses of their own. Who makes new connections all the time is one.
const HOLDERS: u8 = 8;
/// Packed messages of 4 KB a second.
const PACKED: u32 = 1_000;
/// What a client that behaves asks a second: less than its quota.
const CHECKS: u32 = 190;
/// How long after an attack the memory is looked at.
const AFTER: Duration = Duration::from_secs(20);
const IDLE: usize = 10_000;

/// A hub of the ordinary limits, and who enrols its members.
pub struct Scene {
    pub hub: HubProcess,
    operators: Operators,
    _folder: tempfile::TempDir,
}

impl Scene {
    pub async fn start() -> Self {
        many_descriptors();
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("hub");
        let hub = HubProcess::start_with(&data_dir, |command| {
            command.args(["--connections-max", "12000", "--media-workers", "1"]);
        });
        let key = |file| std::fs::read_to_string(data_dir.join(file)).unwrap().trim().parse().unwrap();
        let first = connect(&hub.url(), &key("admin.key")).await;
        let operators = Operators { first, second: connect(&hub.url(), &key("admin-2.key")).await };
        Self { hub, operators, _folder: folder }
    }

    /// The key of a new checker.
    pub async fn checker(&self, name: &str) -> ApiKey {
        self.operators.enrol(name, "NZ", &[hashcommons::domain::Role::Checker]).await.1
    }

    fn address(&self) -> SocketAddr {
        self.hub.address.parse().unwrap()
    }
}

/// A connection whose work is done where this is called.
pub async fn connect(url: &str, key: &ApiKey) -> Client {
    Client::connect(url, Some(key), None).await.unwrap()
}

/// The latencies of checks, one after the other, within a checker's quota: p50, p99 in ms, and how many.
pub async fn latencies(client: &Client) -> (f64, f64, usize) {
    let mut all = Vec::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / CHECKS);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let begin = Instant::now();
    while begin.elapsed() < LONG {
        tick.tick().await;
        let asked = Instant::now();
        client.checks().check(check_of([pdq(1)])).await.expect("a client that behaves is answered");
        all.push(asked.elapsed());
    }
    all.sort();
    let at = |share: usize| all[(all.len() - 1) * share / 100].as_secs_f64() * 1e3;
    (at(50), at(99), all.len())
}

/// What one does with each of its connections, of which it makes as many as the hub lets it.
async fn again_and_again<F>(address: SocketAddr, number: u8, one: impl Fn(Raw) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut tick = tokio::time::interval(Duration::from_secs(1) / ArrivalLimit::default().per_second);
    let mut connections = JoinSet::new();
    loop {
        tick.tick().await;
        connections.spawn(one(from(number, address).await));
        while connections.try_join_next().is_some() {}
    }
}

type Attack = fn(SocketAddr, u8) -> Pin<Box<dyn Future<Output = ()> + Send>>;

async fn from(number: u8, address: SocketAddr) -> Raw {
    let mut raw = Raw::silent_from(&format!("127.0.1.{}", number + 1), address).await;
    // The hub may have closed it.
    let _ = raw.try_begin().await;
    raw
}

fn rapid_reset(address: SocketAddr, number: u8) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let flood: Vec<_> = (0..1_000).flat_map(|n| [open(2 * n + 1, WATCH), reset(2 * n + 1)]).collect();
    let flood: Arc<[u8]> = flood.iter().flat_map(Frame::bytes).collect();
    Box::pin(again_and_again(address, number, move |mut raw| {
        let flood = flood.clone();
        async move {
            let _ = raw.write(&flood).await;
            raw.farewell().await;
        }
    }))
}

fn continuation_flood(address: SocketAddr, number: u8) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let filler = header("x-filler", &"x".repeat(100)).repeat(50);
    let more: Arc<[u8]> = Frame::new(CONTINUATION, 0, 1, filler).bytes().into();
    Box::pin(again_and_again(address, number, move |mut raw| {
        let more = more.clone();
        async move {
            let _ = raw.send(&[Frame::new(HEADERS, END_STREAM, 1, request_headers(WATCH))]).await;
            while raw.write(&more).await.is_ok() {}
        }
    }))
}

fn slow_headers(address: SocketAddr, number: u8) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    trickling(address, number, open(1, WATCH).bytes())
}

fn slow_bodies(address: SocketAddr, number: u8) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let body = [&[0, 0, 0, 15, 0][..], &[0; 100]].concat();
    trickling(address, number, [open(1, crate::raw::CHECK).bytes(), Frame::new(DATA, 0, 1, body).bytes()].concat())
}

/// A hundred connections that send a byte now and then.
fn trickling(address: SocketAddr, number: u8, bytes: Vec<u8>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut connections = JoinSet::new();
        for _ in 0..100 {
            let bytes = bytes.clone();
            connections.spawn(async move {
                loop {
                    let mut raw = from(number, address).await;
                    for byte in &bytes {
                        if raw.write(&[*byte]).await.is_err() {
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    raw.farewell().await;
                }
            });
        }
        while connections.join_next().await.is_some() {}
    })
}

fn abandoned_streams(address: SocketAddr, number: u8) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let streams = (0..200).map(|n| 2 * n + 1);
    let frames: Vec<_> = streams.flat_map(|stream| [open(stream, WATCH), empty_message(stream)]).collect();
    let frames: Arc<[u8]> = frames.iter().flat_map(Frame::bytes).collect();
    Box::pin(again_and_again(address, number, move |mut raw| {
        let frames = frames.clone();
        async move {
            let _ = raw.write(&frames).await;
            raw.next_of(DATA).await;
        }
    }))
}

/// Twenty connections with 250 answers each that nobody takes.
fn zero_window(address: SocketAddr, number: u8) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut connections = Vec::new();
        for _ in 0..20 {
            let mut raw = from(number, address).await;
            let _ = raw.send(&[setting(4, 1), window_update(0, 1 << 20)]).await;
            let frames: Vec<_> = (0..250).flat_map(|n| ask_for_much(2 * n + 1)).collect();
            let _ = raw.send(&frames).await;
            connections.push(raw);
        }
        std::future::pending::<()>().await;
    })
}

fn packed(address: SocketAddr, number: u8) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        // The head alone decides: what is behind it could be anything.
        let bomb = [vec![1, 0, 0, 15, 0], vec![0x1f; 3_840]].concat();
        let mut tick = tokio::time::interval(Duration::from_secs(1) / PACKED);
        loop {
            let mut raw = from(number, address).await;
            for n in 0..500 {
                tick.tick().await;
                let frames =
                    [open(2 * n + 1, crate::raw::CHECK), Frame::new(DATA, END_STREAM, 2 * n + 1, bomb.clone())];
                if raw.send(&frames).await.is_err() {
                    break;
                }
                raw.next_of(HEADERS).await;
            }
        }
    })
}

fn idle(address: SocketAddr, number: u8) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut connections = Vec::new();
        for n in 0..IDLE / usize::from(HOLDERS) {
            // The share of one address is 128.
            let host = u8::try_from(n / 100 + 1).unwrap();
            let mut raw = Raw::silent_from(&format!("127.1.{number}.{host}"), address).await;
            let _ = raw.try_begin().await;
            let _ = raw.send(&[open(1, WATCH), empty_message(1)]).await;
            raw.next_of(DATA).await;
            connections.push(raw);
        }
        std::future::pending::<()>().await;
    })
}

/// Attackers on a thread of their own, so that they are not in the way of the client that is measured.
struct Attackers {
    stop: tokio::sync::oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Attackers {
    fn start(attack: Attack, attackers: u8, address: SocketAddr) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut tasks = JoinSet::new();
                for number in 0..attackers {
                    tasks.spawn(attack(address, number));
                }
                let _ = stopped.await;
            });
        });
        Self { stop, thread }
    }

    fn stop(self) {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; for people to read"]
async fn what_attacks_cost() {
    println!("| attack | p50 / p99 ms (checks) without | p50 / p99 ms (checks) with | MB before, during, 20 s after |");
    println!("|---|---|---|---|");
    let attacks: [(&str, Attack, u8, u64); 8] = [
        ("rapid reset", rapid_reset, 1, 1),
        ("CONTINUATION flood", continuation_flood, 1, 1),
        ("slow headers", slow_headers, HOLDERS, 3),
        ("slow bodies", slow_bodies, HOLDERS, 3),
        ("abandoned streams", abandoned_streams, 1, 1),
        ("answers not taken", zero_window, HOLDERS, 3),
        ("packed messages", packed, 1, 1),
        ("10,000 idle connections", idle, HOLDERS, 15),
    ];
    for (name, attack, attackers, warm_up) in attacks {
        let scene = Scene::start().await;
        let client = connect(&scene.hub.url(), &scene.checker("Well behaved").await).await;
        let (p50, p99, count) = latencies(&client).await;
        let mut memory = vec![scene.hub.memory()];
        let running = Attackers::start(attack, attackers, scene.address());
        tokio::time::sleep(Duration::from_secs(warm_up)).await;
        let (with_p50, with_p99, with_count) = latencies(&client).await;
        memory.push(scene.hub.memory());
        running.stop();
        tokio::time::sleep(AFTER).await;
        memory.push(scene.hub.memory());
        let memory: Vec<_> = memory.iter().map(|memory| format!("{memory:.0}")).collect();
        let memory = memory.join(", ");
        println!(
            "| {name} | {p50:.2} / {p99:.2} ({count}) | {with_p50:.2} / {with_p99:.2} ({with_count}) | {memory} |"
        );
    }
}
