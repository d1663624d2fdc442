//! What connections took of the hub's memory goes back to the system.

use std::time::{Duration, Instant};

use crate::doors::many_descriptors;
use crate::process::HubProcess;
use crate::raw::{BOUND, DATA, Raw, WATCH, empty_message, open};

/// Fewer than one address may have.
const OF_ONE_ADDRESS: usize = 100;

/// So many connections, with an open stream each, come and go.
async fn come_and_go(hub: &HubProcess, connections: usize) -> f64 {
    let address = hub.address.parse().unwrap();
    let mut held = Vec::new();
    for n in 0..connections {
        let mut raw = Raw::silent_from(&format!("127.0.2.{}", n / OF_ONE_ADDRESS + 1), address).await;
        raw.begin().await;
        raw.send(&[open(1, WATCH), empty_message(1)]).await.unwrap();
        raw.next_of(DATA).await.expect("the connection is served");
        held.push(raw);
    }
    hub.memory()
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(all(target_os = "linux", target_env = "gnu")), ignore = "src/main.rs has the system's allocator there")]
async fn memory_comes_back_when_connections_have_gone() {
    let descriptors = usize::try_from(many_descriptors()).unwrap_or(usize::MAX);
    let folder = tempfile::tempdir().unwrap();
    let hub = HubProcess::start_with(&folder.path().join("hub"), |command| {
        command.args(["--media-workers", "1"]);
    });
    // What is made once and kept.
    come_and_go(&hub, 50).await;
    let before = hub.memory();
    let during = come_and_go(&hub, 2_000.min(descriptors / 2)).await;
    assert!(during > 1.5 * before, "{before:.0} MB, then {during:.0}: too little to prove anything");
    let begin = Instant::now();
    while hub.memory() > 1.5 * before {
        let now = hub.memory();
        assert!(begin.elapsed() < BOUND, "{before:.0} MB before, {during:.0} during, {now:.0} long after");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
