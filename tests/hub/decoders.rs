//! A hub and the processes that decode for it: what happens to callers when those misbehave, are stuck, or are not there.

use std::process::Command;
use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::Role;
use hashcommons::wire::v1::check_media_request::Options;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::fake_worker::{Fake, wait_until};
use crate::media::{UPLOADS_MAX, chunk, upload};
use crate::support::{TestHub, check_of, pdq};

/// A hub whose two workers do what the files say, and a checker.
async fn hub(fake: &Fake) -> (TestHub, Client) {
    let media = fake.config(2);
    let hub = TestHub::start_with(|config| config.hub.media = media).await;
    let checker = hub.member("Checker", &[Role::Checker]).await;
    (hub, checker)
}

async fn send(checker: &Client, file: &str) -> Result<(), Status> {
    checker.check_media(file.as_bytes().to_vec(), Options::default()).await.map(drop)
}

fn end(pid: u32) {
    assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_ends_its_decoder_is_refused_as_one_and_the_next_is_hashed() {
    let fake = Fake::new("good");
    let (hub, checker) = hub(&fake).await;
    for (fault, words) in [
        ("crash", "media: the decoder crashed on the picture"),
        ("text", "media: the decoder crashed on the picture"),
        ("out-of-memory", "media: decoding the picture needs more memory than 512 MiB"),
        ("out-of-time", "media: decoding the picture took longer than 60 s"),
    ] {
        let status = send(&checker, fault).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, words));
        assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "media");
        send(&checker, "good").await.expect("another picture is hashed");
    }
    hub.stop().await;
    assert!(fake.nobody_left());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decoder_that_somebody_ends_in_the_middle_is_not_the_pictures_fault() {
    let fake = Fake::new("good");
    let (hub, checker) = hub(&fake).await;
    let stuck = tokio::spawn({
        let checker = checker.clone();
        async move { send(&checker, "hang").await }
    });
    tokio::task::block_in_place(|| fake.wait_for_jobs(1));
    for pid in fake.pids() {
        end(pid);
    }
    let status = stuck.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.message().contains("send the picture again"), "{status:?}");
    send(&checker, "good").await.expect("there are new ones");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_all_decoders_are_stuck_checks_are_answered_and_too_many_pictures_are_told_to_come_back() {
    let fake = Fake::new("good");
    let (hub, checker) = hub(&fake).await;
    let mut waiting = JoinSet::new();
    // One member alone has one of the two, and half of the places.
    let other = hub.member("Other", &[Role::Checker]).await;
    for (client, jobs) in [(&checker, 1), (&other, 2)] {
        for _ in 0..UPLOADS_MAX / 2 {
            let client = client.clone();
            waiting.spawn(async move { send(&client, "hang").await });
        }
        tokio::task::block_in_place(|| fake.wait_for_jobs(jobs));
    }
    let refused = async || loop {
        let (parts, answer) = upload(&checker);
        drop(parts);
        match tokio::time::timeout(Duration::from_millis(100), answer).await {
            Ok(Err(status)) if status.code() == Code::ResourceExhausted => return status,
            _ => {}
        }
    };
    let status = tokio::time::timeout(Duration::from_secs(60), refused()).await.expect("no place is left");
    assert!(status.get_details_retry_info().is_some_and(|retry| retry.retry_delay.is_some()), "{status:?}");
    for n in 0..20 {
        checker.checks().check(check_of([pdq(n)])).await.expect("who sends hashes is served");
    }

    // All callers give up: those who wait are let go of at once, those at work when their decoder has ended.
    waiting.shutdown().await;
    tokio::task::block_in_place(|| {
        for pid in fake.pids() {
            end(pid);
        }
        wait_until(|| fake.pids().len() == 4);
    });
    send(&checker, "good").await.expect("there are places and decoders again");
    let jobs = fake.lines("jobs");
    assert_eq!(jobs, ["hang", "hang", "good"], "what nobody waits for is not worked on");
    hub.stop().await;
    assert!(fake.nobody_left());
}

#[tokio::test]
async fn a_hub_that_cannot_sandbox_its_decoders_takes_no_pictures_and_serves_all_else() {
    let fake = Fake::new("unavailable");
    let (hub, checker) = hub(&fake).await;
    let status = send(&checker, "good").await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    let words = ["takes no pictures", "no sandbox", "hash the picture yourself"];
    assert!(words.iter().all(|words| status.message().contains(words)), "{status:?}");
    checker.checks().check(check_of([pdq(1)])).await.expect("who sends hashes is served");
    hub.stop().await;
}

#[tokio::test]
async fn uploads_together_hold_no_more_than_eight_of_the_longest() {
    let hub = TestHub::start().await;
    let checker = hub.member("Checker", &[Role::Checker]).await;
    let mut open = Vec::new();
    let mut answers = JoinSet::new();
    for _ in 0..12 {
        let (parts, answer) = upload(&checker);
        answers.spawn(answer);
        for _ in 0..10 {
            // One that is refused is not read any more.
            if parts.send(chunk(vec![0; 100_000])).await.is_err() {
                break;
            }
        }
        open.push(parts);
    }
    let status = answers.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert!(status.get_details_retry_info().is_some());
    drop(open);
    let mut taken = 0;
    while let Some(answer) = answers.join_next().await {
        let status = answer.unwrap().unwrap_err();
        assert!(matches!(status.code(), Code::ResourceExhausted | Code::InvalidArgument), "{status:?}");
        taken += usize::from(status.code() == Code::InvalidArgument);
    }
    assert!(taken >= 1, "nobody's picture was looked at");
    // All of it was given back.
    for _ in 0..10 {
        let status = checker.check_media(vec![0; 1_000_000], Options::default()).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    }
    hub.stop().await;
}
