//! Any sequence of changes and searches gives what the linear scan gives, step by step.
//!
//! Merges are begun and finished as steps of the sequence, so that removals fall into them. The recent rows hold 8
//! and bands are wide from 20 rows on, so that a short sequence has segments of all kinds.

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

use crate::domain::Distance;
use crate::index::corpus::{corpus, evenly, flip, flips};
use crate::index::mih::ask::Ask;
use crate::index::mih::bands::{Allotment, Cut};
use crate::index::mih::merge::Merge;
use crate::index::mih::segment::Segment;
use crate::index::mih::shelf::Shelf;
use crate::index::mih::sizes::Sizes;
use crate::index::{Flat, HammingIndex, Neighbours, Simd};

/// So that even a small segment may have either bands.
const SIZES: Sizes = Sizes { recent_rows: 8, wide_rows_min: 20 };

/// Numbers that pick a hash or a row are taken modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    Insert { hash: usize, id: u64 },
    InsertMany { hashes: Vec<(usize, u64)> },
    AddSegment { hashes: Vec<(usize, u64)> },
    Remove { row: usize },
    RemoveAny { hash: usize, id: u64 },
    Freeze,
    BeginMerge,
    BuildMerge,
    FinishMerge,
    AbandonMerge,
    Search { hash: usize, bits: Vec<usize>, radius: u16, limit: usize },
}

fn step<const W: usize>(radius_max: u16) -> impl Strategy<Value = Step> {
    let row = || (any::<usize>(), 0..30_u64);
    let many = move || prop::collection::vec(row(), 0..40);
    let limit = prop_oneof![0..=5_usize, Just(usize::MAX)];
    let anywhere = (flips::<W>(usize::from(radius_max) + 4), 0..=radius_max);
    let just_within =
        (0..=radius_max, 0..3_usize).prop_map(|(radius, turn)| (evenly::<W>(radius.into(), turn), radius));
    let search = (any::<usize>(), prop_oneof![anywhere, just_within], limit);
    prop_oneof![
        8 => row().prop_map(|(hash, id)| Step::Insert { hash, id }),
        3 => many().prop_map(|hashes| Step::InsertMany { hashes }),
        1 => many().prop_map(|hashes| Step::AddSegment { hashes }),
        4 => any::<usize>().prop_map(|row| Step::Remove { row }),
        2 => row().prop_map(|(hash, id)| Step::RemoveAny { hash, id }),
        1 => Just(Step::Freeze),
        3 => Just(Step::BeginMerge),
        3 => Just(Step::BuildMerge),
        3 => Just(Step::FinishMerge),
        1 => Just(Step::AbandonMerge),
        8 => search.prop_map(|(hash, (bits, radius), limit)| Step::Search { hash, bits, radius, limit }),
    ]
}

/// The index and its oracle, changed alike.
struct Twins<'a, const W: usize> {
    corpus: &'a [[u64; W]],
    /// Which allotment to search with: the exact one but in the negative control.
    allot: fn(Cut, Distance) -> Allotment,
    shelf: Shelf<W>,
    merge: Option<Merge<W>>,
    /// What the merge under way has built, before removals that come after.
    built: Option<Segment<W>>,
    flat: Flat<W>,
}

