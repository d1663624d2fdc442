//! The processes that decode for a hub: what they are, and that none outlives it.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{HubProcess, program, run};
use crate::site::Site;

/// The processes that `parent` has started.
fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid = entry.unwrap().file_name().to_str()?.parse::<u32>().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // After the name, which is in parentheses: its state, and its parent.
        let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<u32>().ok()?;
        Some((pid, parent))
    });
    processes.filter(|(_, of)| *of == parent).map(|(pid, _)| pid).collect()
}

/// Whether it is gone, or dead and only not counted by whoever must.
fn has_ended(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

fn wait_until(mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not come to pass");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

/// A hub with two workers, and these.
fn hub(directory: &std::path::Path) -> (HubProcess, Vec<u32>) {
    let hub = HubProcess::start_with(directory, |command| {
        command.args(["--media-workers", "2"]);
    });
    wait_until(|| children(hub.id()).len() == 2);
    let workers = children(hub.id());
    (hub, workers)
}

#[test]
fn no_worker_outlives_a_hub_that_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, workers) = hub(&folder.path().join("hub"));
    for pid in &workers {
        let command_line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        assert_eq!(command_line, "hashcommons\0media-worker\0");
    }
    hub.stop();
    assert!(workers.iter().all(|pid| has_ended(*pid)));
}

#[test]
fn no_worker_outlives_a_hub_that_is_killed_not_even_one_that_is_stuck() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, workers) = hub(&folder.path().join("hub"));
    // It takes no notice of anything any more, such as the end of its input.
    signal("-STOP", workers[0]);
    hub.kill();
    wait_until(|| workers.iter().all(|pid| has_ended(*pid)));
}

#[test]
fn a_worker_that_is_ended_is_replaced_and_its_hub_goes_on() {
    let site = Site::with(|command| {
        command.args(["--media-workers", "1"]);
    });
    let worker = children(site.hub.id())[0];
    let drawn = image::RgbImage::from_fn(64, 48, |x, y| image::Rgb([(x * y) as u8, (x * 3) as u8, (y * 5) as u8]));
    drawn.save(site.path("picture.png")).unwrap();
    let check = || site.ran(&["check", "--send-media", "picture.png"]);
    assert_eq!(check().code, 1);
    signal("-KILL", worker);
    assert_eq!(check().code, 1, "nothing of it is seen from outside");
    assert!(has_ended(worker) && children(site.hub.id()) != [worker]);
}

#[test]
fn the_log_says_what_holds_the_decoders_and_loudly_if_nothing_does() {
    let folder = tempfile::tempdir().unwrap();
    let start = |more: &[&str]| {
        HubProcess::start_with(&folder.path().join("hub"), |command| {
            command.args(["--log-format", "json"]).args(more);
        })
    };
    let log = |mut hub: HubProcess| {
        hub.terminate();
        hub.wait_for_log()
    };
    let sandboxed = log(start(&[]));
    assert!(sandboxed.contains("the decoders are ready") && sandboxed.contains("seccomp"), "{sandboxed}");
    assert!(!sandboxed.contains("WITHOUT A SANDBOX"), "{sandboxed}");
    let not = log(start(&["--media-unsandboxed"]));
    assert!(not.contains("WITHOUT A SANDBOX") && not.contains("none, only limits"), "{not}");
}

#[test]
fn a_workers_command_is_hidden_and_harmless_by_hand() {
    assert!(!run(&["--help"]).stdout.contains("media-worker"));
    let ran = run(&["media-worker"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    let mut command = program();
    let mut child = command.arg("media-worker").stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"\x05\0\0\0hello").unwrap();
    assert_eq!(crate::process::wait(&mut child), Some(2));
}
