//! Enough rows for whole bands and for the choice between probing and scanning to be the one in use.

use crate::domain::Distance;
use crate::index::corpus::{Bits, evenly, flip};
use crate::index::{Flat, HammingIndex, Writer};

fn filled<const W: usize>(rows: &[([u64; W], u64)], radius_max: Distance) -> (Flat<W>, Writer<W>) {
    let mut flat = Flat::new();
    let mut writer = Writer::open(radius_max).unwrap();
    rows.iter().for_each(|(hash, id)| flat.insert(*hash, *id));
    let (loaded, added) = rows.split_at(rows.len() - 3000);
    writer.extend(loaded.iter().copied());
    added.chunks(500).for_each(|batch| writer.extend(batch.iter().copied()));
    (flat, writer)
}

/// Uniform rows, half of them with a variant of the same id.
fn equals_the_scan<const W: usize>(count: u64, radius_max: u16) {
    let mut bits = Bits(3);
    let mut rows = Vec::new();
    for id in 0..count {
        let hash = bits.hash();
        rows.push((hash, id));
        if id % 2 == 0 {
            let distance = bits.below(64);
            rows.push((bits.near(hash, distance), id));
        }
    }
    let (flat, writer) = filled::<W>(&rows, Distance::new(radius_max));
    let reader = writer.reader();
    let mut found = 0;
    for nth in 0..60 {
        let stored = rows[bits.below(rows.len())].0;
        let radius = bits.below(usize::from(radius_max) + 1);
        let distance = bits.below(usize::from(radius_max) + 1);
        let query = if nth % 2 == 0 { bits.near(stored, distance) } else { flip(stored, &evenly::<W>(radius, nth)) };
        let radius = Distance::new(radius as u16);
        let expected = flat.search(&query, radius, 3).unwrap();
        assert_eq!(reader.search(&query, radius, 3).unwrap(), expected);
        found += expected.total;
    }
    assert!(found >= 30, "too few neighbours to mean anything: {found}");
}

#[test]
fn enough_rows_of_256_bits_for_wide_bands_equal_the_scan() {
    equals_the_scan::<4>(100_000, 31);
}

#[test]
fn enough_rows_of_64_bits_for_wide_bands_equal_the_scan() {
    equals_the_scan::<1>(100_000, 8);
}

#[test]
fn one_flooded_cluster_lengthens_the_count_and_not_the_answer() {
    let mut bits = Bits(5);
    let centre = bits.hash::<4>();
    let mut rows: Vec<_> = (0..20_000).map(|id| (bits.near(centre, id as usize % 40), id)).collect();
    rows.extend((20_000..60_000).map(|id| (bits.hash(), id)));
    let (flat, writer) = filled(&rows, Distance::new(31));
    let found = writer.reader().search(&centre, Distance::new(31), 100).unwrap();
    assert_eq!((found.nearest.len(), found.total, found.more()), (100, 16_000, true));
    assert_eq!(Ok(found), flat.search(&centre, Distance::new(31), 100));
}

/// Corpora that defeat an index: everything in one place.
#[test]
fn degenerate_rows_equal_the_scan() {
    let mut bits = Bits(11);
    let centre = bits.hash::<4>();
    let count = 4_000_u64;
    let all_equal: Vec<_> = (0..count).map(|id| (centre, id)).collect();
    let zeros: Vec<_> = (0..count).map(|id| ([0; 4], id)).collect();
    let one_bit_apart: Vec<_> = (0..count).map(|id| (flip(centre, &[id as usize % 256]), id)).collect();
    let one_bucket: Vec<_> = (0..count)
        .map(|id| {
            let [_, second, third, fourth] = bits.hash::<4>();
            ([centre[0], second, third, fourth], id)
        })
        .collect();
    for (name, rows) in
        [("equal", all_equal), ("zeros", zeros), ("one bit apart", one_bit_apart), ("one bucket", one_bucket)]
    {
        let (flat, writer) = filled(&rows, Distance::new(31));
        let reader = writer.reader();
        for (query, radius) in [(centre, 31), (centre, 0), ([0; 4], 31), (rows[7].0, 2), ([u64::MAX; 4], 31)] {
            for query in [query, bits.near(query, usize::from(radius)), bits.near(query, usize::from(radius) + 1)] {
                let expected = flat.search(&query, Distance::new(radius), 10);
                assert_eq!(reader.search(&query, Distance::new(radius), 10), expected, "{name}, radius {radius}");
            }
        }
    }
}
