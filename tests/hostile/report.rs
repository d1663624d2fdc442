//! What the files took, by family.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::hostile::Case;
use crate::trial::Answer;

/// What all files took, and what was wrong.
#[derive(Default)]
pub struct Report {
    families: BTreeMap<String, Figures>,
    pub faults: Vec<String>,
}

#[derive(Default)]
struct Figures {
    files: u32,
    hashed: u32,
    refused: BTreeMap<String, u32>,
    time: Duration,
    slowest: (Duration, String),
    largest: (u64, String),
}

impl Report {
    /// Adds what a file took: time, and memory in bytes.
    pub fn count(&mut self, case: &Case, answered: &Result<Answer, String>, took: Duration, taken: u64) {
        let figures = self.families.entry(case.family().to_owned()).or_default();
        figures.files += 1;
        figures.time += took;
        match answered {
            Ok(Ok(_)) => figures.hashed += 1,
            Ok(Err(refusal)) => *figures.refused.entry(refusal.kind.clone()).or_default() += 1,
            Err(_) => *figures.refused.entry("(nothing)".to_owned()).or_default() += 1,
        }
        if took > figures.slowest.0 {
            figures.slowest = (took, case.name.clone());
        }
        if taken > figures.largest.0 {
            figures.largest = (taken, case.name.clone());
        }
    }

    /// How many files were answered.
    pub fn files(&self) -> u32 {
        self.families.values().map(|figures| figures.files).sum()
    }

    /// Says what was found, for whoever runs the test with `--nocapture`; fails if a file was not answered as it must be.
    #[track_caller]
    pub fn conclude(&self) {
        println!("{:18} {:>6} {:>6} {:>8} {:>7} {:>6}", "family", "files", "hashed", "all, ms", "one, ms", "one, MB");
        for (family, Figures { files, hashed, refused, time, slowest, largest }) in &self.families {
            let (all, slow, large) = (time.as_millis(), slowest.0.as_millis(), largest.0 >> 20);
            println!("{family:18} {files:6} {hashed:6} {all:8} {slow:7} {large:6}  {refused:?}");
            println!("    slowest: {}\n    largest: {}", slowest.1, largest.1);
        }
        let time: Duration = self.families.values().map(|figures| figures.time).sum();
        println!("{} files, {} s", self.files(), time.as_secs());
        assert!(self.faults.is_empty(), "{} faults:\n{}", self.faults.len(), self.faults.join("\n"));
    }
}
