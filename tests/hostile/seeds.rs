//! What the files are made of.

use hashcommons::media::{DecodeLimits, Format, Turns, fingerprint};

use crate::hostile;

#[test]
fn every_format_has_valid_pictures_to_be_damaged() {
    let seeds = hostile::seeds();
    for format in Format::ALL {
        assert!(seeds.iter().any(|seed| Format::of(&seed.bytes) == Some(*format)), "{format}");
    }
    for seed in seeds {
        let answer = fingerprint(&seed.bytes, &DecodeLimits::default(), Turns::Shown);
        // BigTIFF is told apart by its first bytes, and refused.
        assert_eq!(answer.is_ok(), Format::of(&seed.bytes).is_some(), "{}: {answer:?}", seed.name);
    }
}
