//! The merging thread: what it leaves behind, and that its failures lose nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::Distance;
use crate::index::corpus::Bits;
use crate::index::mih::merge::Merge;
use crate::index::mih::segment::Segment;
use crate::index::mih::shelf::Shelf;
use crate::index::mih::sizes::Sizes;
use crate::index::{HammingIndex, Row, SearchError, Simd, Writer};

/// Small, so that few rows have all there is.
const SIZES: Sizes = Sizes { recent_rows: 8, wide_rows_min: 100 };
const RADIUS_MAX: Distance = Distance::new(31);

fn rows(count: usize) -> Vec<Row<4>> {
    let mut bits = Bits(1);
    (0..count as u64).map(|id| (bits.hash(), id)).collect()
}

fn sorted(rows: impl Iterator<Item = Row<4>>) -> Vec<Row<4>> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_unstable();
    rows
}

#[test]
fn a_removal_during_a_merge_is_not_undone_by_it() {
    let mut shelf = Shelf::<4>::new(SIZES);
    let rows = rows(32);
    for half in rows.chunks(16) {
        shelf.add_segment(Segment::build(half.to_vec(), 16, 1));
    }
    let merge = shelf.begin_merge().expect("two segments of a size");
    let before_removal = merge.build();
    assert_eq!(shelf.remove(&rows[5].0, rows[5].1), 1);
    // Put back while the merge goes on: this row is younger than the removal and stays.
    shelf.insert(&rows[6..7]);
    assert_eq!(shelf.remove(&rows[6].0, rows[6].1), 2);
    shelf.insert(&rows[6..7]);
    shelf.finish_merge(&merge, before_removal);

    let snapshot = shelf.published().load_full();
    assert_eq!(snapshot.segments.len(), 1);
    let mut expected = rows;
    expected.remove(5);
    assert_eq!(sorted((*snapshot).clone().into_rows()), sorted(expected.into_iter()));
}

#[test]
fn the_thread_leaves_few_segments_and_drops_what_is_removed() {
    let mut writer = Writer::<4>::with(Simd::best(), RADIUS_MAX, SIZES, Merge::build).unwrap();
    let rows = rows(4096);
    for (hash, id) in &rows {
        writer.insert(*hash, *id);
    }
    writer.settle();
    // Each sixteen times as large as all smaller ones.
    assert!(writer.segments().len() <= 4, "{} segments", writer.segments().len());
    assert_eq!(writer.reader().len(), 4096);

    for (hash, id) in &rows[8..] {
        assert_eq!(writer.remove(hash, *id), 1);
    }
    writer.settle();
    assert!(writer.segments().iter().all(|segment| 2 * segment.dead() <= segment.len()));
    assert_eq!(sorted(writer.reader().rows()), sorted(rows[..8].iter().copied()));
}

#[test]
fn a_merge_that_panics_loses_no_row_and_is_tried_again() {
    static BROKEN: AtomicBool = AtomicBool::new(true);
    fn build(merge: &Merge<4>) -> Segment<4> {
        assert!(!BROKEN.load(Ordering::SeqCst), "planted: a merge that fails");
        merge.build()
    }
    let mut writer = Writer::with(Simd::best(), RADIUS_MAX, SIZES, build).unwrap();
    let rows = rows(640);
    for (hash, id) in &rows[..384] {
        writer.insert(*hash, *id);
    }
    writer.settle();
    assert!(writer.merge_failures() > 0);
    // Five of 64 rows, which who adds leaves alone, and what is not as many yet.
    let unmerged = writer.segments().len();
    assert!(unmerged >= 6, "{unmerged} segments");
    assert_eq!(writer.remove(&rows[0].0, 0), 1);
    assert_eq!(sorted(writer.reader().rows()), sorted(rows[1..384].iter().copied()));

    BROKEN.store(false, Ordering::SeqCst);
    for (hash, id) in &rows[384..] {
        writer.insert(*hash, *id);
    }
    writer.settle();
    assert!(writer.segments().len() < 5, "{} segments", writer.segments().len());
    assert_eq!(sorted(writer.reader().rows()), sorted(rows[1..].iter().copied()));
}

#[test]
fn readers_outlive_the_writer_and_its_thread() {
    let mut writer = Writer::<4>::open(RADIUS_MAX).unwrap();
    let reader = writer.reader();
    assert!(reader.is_empty());
    let rows = rows(5000);
    writer.extend(rows.iter().copied());
    // Waits for the thread's end: hanging here would be the failure.
    drop(writer);
    assert_eq!(reader.len(), 5000);
    let found = reader.search(&rows[77].0, RADIUS_MAX, 10).unwrap();
    assert_eq!((found.nearest[0].id, found.total), (77, 1));
}

#[test]
fn a_radius_beyond_the_promise_is_refused() {
    let reader = Writer::<4>::open(RADIUS_MAX).unwrap().reader();
    let asked = Distance::new(32);
    assert_eq!(reader.search(&[0; 4], asked, 1), Err(SearchError::RadiusTooWide { asked, max: RADIUS_MAX }));
    assert_eq!(reader.search(&[0; 4], RADIUS_MAX, 1).map(|found| found.total), Ok(0));
}
