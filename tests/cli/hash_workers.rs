//! Commands that decode pictures do so in processes of their own, locked in, and come through the loss of one.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::pictures::Desk;
use crate::process::Ran;
use crate::site::PROVENANCE;

/// A field of `/proc/PID/status`.
fn status(id: u32, field: &str) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')?.trim().parse().ok())
}

/// The processes that this one has started.
fn children(parent: u32) -> Vec<u32> {
    let ids = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|id| status(*id, "PPid") == Some(parent)).collect()
}

/// Starts a command that waits for its picture on standard input, which comes after the process that is to decode it.
fn waiting(desk: &Desk, more: &[&str]) -> Child {
    let nobody = ["--hub", "http://127.0.0.1:1"];
    let mut command = desk.command(&[&["contribute", "/dev/stdin"], &PROVENANCE[..], &nobody, more].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until `found` finds something.
fn until<T>(found: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(25), "it does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn one_picture_is_decoded_in_one_process_which_is_locked_in() {
    let desk = Desk::new();
    desk.draw("picture.png", 1, 40);
    let mut command = waiting(&desk, &[]);
    let own = status(command.id(), "Seccomp_filters");
    until(|| children(command.id()).into_iter().find(|child| status(*child, "Seccomp_filters") > own));
    assert_eq!(children(command.id()).len(), 1);
    command.stdin.take().unwrap().write_all(&desk.read("picture.png")).unwrap();
    let ran: Ran = command.wait_with_output().unwrap().into();
    // It was hashed, and there is no hub to send it to.
    assert!(ran.code == 2 && ran.stderr.starts_with("hashcommons: cannot reach the hub"), "{ran:?}");
}

#[test]
fn without_a_sandbox_only_when_told_so_and_with_a_warning() {
    let desk = Desk::new();
    desk.draw("picture.png", 1, 40);
    let mut command = waiting(&desk, &["--unsandboxed"]);
    let mut stderr = BufReader::new(command.stderr.take().unwrap());
    let mut words = String::new();
    stderr.read_line(&mut words).unwrap();
    assert!(words.starts_with("hashcommons: warning: pictures are decoded without a sandbox"), "{words}");
    let own = status(command.id(), "Seccomp_filters");
    let [child] = children(command.id())[..] else { panic!("not one child") };
    assert_eq!(status(child, "Seccomp_filters"), own);
    command.stdin.take().unwrap().write_all(&desk.read("picture.png")).unwrap();
    stderr.read_to_string(&mut words).unwrap();
    assert!(command.wait().unwrap().code() == Some(2) && words.contains("cannot reach the hub"), "{words}");

    for (value, code, words) in [("true", 0, "without a sandbox"), ("false", 0, ""), ("perhaps", 2, "invalid value")] {
        let mut command = desk.command(&["hash", "picture.png"]);
        let ran: Ran = command.env("HASHCOMMONS_MEDIA_UNSANDBOXED", value).output().unwrap().into();
        assert!(ran.code == code && ran.stderr.contains(words), "{value}: {ran:?}");
        assert_eq!(ran.stderr.is_empty(), words.is_empty(), "{value}: {ran:?}");
    }
}

#[test]
fn a_worker_that_somebody_ends_costs_no_file() {
    let desk = Desk::new();
    for n in 0..200 {
        desk.draw(&format!("in/{n:04}.png"), n, 300);
    }
    let running = desk.begin("in", "items");
    let workers = children(running.id());
    assert!(!workers.is_empty());
    for worker in workers {
        assert!(Command::new("kill").args(["-KILL", &worker.to_string()]).status().unwrap().success());
    }
    let ran: Ran = running.wait_with_output().unwrap().into();
    assert!(ran.code == 0 && ran.stdout.starts_with("200 files: 200 hashed\n"), "{ran:?}");
    assert_eq!(desk.read("items").iter().filter(|byte| **byte == b'\n').count(), 200);
}
