//! A file for `import`, made of folders of pictures.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::StreamExt;
use indicatif::ProgressBar;

use super::hasher::{Done, Hasher};
use super::journal::{Begun, Header, Journal, Record};
use super::tally::{HASHED, Tally};
use super::walk::Found;
use super::{bar, hash_all, walk};
use crate::cli::draft::{DraftArgs, RawDraft, RawSignal};
use crate::cli::serve::stop_signal;
use crate::cli::{Verdict, output};
use crate::domain::{Clock, Hash64, Signal, SystemClock, Taxonomies};
use crate::policy::{admit, check_validity};

pub(super) async fn run(
    paths: &[PathBuf],
    hasher: &Hasher,
    out: &Path,
    like: &RawDraft,
    restart: bool,
    json: bool,
) -> anyhow::Result<Verdict> {
    let stop = stop_signal()?;
    let header = Header::new(paths, &like.labels, &like.provenance)?;
    let Begun { mut journal, mut tally, mut seen } = Journal::open(out, &header, restart)?;
    let before = tally.files();
    if before > 0 && !json {
        eprintln!("going on after {before} files");
    }
    let bar = if json { ProgressBar::hidden() } else { bar(paths, before) };
    let begin = Instant::now();
    // Each name once, whichever run: so what an interrupted run and the next one write is what one would have.
    let files = walk::walk(paths).filter(|found| seen.is_new(&found.path));
    let worked = work(files, hasher, like, &mut journal, &mut tally, &bar, stop).await;
    bar.finish_and_clear();
    // Whatever stopped it: what was done is noted.
    let saved = journal.save();
    worked.and(saved).context("the work stopped; give the same command again and it goes on where it was")?;
    let (lines, notes) = (journal.lines(), journal.path().to_owned());
    journal.finish()?;
    let summary = Summary { out, notes: &notes, lines, new: tally.files() - before, took: begin.elapsed() };
    summary.tell(&tally, json)?;
    Ok(if tally.failed() == 0 { Verdict::Yes } else { Verdict::No })
}

/// What every item says, once it is known to be as it must be. Its signals are to be replaced.
pub(super) fn checked(item: &DraftArgs) -> anyhow::Result<RawDraft> {
    let any = Signal::Phash(Hash64::from_word(0));
    let raw = item.draft(vec![RawSignal::from(&any)])?;
    let draft = raw.read()?;
    admit(&draft, Taxonomies::shipped()?.current())?;
    check_validity(&draft, SystemClock.now())?;
    Ok(raw)
}

async fn work(
    files: impl Iterator<Item = Found>,
    hasher: &Hasher,
    like: &RawDraft,
    journal: &mut Journal,
    tally: &mut Tally,
    bar: &ProgressBar,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut stop = pin!(stop);
    let mut hashed = pin!(hash_all(hasher, files));
    loop {
        tokio::select! {
            biased;
            () = &mut stop => bail!("it was told to"),
            done = hashed.next() => match done.transpose()? {
                None => return Ok(()),
                Some(done) => {
                    tally.add(&done.path, done.word(), done.named);
                    let (record, item) = record(done, like)?;
                    journal.add(record, item.as_deref())?;
                    bar.inc(1);
                    bar.set_message(format!("{} failed", tally.failed()));
                }
            }
        }
    }
}

/// What the journal says of a file, and its line for `import` if its hashes may be shared.
fn record(done: Done, like: &RawDraft) -> anyhow::Result<(Record, Option<String>)> {
    let word = done.word();
    let (file, file_bytes) = output::name_in_json(&done.path);
    let mut record =
        Record { file, file_bytes, bytes: done.bytes, outcome: word.to_owned(), error: None, line: None, end: None };
    let item = match done.outcome {
        Ok(print) if word == HASHED => {
            let signals = print.signals().iter().map(|turned| RawSignal::from(&turned.signal)).collect();
            Some(serde_json::to_string(&RawDraft { signals, ..like.clone() })?)
        }
        Ok(_) => None,
        Err(refusal) => {
            record.error = Some(output::explain(&refusal.into()));
            None
        }
    };
    Ok((record, item))
}

/// What there is to say at the end.
struct Summary<'a> {
    out: &'a Path,
    notes: &'a Path,
    lines: u64,
    /// Files that an earlier run had not done.
    new: u64,
    took: Duration,
}

impl Summary<'_> {
    fn tell(&self, tally: &Tally, json: bool) -> anyhow::Result<()> {
        let seconds = self.took.as_secs_f64();
        let rate = self.new as f64 / seconds.max(0.001);
        let (out, notes) = (output::name(self.out), output::name(self.notes));
        if json {
            let mut facts = tally.json();
            facts["items"] = self.lines.into();
            facts["new_files"] = self.new.into();
            facts["seconds"] = ((seconds * 1e3).round() / 1e3).into();
            facts["files_per_second"] = ((rate * 10.0).round() / 10.0).into();
            facts["out"] = out.into();
            facts["journal"] = notes.into();
            return output::line(&facts.to_string());
        }
        let mut text = format!("{}\n{}", tally.line(), tally.names());
        match self.new {
            0 if tally.files() > 0 => text.push_str("nothing new; all of this was done before\n"),
            new => text.push_str(&format!("{new} files in {seconds:.1} s, {rate:.0} a second\n")),
        }
        text.push_str(&format!(
            "{} items for `hashcommons import`: {out}; what became of each file: {notes}",
            self.lines
        ));
        output::line(&text)
    }
}
