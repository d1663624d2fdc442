//! What a caller learns of how near a match is: the bits for those who are trusted with them, and a band for all others.
//!
//! A distance to the bit is a compass: with it a listed hash is found in 256 questions. So is a radius of one's own choice,
//! which asks "is it within r?". Whoever sees bands only can therefore ask only for radii where a band ends, and then an
//! answer never says more than which band it is. `docs/abuse.md` has what can be learned from bands, and who looks for it.

use std::ops::RangeInclusive;

use super::sight::Nearness;
use crate::domain::{Distance, SignalKind, codes};

codes! {
    /// How near a match is, in words that do not lead to the listed hash.
    Band, "band" {
        /// Every bit is the same.
        Identical = "identical",
        /// As near as copies of one picture usually are.
        Near = "near",
        /// As far as a match can be.
        Similar = "similar",
    }
}

impl Band {
    /// The band of a distance; `None` beyond the kind's widest radius, where nothing matches.
    pub fn of(kind: SignalKind, distance: Distance) -> Option<Self> {
        Self::ALL.iter().copied().find(|band| band.distances(kind).is_some_and(|all| all.contains(&distance)))
    }

    /// The distances that it stands for; `None` if signals of this kind never have it.
    ///
    /// For PDQ these are the sure match and the match as its authors publish them. For 64-bit hashes, a third and the whole of
    /// the widest radius.
    pub fn distances(self, kind: SignalKind) -> Option<RangeInclusive<Distance>> {
        let near = near_max(kind);
        match self {
            Self::Identical => Some(Distance::new(0)..=Distance::new(0)),
            Self::Near => near.map(|near| Distance::new(1)..=near),
            Self::Similar => near.map(|near| Distance::new(near.bits() + 1)..=kind.radius_max()),
        }
    }
}

/// Where the band `near` ends, for kinds that are compared by distance.
///
/// The 64-bit kinds' is `dhash`'s default radius: whoever names no radius then asks for one where a band ends, too.
const fn near_max(kind: SignalKind) -> Option<Distance> {
    match kind {
        SignalKind::Pdq => Some(Distance::new(20)),
        SignalKind::Phash | SignalKind::Dhash => Some(Distance::new(4)),
        SignalKind::Md5 | SignalKind::Sha256 => None,
    }
}

/// The radii that a caller who sees bands only may ask for: where a band ends. Ascending; the last is the kind's widest.
pub fn band_radii(kind: SignalKind) -> Vec<Distance> {
    band_ends(kind).collect()
}

fn band_ends(kind: SignalKind) -> impl Iterator<Item = Distance> {
    Band::ALL.iter().filter_map(move |band| band.distances(kind)).map(|all| *all.end())
}

/// Whether a caller who sees so much may ask for `radius`, as far as its kind allows it at all.
///
/// # Errors
/// [`RadiusRefused`], which names the radii that it may ask for.
pub fn check_radius(nearness: Nearness, kind: SignalKind, radius: Distance) -> Result<(), RadiusRefused> {
    let is_free = nearness == Nearness::Distances || band_ends(kind).any(|end| end == radius);
    if is_free { Ok(()) } else { Err(RadiusRefused { kind }) }
}

/// A radius between the ends of two bands, asked for by a caller who sees bands only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {} for {kind}: other radii are for trusted members, as distances are", list(&band_radii(*.kind)))]
pub struct RadiusRefused {
    kind: SignalKind,
}

fn list(radii: &[Distance]) -> String {
    radii.iter().map(Distance::to_string).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(all: impl IntoIterator<Item = Distance>) -> Vec<u16> {
        all.into_iter().map(Distance::bits).collect()
    }

    #[test]
    fn every_distance_that_matches_is_in_one_band_and_none_beyond() {
        for kind in SignalKind::ALL.iter().copied() {
            let max = kind.radius_max().bits();
            for distance in (0..=256).map(Distance::new) {
                let bands: Vec<_> = Band::ALL
                    .iter()
                    .filter(|band| band.distances(kind).is_some_and(|all| all.contains(&distance)))
                    .collect();
                assert_eq!(bands.len(), usize::from(distance.bits() <= max), "{kind} {distance}");
                assert_eq!(Band::of(kind, distance).as_ref(), bands.first().copied());
            }
        }
    }

    #[test]
    fn the_bands_of_pdq_end_where_its_authors_draw_the_lines_and_exact_kinds_are_only_identical() {
        let of = |kind, bits| Band::of(kind, Distance::new(bits));
        use SignalKind::*;
        for (bits, band) in [(0, Some(Band::Identical)), (1, Some(Band::Near)), (20, Some(Band::Near))] {
            assert_eq!(of(Pdq, bits), band);
        }
        for (bits, band) in [(21, Some(Band::Similar)), (31, Some(Band::Similar)), (32, None)] {
            assert_eq!(of(Pdq, bits), band);
        }
        assert_eq!([of(Dhash, 4), of(Dhash, 5), of(Phash, 8)], [Band::Near, Band::Similar, Band::Similar].map(Some));
        assert_eq!([of(Md5, 0), of(Md5, 1), of(Sha256, 0)], [Some(Band::Identical), None, Some(Band::Identical)]);
    }

    #[test]
    fn the_radii_are_where_bands_end_and_among_them_are_the_default_and_the_widest_of_each_kind() {
        assert_eq!(bits(band_radii(SignalKind::Pdq)), [0, 20, 31]);
        assert_eq!(bits(band_radii(SignalKind::Dhash)), [0, 4, 8]);
        assert_eq!(bits(band_radii(SignalKind::Sha256)), [0]);
        for kind in SignalKind::ALL.iter().copied() {
            let radii = band_radii(kind);
            assert!(radii.contains(&kind.radius_default()), "{kind}");
            assert_eq!(radii.last(), Some(&kind.radius_max()));
        }
    }

    #[test]
    fn a_radius_between_two_bands_is_refused_to_who_sees_bands_and_the_others_are_named() {
        for radius in (0..=31).map(Distance::new) {
            let allowed = [0, 20, 31].contains(&radius.bits());
            assert_eq!(check_radius(Nearness::Bands, SignalKind::Pdq, radius).is_ok(), allowed, "{radius}");
            assert_eq!(check_radius(Nearness::Distances, SignalKind::Pdq, radius), Ok(()));
        }
        let error = check_radius(Nearness::Bands, SignalKind::Dhash, Distance::new(5)).unwrap_err();
        let expected = "must be 0 or 4 or 8 for dhash: other radii are for trusted members, as distances are";
        assert_eq!(error.to_string(), expected);
    }
}
