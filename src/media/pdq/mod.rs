//! PDQ, the perceptual hash of pictures that platforms share lists in (Meta, 2019). This is our own implementation.
//!
//! PDQ keeps what survives re-encoding, resizing and slight retouching: where a picture's 256 lowest frequencies are
//! stronger than their own median. Five steps:
//!
//! 1. `luma`: the picture as brightness alone.
//! 2. `blur`: a tent filter as wide as a 64th of the picture, then one sample in each cell of a 64x64 grid. Whatever
//!    size a copy was scaled to, the grid is nearly the same.
//! 3. `quality`: how much the grid varies. A flat picture's hash is noise, and must not be shared or matched.
//! 4. `dct`: the grid's cosine transform, of which only the 16x16 lowest frequencies are kept (the constant term is
//!    not among them, so overall brightness does not count).
//! 5. `bits`: one bit a frequency, set where its coefficient is above the median: so overall contrast does not count, and
//!    about half of the bits are set. `dihedral`: the same for the picture turned and mirrored.
//!
//! Nearly all of the time goes into the first two, which see every pixel:
//!
//! | file | what |
//! |---|---|
//! | `slide` | where a box of the filter stands, step by step |
//! | `strips` | the filter's first three passes, eight rows at a time |
//! | `ring` | the values in a box |
//! | `tile`, `simd` | eight by eight values, and what is done with them in wide registers |
//! | `divisor` | division by multiplication, with the proof that it is the same |
//! | `oracle` | the plain way, for tests |
//!
//! Invariant: for the same pixels the bits and the quality are those of Meta's C++ implementation, which means 32-bit
//! floats from the brightness on, and every sum taken in the same order. A sum in another order differs in its last digit, and a
//! coefficient near the median then falls on the other side. So what is done side by side, in whatever registers, are different sums.
//! `tests/pdq_vectors.rs` holds it to the reference, and tests here hold the grid to the plain way, bit by bit.
//!
//! Not here: whether two hashes are near.

mod bits;
mod blur;
mod dct;
mod dihedral;
mod divisor;
mod luma;
#[cfg(test)]
mod oracle;
mod quality;
mod ring;
mod simd;
mod slide;
mod strips;
#[cfg(test)]
mod tests;
mod tile;

use serde::{Deserialize, Serialize};

pub use self::dihedral::Dihedral;
pub use self::simd::{Simd, UnknownSimd};
use super::Picture;
use crate::domain::{Pdq, Quality};
use bits::Bits;

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
/// Takes time proportional to the number of pixels, and beside the picture the memory of a 128th of its rows and some twenty
/// more, at 4 bytes a pixel.
///
/// # Errors
/// [`TooSmall`] below [`SIDE_MIN`] pixels on a side.
pub fn hash(picture: &Picture) -> Result<(Pdq, Quality), TooSmall> {
    hash_on(Simd::best(), picture)
}

/// [`hash`] by a given instruction set: for measurements.
///
/// # Errors
/// As [`hash`].
pub fn hash_on(simd: Simd, picture: &Picture) -> Result<(Pdq, Quality), TooSmall> {
    let (spectrum, quality) = spectrum(simd, picture)?;
    Ok((Bits::above_median(&spectrum).hash(), quality))
}

/// The PDQ hashes of a picture in all eight orientations, and how much there was in it to hash. Turning a picture changes
/// nothing about that.
///
/// Takes little more time than [`hash`].
///
/// # Errors
/// As [`hash`].
pub fn hash_dihedral(picture: &Picture) -> Result<(Dihedral, Quality), TooSmall> {
    hash_dihedral_on(Simd::best(), picture)
}

/// [`hash_dihedral`] by a given instruction set: for measurements.
///
/// # Errors
/// As [`hash`].
pub fn hash_dihedral_on(simd: Simd, picture: &Picture) -> Result<(Dihedral, Quality), TooSmall> {
    let (spectrum, quality) = spectrum(simd, picture)?;
    Ok((Dihedral::of(&spectrum), quality))
}

fn spectrum(simd: Simd, picture: &Picture) -> Result<(Spectrum, Quality), TooSmall> {
    let (width, height) = (picture.width(), picture.height());
    if width.min(height) < SIDE_MIN {
        return Err(TooSmall { width, height });
    }
    let grid = blur::grid(simd, picture);
    Ok((dct::lowest_frequencies(simd, &grid), quality::quality(&grid)))
}

/// Cells on a side of the grid that a picture is reduced to.
const GRID: usize = 64;

/// Frequencies kept in each direction.
const FREQUENCIES: usize = 16;

/// A picture reduced to 64x64 brightnesses, rows from the top.
type Grid = [[f32; GRID]; GRID];

/// Coefficients of the 16x16 lowest frequencies: `[vertical][horizontal]`.
type Spectrum = [[f32; FREQUENCIES]; FREQUENCIES];
