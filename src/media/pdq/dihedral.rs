//! All eight turned and mirrored hashes of a picture, from its one spectrum.
//!
//! Mirroring a line of the grid changes the sign of its odd frequencies: a cosine of an odd number of half periods is its own
//! negative from right to left, one of an even number is itself. Transposing the grid transposes the spectrum. The eight
//! orientations are these combined, so nothing has to be blurred or transformed again; and a transposed spectrum has the
//! median of the original, so there are four medians to find.
//!
//! The bits are those of the reference's `pdqDihedralHash256esFromFloatLuma`, whose names are others: its `rotate90` is
//! counterclockwise, its `flipX` turns upside down and its `flipY` exchanges left and right.
//!
//! They are not always those of the turned picture itself, but near them: a box of an even number of pixels has no middle, and what is
//! a little to the right in a picture is a little to the left in its mirror image.

use super::Spectrum;
use super::bits::Bits;
use crate::domain::{Orientation, Pdq};

/// The PDQ hashes of a picture in all eight orientations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dihedral([Pdq; Orientation::ALL.len()]);

impl Dihedral {
    pub(super) fn of(spectrum: &Spectrum) -> Self {
        let as_stored = Bits::above_median(spectrum);
        let flipped_horizontally = Bits::above_median(&mirrored(spectrum, [true, false]));
        let flipped_vertically = Bits::above_median(&mirrored(spectrum, [false, true]));
        let rotated_180 = Bits::above_median(&mirrored(spectrum, [true, true]));
        let bits = |orientation: &Orientation| match orientation {
            Orientation::AsStored => as_stored,
            Orientation::Rotated90 => flipped_vertically.transposed(),
            Orientation::Rotated180 => rotated_180,
            Orientation::Rotated270 => flipped_horizontally.transposed(),
            Orientation::FlippedHorizontally => flipped_horizontally,
            Orientation::FlippedVertically => flipped_vertically,
            Orientation::Transposed => as_stored.transposed(),
            Orientation::Transversed => rotated_180.transposed(),
        };
        Self(std::array::from_fn(|nth| bits(&Orientation::ALL[nth]).hash()))
    }

    /// The hash that the picture would have if it were turned so.
    pub fn hash(&self, orientation: Orientation) -> Pdq {
        self.0[orientation as usize]
    }

    /// Each orientation with its hash, in the order of [`Orientation::ALL`].
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Orientation, Pdq)> {
        Orientation::ALL.iter().copied().zip(self.0)
    }
}

/// The spectrum of the picture with left and right, and top and bottom, exchanged.
fn mirrored(spectrum: &Spectrum, [horizontally, vertically]: [bool; 2]) -> Spectrum {
    // Frequency 0 of a direction is left out of the spectrum: the first has one half period.
    let is_odd = |frequency: usize| frequency.is_multiple_of(2);
    let mut mirrored = *spectrum;
    for (vertical, row) in mirrored.iter_mut().enumerate() {
        for (horizontal, coefficient) in row.iter_mut().enumerate() {
            if (horizontally && is_odd(horizontal)) != (vertically && is_odd(vertical)) {
                *coefficient = -*coefficient;
            }
        }
    }
    mirrored
}
