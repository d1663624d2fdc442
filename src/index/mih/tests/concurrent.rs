//! One writer adds and removes while readers search: what is there is found, what is gone is not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::domain::Distance;
use crate::index::corpus::Bits;
use crate::index::mih::merge::Merge;
use crate::index::mih::sizes::Sizes;
use crate::index::{HammingIndex, Reader, Simd, Writer};

const RADIUS_MAX: Distance = Distance::new(31);
const ROWS: usize = 60_000;
/// A row is removed when so many younger ones have been added.
const LAG: usize = 3_000;
const TIME_MAX: Duration = Duration::from_millis(1500);

/// Rows of odd id stay for ever.
fn is_removed_some_time(id: usize) -> bool {
    id.is_multiple_of(2)
}

/// How far the writer has come: every insertion below `inserted` and every removal below `removed` has returned.
#[derive(Default)]
struct Progress {
    inserted: AtomicUsize,
    removed: AtomicUsize,
    /// The next removal to begin; a row below may be gone, a row from here on is there.
    removing: AtomicUsize,
    /// Searches of all readers.
    searches: AtomicUsize,
}

#[test]
fn readers_find_every_row_that_is_there_and_none_that_is_gone() {
    let mut bits = Bits(7);
    let hashes: Vec<[u64; 4]> = (0..ROWS).map(|_| bits.hash()).collect();
    let mut writer =
        Writer::<4>::with(Simd::best(), RADIUS_MAX, Sizes { recent_rows: 64, wide_rows_min: 2000 }, Merge::build)
            .unwrap();
    let progress = Progress::default();

    let inserted = thread::scope(|scope| {
        for seed in 0..2 {
            let (reader, hashes, progress) = (writer.reader(), &hashes, &progress);
            scope.spawn(move || search_until_the_end(&reader, hashes, progress, Bits(seed)));
        }
        write(&mut writer, &hashes, &progress)
    });
    let searches = progress.searches.load(Ordering::SeqCst);
    assert!(searches > 100, "too few searches to mean anything: {searches}");
    assert!(inserted > 2 * LAG, "too few changes to mean anything: {inserted}");
    let removed = (0..inserted - LAG).filter(|&id| is_removed_some_time(id)).count();
    assert_eq!(writer.reader().len(), inserted - removed);
}

fn write(writer: &mut Writer<4>, hashes: &[[u64; 4]], progress: &Progress) -> usize {
    let begin = Instant::now();
    let mut inserted = 0;
    while inserted < ROWS && begin.elapsed() < TIME_MAX {
        let batch = inserted..(inserted + 1 + inserted % 40).min(ROWS);
        writer.extend(batch.clone().map(|id| (hashes[id], id as u64)));
        inserted = batch.end;
        progress.inserted.store(inserted, Ordering::SeqCst);

        let old = batch.start.saturating_sub(LAG)..batch.end.saturating_sub(LAG);
        progress.removing.store(old.end, Ordering::SeqCst);
        for id in old.clone().filter(|id| is_removed_some_time(*id)) {
            assert_eq!(writer.remove(&hashes[id], id as u64), 1);
        }
        progress.removed.store(old.end, Ordering::SeqCst);

        // On a busy machine the readers would otherwise miss it all.
        while progress.searches.load(Ordering::SeqCst) < inserted / 60 && begin.elapsed() < TIME_MAX {
            thread::yield_now();
        }
    }
    progress.inserted.store(usize::MAX, Ordering::SeqCst);
    inserted
}

fn search_until_the_end(reader: &Reader<4>, hashes: &[[u64; 4]], progress: &Progress, mut bits: Bits) {
    loop {
        // What had returned before the search began binds it.
        let inserted = progress.inserted.load(Ordering::SeqCst);
        let removed = progress.removed.load(Ordering::SeqCst);
        if inserted == usize::MAX {
            return;
        }
        if inserted == 0 {
            thread::yield_now();
            continue;
        }
        // Mostly young rows: they are the ones being moved about.
        let id = if bits.below(2) == 0 { bits.below(inserted) } else { inserted - 1 - bits.below(inserted.min(200)) };
        let distance = bits.below(32);
        let query = bits.near(hashes[id], distance);
        let found = reader.search(&query, RADIUS_MAX, 10).unwrap();
        // A removal that began in the meantime may already show.
        let removing = progress.removing.load(Ordering::SeqCst);

        let is_found = found.nearest.iter().any(|n| n.id == id as u64 && usize::from(n.distance.bits()) == distance);
        if !is_removed_some_time(id) || id >= removing {
            assert!(is_found, "row {id} overlooked at distance {distance}");
            assert_eq!(found.total, 1);
        } else if id < removed {
            assert!(!is_found, "row {id} found after its removal");
        }
        // A row shown before it is written would be all zeros, which no row is near.
        let found = reader.search(&[0; 4], RADIUS_MAX, 10).unwrap();
        assert_eq!(found.total, 0, "rows shown before they are written");
        progress.searches.fetch_add(1, Ordering::SeqCst);
    }
}
