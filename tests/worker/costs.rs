//! What a worker costs beside hashing in this process. Not a test: it prints. To repeat it:
//!
//! ```text
//! cargo test --release --test worker costs -- --ignored --nocapture
//! ```

use std::time::{Duration, Instant};

use hashcommons::media::{DecodeLimits, Turns, fingerprint};
use hashcommons::worker::Pool;
use image::ImageFormat;

use crate::pictures::{config, drawing, encoded};

/// The least of so many times: what it costs when nothing else is going on.
fn least(times: usize, mut what: impl FnMut()) -> Duration {
    let run = |_| {
        let begun = Instant::now();
        what();
        begun.elapsed()
    };
    (0..times).map(run).min().unwrap()
}

#[test]
#[ignore = "a measurement"]
fn what_a_worker_costs() {
    let start = least(20, || drop(Pool::start(config(1)).unwrap()));
    println!("start until ready, and end: {start:?}");
    let pool = Pool::start(config(1)).unwrap();
    let files = [
        ("JPEG 1600x1200", encoded(&drawing("noise", 1_600, 1_200), ImageFormat::Jpeg)),
        ("PNG 64x64", encoded(&drawing("rings", 64, 64), ImageFormat::Png)),
    ];
    for (name, file) in files {
        let here = least(50, || drop(fingerprint(&file, &DecodeLimits::default(), Turns::Shown).unwrap()));
        let mut answer = None;
        let there = least(50, || answer = Some(pool.submit(file.clone(), Turns::Shown).unwrap().wait().unwrap()));
        assert_eq!(answer, fingerprint(&file, &DecodeLimits::default(), Turns::Shown).ok());
        println!("{name}, {} bytes: here {here:?}, in a worker {there:?}", file.len());
    }
}
