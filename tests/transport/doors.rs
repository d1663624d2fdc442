//! Connections themselves: how many, of whom, and what happens when there is no room for more.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::policy::ApiKey;
use hashcommons::serve::{ArrivalLimit, TlsFiles};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use tokio::time::timeout;

use crate::process::HubProcess;
use crate::raw::{BOUND, CHECK, DATA, Raw, empty_message, open};
use crate::support::TestHub;
use crate::well_behaved::WellBehaved;

const SOON: Duration = Duration::from_millis(300);

/// Whether the hub answers on this connection.
async fn is_served(raw: &mut Raw) -> bool {
    let asked = raw.try_begin().await.is_ok() && raw.send(&[open(1, CHECK), empty_message(1)]).await.is_ok();
    // Who is turned away reads the end.
    raw.next_of(DATA).await.is_some() && asked
}

/// Connects until one is served: a place that was given up comes free in its own time.
async fn served_at_last(address: SocketAddr) {
    let served = async {
        while !is_served(&mut Raw::silent(address).await).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(BOUND, served).await.expect("a place comes free");
}

/// Lets this process have as many connections as it may.
pub fn many_descriptors() -> u64 {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    maximum.unwrap_or(u64::MAX)
}

fn key_of(folder: &std::path::Path) -> ApiKey {
    std::fs::read_to_string(folder.join("admin.key")).unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn one_address_has_no_more_than_its_share_and_others_have_theirs() {
    let hub = TestHub::start_with(|config| config.transport.connections_per_address_max = 4).await;
    // The test's own two are among them.
    let beside = WellBehaved::start(&hub).await;
    let mut held = vec![Raw::silent(hub.address()).await, Raw::silent(hub.address()).await];
    for raw in &mut held {
        assert!(is_served(raw).await);
    }
    for _ in 0..20 {
        assert!(!is_served(&mut Raw::silent(hub.address()).await).await);
    }
    assert!(is_served(&mut Raw::silent_from("127.0.0.2", hub.address()).await).await);
    held.pop();
    served_at_last(hub.address()).await;
    beside.finish().await;
    hub.stop().await;
}

#[tokio::test]
async fn who_connects_too_fast_is_closed_at_once_and_another_address_is_served() {
    let limit = ArrivalLimit { per_second: 1, burst: 20, loopback: true };
    let hub = TestHub::start_with(|config| config.transport.arrivals = Some(limit)).await;
    let beside = WellBehaved::start(&hub).await;
    let (mut served, mut turned_away) = (0, 0);
    for _ in 0..100 {
        // Each has gone before the next comes.
        let mut raw = Raw::silent_from("127.0.0.2", hub.address()).await;
        if is_served(&mut raw).await { served += 1 } else { turned_away += 1 }
    }
    // The machine may be slow, but not by a minute.
    assert!((20..80).contains(&served), "{served} served, {turned_away} turned away");
    assert!(is_served(&mut Raw::silent_from("127.0.0.3", hub.address()).await).await);
    // In time it is served again.
    let again = async {
        while !is_served(&mut Raw::silent_from("127.0.0.2", hub.address()).await).await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(BOUND, again).await.expect("who waits is served");
    beside.finish().await;
    hub.stop().await;
}

#[tokio::test]
async fn this_machines_own_addresses_connect_as_fast_as_they_can_unless_told_otherwise() {
    let limit = ArrivalLimit { per_second: 1, burst: 20, loopback: false };
    let hub = TestHub::start_with(|config| config.transport.arrivals = Some(limit)).await;
    for _ in 0..100 {
        assert!(is_served(&mut Raw::silent_from("127.0.0.2", hub.address()).await).await);
    }
    hub.stop().await;
}

#[tokio::test]
async fn there_are_no_more_connections_than_there_may_be_and_idle_ones_cost_the_others_nothing() {
    many_descriptors();
    let hub = TestHub::start_with(|config| {
        config.transport.connections_max = 302;
        config.transport.connections_per_address_max = 1_000;
    })
    .await;
    let beside = WellBehaved::start(&hub).await;
    let mut held = Vec::new();
    for _ in 0..300 {
        let mut raw = Raw::silent(hub.address()).await;
        assert!(is_served(&mut raw).await);
        held.push(raw);
    }
    assert!(!is_served(&mut Raw::silent_from("127.0.0.2", hub.address()).await).await);
    beside.goes_on().await;
    held.pop();
    served_at_last(hub.address()).await;
    beside.finish().await;
    hub.stop().await;
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_not_waited_for_and_too_many_do_not_get_to_it() {
    let files = crate::tls::files();
    let hub = TestHub::start_with(|config| {
        config.tls = Some(TlsFiles { client_ca: None, ..files });
        config.transport.handshake = SOON;
        config.transport.connections_per_address_max = 3;
    })
    .await;
    let mut held = [Raw::silent(hub.address()).await, Raw::silent(hub.address()).await];
    // A part of one.
    held[1].write(&[0x16, 0x03, 0x01]).await.unwrap();
    // The test's own, these two, and one too many.
    Raw::silent(hub.address()).await.farewell().await;
    for raw in &mut held {
        assert_eq!(raw.farewell().await, None);
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_descriptors_those_that_are_connected_are_served_and_others_when_there_are_some_again() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("hub");
    let mut hub = HubProcess::start_with(&data_dir, |command| {
        command.args(["--connections-per-address-max", "10000"]);
    });
    let client = Client::connect(&hub.url(), Some(&key_of(&data_dir)), None).await.unwrap();
    let ask = || async { client.taxonomy().get_taxonomy(hashcommons::wire::v1::GetTaxonomyRequest::default()).await };
    ask().await.unwrap();
    let open_now = std::fs::read_dir(format!("/proc/{}/fd", hub.id())).unwrap().count() as u64;
    let pid = Pid::from_raw(hub.id().try_into().unwrap());
    let limit = prlimit(pid, Resource::Nofile, Rlimit { current: Some(open_now + 8), maximum: Some(open_now + 8) });
    limit.unwrap();
    let address: SocketAddr = hub.address.parse().unwrap();
    let mut held = Vec::new();
    for _ in 0..40 {
        // The kernel takes them; the hub cannot.
        held.push(Raw::silent(address).await);
    }
    for _ in 0..50 {
        ask().await.expect("who is connected is served");
    }
    drop(held);
    served_at_last(address).await;
    drop(client);
    hub.terminate();
    let log = hub.wait_for_log();
    let lines = log.lines().filter(|line| line.contains("cannot take connections")).count();
    assert!((1..=10).contains(&lines), "{lines} lines of:\n{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_may_open_few_files_takes_few_connections_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = HubProcess::start_with(&folder.path().join("hub"), |command| {
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -n 800; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
        limited.args(["--connections-per-address-max", "10000"]).stdin(std::process::Stdio::null());
        limited.env("XDG_CONFIG_HOME", "/nonexistent");
        *command = limited;
    });
    let address: SocketAddr = hub.address.parse().unwrap();
    let mut held = Vec::new();
    for _ in 0..400 {
        let mut raw = Raw::silent(address).await;
        assert!(is_served(&mut raw).await);
        held.push(raw);
    }
    assert!(!is_served(&mut Raw::silent(address).await).await);
    drop(held);
    hub.terminate();
    let log = hub.wait_for_log();
    assert!(log.contains("room for 400 connections instead of 10000"), "{log}");
    assert!(log.contains("a connection is turned away"), "{log}");
}
