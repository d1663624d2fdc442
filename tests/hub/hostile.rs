//! Files that mean harm, sent to a hub: tests/hostile has its workers answer all of them, here some take the whole way.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hashcommons::client::Client;
use hashcommons::domain::Role;
use hashcommons::wire::v1::check_media_request::Options;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::hostile_files::{Case, cases, seeds};
use crate::items::contribute;
use crate::media::BYTES_MAX;
use crate::support::{TestHub, check_of, pdq};

/// One in so many of all files is sent, so that there are some of every family.
const ONE_IN: usize = 65;
/// Platforms that send files at the same time.
const SENDERS: usize = 4;

/// What is wrong with a hub's answer to a file, if anything is.
fn wrong_in(answer: &Result<(), Status>, bytes: usize) -> Option<String> {
    let status = answer.as_ref().err()?;
    let expected = if bytes > BYTES_MAX { Code::OutOfRange } else { Code::InvalidArgument };
    let field =
        status.get_details_bad_request().and_then(|details| Some(details.field_violations.first()?.field.clone()));
    let named = bytes > BYTES_MAX || field.as_deref() == Some("media");
    let good = status.code() == expected && named && status.message().starts_with("media: ");
    (!good).then(|| format!("{status:?}"))
}

async fn send(platform: &Client, bytes: Vec<u8>) -> Result<(), Status> {
    platform.check_media(bytes, Options::default()).await.map(drop)
}

/// Sends files until there are none left, and after every fifty one that is a picture. Gives what was wrong.
async fn send_all(
    platform: Client,
    files: Arc<Mutex<impl Iterator<Item = Case>>>,
    sent: Arc<AtomicUsize>,
) -> Vec<String> {
    let picture = seeds().into_iter().find(|seed| seed.name == "rgb.png").unwrap().bytes;
    let mut wrong = Vec::new();
    loop {
        let Some(Case { name, bytes }) = files.lock().unwrap().next() else { return wrong };
        let length = bytes.len();
        let answer = send(&platform, bytes).await;
        wrong.extend(wrong_in(&answer, length).map(|words| format!("{name}: {words}")));
        if sent.fetch_add(1, Ordering::Relaxed).is_multiple_of(50) {
            let answer = send(&platform, picture.clone()).await;
            wrong.extend(answer.err().map(|status| format!("a picture after {name}: {status:?}")));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_are_each_answered_and_who_checks_hashes_meanwhile_is_served() {
    let hub = TestHub::start().await;
    let member = hub.member("Both", &[Role::Contributor, Role::Checker]).await;
    let known = contribute(&member, "known", vec![pdq(1)]).await;
    let before = hub.check().await;

    let files = Arc::new(Mutex::new(cases().step_by(ONE_IN)));
    let sent = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        senders.spawn(send_all(member.clone(), files.clone(), sent.clone()));
    }
    let done = Arc::new(AtomicBool::new(false));
    let checks = tokio::spawn({
        let (member, done) = (member.clone(), done.clone());
        async move {
            let mut answered = 0;
            while !done.load(Ordering::Relaxed) {
                let answer = member.checks().check(check_of([pdq(1)])).await.expect("a check is answered").into_inner();
                assert_eq!(answer.matches[0].entry.as_ref().unwrap().entry_id, known);
                answered += 1;
            }
            answered
        }
    });
    let wrong = senders.join_all().await.concat();
    done.store(true, Ordering::Relaxed);
    assert!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n"));
    let (sent, checked) = (sent.load(Ordering::Relaxed), checks.await.unwrap());
    assert!(sent >= 2_000 && checked > 0, "{sent} files, {checked} checks");
    assert_eq!(hub.check().await, before, "nothing is kept of what was sent");
    hub.stop().await;
}

#[test]
fn an_answer_that_is_none_of_the_files_is_found() {
    let refusal = |words: &str| {
        Status::with_error_details(
            Code::InvalidArgument,
            words,
            tonic_types::ErrorDetails::with_bad_request_violation("media", words),
        )
    };
    assert_eq!(wrong_in(&Ok(()), 5), None);
    assert_eq!(wrong_in(&Err(refusal("media: it is damaged")), 5), None);
    assert_eq!(wrong_in(&Err(Status::out_of_range("media: must be at most")), BYTES_MAX + 1), None);
    for (answer, bytes) in [
        (refusal("it is damaged"), 5),
        (Status::invalid_argument("media: it is damaged"), 5),
        (Status::out_of_range("media: must be at most"), 5),
        (refusal("media: it is damaged"), BYTES_MAX + 1),
        (Status::internal("media: it is damaged"), 5),
        (Status::unavailable("the hub is gone"), 5),
    ] {
        assert!(wrong_in(&Err(answer.clone()), bytes).is_some(), "{answer:?}");
    }
}