impl<const W: usize> Twins<'_, W> {
    fn hash(&self, number: usize) -> [u64; W] {
        self.corpus[number % self.corpus.len()]
    }

    fn insert_into_flat(&mut self, hashes: &[(usize, u64)]) -> Vec<([u64; W], u64)> {
        let rows: Vec<_> = hashes.iter().map(|(hash, id)| (self.hash(*hash), *id)).collect();
        rows.iter().for_each(|(hash, id)| self.flat.insert(*hash, *id));
        rows
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Insert { hash, id } => {
                let rows = self.insert_into_flat(&[(*hash, *id)]);
                self.shelf.insert(&rows);
            }
            Step::InsertMany { hashes } => {
                let rows = self.insert_into_flat(hashes);
                self.shelf.insert(&rows);
            }
            Step::AddSegment { hashes } => {
                let rows = self.insert_into_flat(hashes);
                self.shelf.add_segment(Segment::build(rows, SIZES.wide_rows_min, 1));
            }
            Step::Remove { row } => {
                let rows = self.flat.rows();
                if let Some(&(hash, id)) = rows.get(row % rows.len().max(1)) {
                    self.remove(hash, id)?;
                }
            }
            Step::RemoveAny { hash, id } => self.remove(self.hash(*hash), *id)?,
            Step::Freeze => self.shelf.freeze(),
            Step::BeginMerge => {
                let begun = self.shelf.begin_merge();
                prop_assert!(begun.is_none() || self.merge.is_none(), "two merges at once");
                self.merge = self.merge.take().or(begun);
            }
            Step::BuildMerge => self.built = self.built.take().or(self.merge.as_ref().map(Merge::build)),
            Step::FinishMerge => {
                if let Some(merge) = self.merge.take() {
                    let built = self.built.take().unwrap_or_else(|| merge.build());
                    self.shelf.finish_merge(&merge, built);
                }
            }
            Step::AbandonMerge => {
                self.shelf.abandon_merge();
                (self.merge, self.built) = (None, None);
            }
            Step::Search { hash, bits, radius, limit } => {
                self.search(&flip(self.hash(*hash), bits), Distance::new(*radius), *limit)?;
            }
        }
        Ok(())
    }

    fn remove(&mut self, hash: [u64; W], id: u64) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.shelf.remove(&hash, id), self.flat.remove(&hash, id), "removed rows");
        Ok(())
    }

    fn search(&self, query: &[u64; W], radius: Distance, limit: usize) -> Result<(), TestCaseError> {
        let expected = self.flat.search(query, radius, limit).expect("radius of a test");
        let found = |simd, ask| -> Neighbours { self.shelf.published().load().search(simd, &ask, limit) };
        for simd in Simd::available() {
            let probing = Ask::always_probing(query, radius, |cut| (self.allot)(cut, radius));
            prop_assert_eq!(&found(simd, probing), &expected, "probing, {}", simd);
            prop_assert_eq!(&found(simd, Ask::new(query, radius)), &expected, "probing or scanning, {}", simd);
        }
        Ok(())
    }

    fn hold_the_same_rows(&self) -> Result<(), TestCaseError> {
        let snapshot = self.shelf.published().load_full();
        let mut rows: Vec<_> = (*snapshot).clone().into_rows().collect();
        let mut expected = self.flat.rows().to_vec();
        rows.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(snapshot.len(), expected.len());
        prop_assert!(rows == expected, "different rows");
        Ok(())
    }
}

fn agree<const W: usize>(
    corpus: &[[u64; W]],
    steps: &[Step],
    allot: fn(Cut, Distance) -> Allotment,
) -> Result<(), TestCaseError> {
    let mut twins = Twins { corpus, allot, shelf: Shelf::new(SIZES), merge: None, built: None, flat: Flat::new() };
    for step in steps {
        twins.take(step)?;
    }
    twins.hold_the_same_rows()
}

fn steps<const W: usize>(radius_max: u16) -> impl Strategy<Value = (Vec<[u64; W]>, Vec<Step>)> {
    (corpus(), prop::collection::vec(step::<W>(radius_max), 1..150))
}

fn exact<const W: usize>(cut: Cut, radius: Distance) -> Allotment {
    Allotment::exact(cut, W, radius)
}

proptest! {
    #[test]
    fn any_sequence_of_changes_equals_the_scan_for_256_bits((corpus, steps) in steps::<4>(31)) {
        agree(&corpus, &steps, exact::<4>)?;
    }

    #[test]
    fn any_sequence_of_changes_equals_the_scan_for_64_bits((corpus, steps) in steps::<1>(8)) {
        agree(&corpus, &steps, exact::<1>)?;
    }

    #[test]
    fn any_sequence_of_changes_equals_the_scan_beyond_the_usual_radii((corpus, steps) in steps::<1>(16)) {
        agree(&corpus, &steps, exact::<1>)?;
    }
}

/// Runs the same property with an allotment that overlooks neighbours, and says whether it noticed.
fn catches<const W: usize>(radius_max: u16, broken: fn(Cut, Distance) -> Allotment) -> bool {
    let config = ProptestConfig { failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() };
    let outcome =
        TestRunner::new(config).run(&steps::<W>(radius_max), |(corpus, steps)| agree(&corpus, &steps, broken));
    matches!(outcome, Err(TestError::Fail(..)))
}

#[test]
fn the_comparison_catches_bands_that_are_probed_too_narrowly() {
    assert!(catches::<4>(31, |cut, _| Allotment::of_units(cut, 4, 16)), "half the units");
    assert!(catches::<1>(8, |cut, _| Allotment::of_units(cut, 1, 4)), "half the units");
    assert!(catches::<4>(31, |cut, radius| Allotment::of_units(cut, 4, radius.bits().into())), "one unit too few");
    assert!(catches::<1>(8, |cut, radius| Allotment::of_units(cut, 1, radius.bits().into())), "one unit too few");
    assert!(!catches::<1>(8, exact::<1>), "the exact allotment must pass where the broken ones fail");
}
