//! Planted faults that the trial must find: a trial that finds nothing proves nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::hostile::Case;
use crate::trial::{self, Answer, Bounds, Refusal};
use crate::{alone, good};

/// What a file's bytes begin with that sets off a planted fault.
const FUSE: &[u8] = b"fuse";

/// A panic that shows where it was takes 100 MiB for the names.
fn bounds() -> Bounds {
    Bounds { kinds: vec!["damaged"], patience: Duration::from_secs(5), memory_max: 300 << 20, at_once: 2, good: good() }
}

/// What is found if one file of 300 is answered by `fault`, and all others in good order.
fn faults(fault: impl Fn() -> Answer + Send + Sync + 'static) -> Vec<String> {
    let _alone = alone();
    let bytes = |n: usize| if n == 150 { FUSE.to_vec() } else { vec![n as u8; 30] };
    let cases = (0..300).map(move |n| Case { name: format!("control: {n}"), bytes: bytes(n) });
    let answer = move |bytes: Vec<u8>| match bytes {
        bytes if bytes == FUSE => fault(),
        bytes if bytes == good() => Ok("as ever".to_owned()),
        _ => refused("damaged", "it is damaged"),
    };
    trial::run(cases, &bounds(), answer).faults
}

fn refused(kind: &str, words: &str) -> Answer {
    Err(Refusal { kind: kind.to_owned(), words: vec![words.to_owned()] })
}

#[test]
fn one_who_answers_in_good_order_is_found_faultless() {
    assert_eq!(faults(|| refused("damaged", "it is damaged")), [""; 0]);
    assert_eq!(faults(|| Ok("a picture".to_owned())), [""; 0]);
}

#[test]
fn a_decoder_that_panics_on_one_file_is_found() {
    assert_eq!(faults(|| panic!("index out of bounds")), ["control: 150: panicked: index out of bounds"]);
}

#[test]
fn a_decoder_that_hangs_on_one_file_is_found() {
    let endless = || -> Answer {
        loop {
            std::thread::park();
        }
    };
    assert_eq!(faults(endless), ["control: 150: no answer"]);
}

#[test]
fn a_refusal_of_no_known_kind_or_without_words_or_in_words_that_show_the_inside_is_found() {
    for (kind, words, found) in [
        ("oops", "it is damaged", "refused as `oops`, which is no kind"),
        ("damaged", "", "refused without a word"),
        ("damaged", "at /root/x", "words that show `/root/`: at /root/x"),
        ("damaged", "\u{1b}[2J", "words that cannot be printed: \"\\u{1b}[2J\""),
        ("damaged", "near 0123456789abcdef", "words that show `0123456789abcdef`: near 0123456789abcdef"),
    ] {
        let answer = refused(kind, words);
        assert_eq!(faults(move || answer.clone()), [format!("control: 150: {found}")]);
    }
    let long = refused("damaged", &"x ".repeat(200));
    assert_eq!(faults(move || long.clone()), ["control: 150: 400 characters of words"]);
}

#[test]
fn a_file_that_takes_more_memory_than_it_may_is_found() {
    let greedy = || {
        let taken = vec![1u8; 500 << 20];
        Ok(format!("{} bytes", std::hint::black_box(&taken).len()))
    };
    let found = faults(greedy);
    // Those asked at the same time are found, too: the memory is the process's.
    assert!(found.iter().any(|fault| fault.starts_with("control: 150: took ")), "{found:?}");
}

#[test]
fn a_file_after_which_others_are_answered_otherwise_is_found() {
    let _alone = alone();
    let broken = AtomicBool::new(false);
    let cases = (0..300).map(|n| Case { name: format!("control: {n}"), bytes: vec![n as u8; 1] });
    let answer = move |bytes: Vec<u8>| {
        let broken = broken.fetch_or(bytes == [150], Ordering::Relaxed);
        if bytes == good() { Ok(format!("broken: {broken}")) } else { refused("damaged", "it is damaged") }
    };
    let bounds = Bounds { at_once: 1, ..bounds() };
    let found = trial::run(cases, &bounds, answer).faults;
    assert_eq!(
        found,
        [
            "after control: 199, a valid picture: Ok(Ok(\"broken: true\"))",
            "after control: 299, a valid picture: Ok(Ok(\"broken: true\"))"
        ]
    );
}
