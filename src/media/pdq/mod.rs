//! PDQ, the perceptual hash of pictures that platforms share lists in (Meta, 2019). This is our own implementation.
//!
//! PDQ keeps what survives re-encoding, resizing and slight retouching: where a picture's 256 lowest frequencies are
//! stronger than their own median. Five steps, a file each:
//!
//! 1. `plane`: the picture as brightness alone.
//! 2. `blur`: a tent filter as wide as a 64th of the picture, then one sample in each cell of a 64x64 grid. Whatever
//!    size a copy was scaled to, the grid is nearly the same.
//! 3. `quality`: how much the grid varies. A flat picture's hash is noise, and must not be shared or matched.
//! 4. `dct`: the grid's cosine transform, of which only the 16x16 lowest frequencies are kept (the constant term is
//!    not among them, so overall brightness does not count).
//! 5. `bits`: one bit a frequency, set where its coefficient is above the median: so overall contrast does not count, and
//!    about half of the bits are set.
//!
//! Invariant: for the same pixels the bits and the quality are those of Meta's C++ implementation, which means 32-bit
//! floats from the plane on, and every sum taken in the same order. A sum in another order differs in its last digit, and a coefficient
//! near the median then falls on the other side. Hence no fused multiply-add, no reciprocals, no parallel sums across the
//! order. `tests/pdq_vectors.rs` holds it to that.
//!
//! Not here: turned and mirrored copies, and whether two hashes are near.

mod bits;
mod blur;
mod dct;
mod plane;
mod quality;

use serde::{Deserialize, Serialize};

use super::Picture;
use crate::domain::{Pdq, Quality};
use plane::Plane;

/// The fewest pixels on a side that can be hashed, as the reference has it.
pub const SIDE_MIN: u32 = 5;

/// A picture with too few pixels to hash.
///
/// The reference answers a hash of zeros and quality 0 here. Stored, it would match every other such picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("the picture is {width}x{height} pixels: a PDQ hash needs at least {SIDE_MIN} on each side")]
pub struct TooSmall {
    pub width: u32,
    pub height: u32,
}

/// The PDQ hash of a picture, and how much there was in it to hash.
///
/// Always look at the quality: below 50 ([`Quality::is_matchable`]) the hash is not to be shared or matched.
///
/// Takes time proportional to the number of pixels, and 4 bytes of memory for each.
///
/// # Errors
/// [`TooSmall`] below [`SIDE_MIN`] pixels on a side.
pub fn hash(picture: &Picture) -> Result<(Pdq, Quality), TooSmall> {
    let (width, height) = (picture.width(), picture.height());
    if width.min(height) < SIDE_MIN {
        return Err(TooSmall { width, height });
    }
    let grid = blur::grid(Plane::luma(picture));
    Ok((bits::above_median(&dct::lowest_frequencies(&grid)), quality::quality(&grid)))
}

/// Cells on a side of the grid that a picture is reduced to.
const GRID: usize = 64;

/// Frequencies kept in each direction.
const FREQUENCIES: usize = 16;

/// A picture reduced to 64x64 brightnesses, rows from the top.
type Grid = [[f32; GRID]; GRID];

/// Coefficients of the 16x16 lowest frequencies: `[vertical][horizontal]`.
type Spectrum = [[f32; FREQUENCIES]; FREQUENCIES];
