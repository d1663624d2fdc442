//! Planes of samples to rows of pixels.
//!
//! Where chroma has fewer samples than luma, each pixel takes a mean of the nearest, weighted by distance: 3 to 1 in each
//! direction in which they are fewer, as libavif and libyuv do, whichever position the file gives them.

use super::colour::Mix;
use super::obu::Layout;

/// A decoded picture, luma first.
pub(super) struct Planes<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) layout: Layout,
    /// Whether a sample is two bytes, in the machine's order.
    pub(super) is_wide: bool,
    /// Of a grey picture only the first is looked at.
    pub(super) planes: [Plane<'a>; 3],
}

/// The samples of one kind.
#[derive(Clone, Copy, Default)]
pub(super) struct Plane<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes from one row to the next.
    pub(super) stride: usize,
}

impl Planes<'_> {
    /// Mixes row after row; `put` is given each with the one of `targets` that it belongs to. Ends where either ends.
    pub(super) fn for_each_row<T>(
        &self,
        mix: &Mix,
        targets: impl Iterator<Item = T>,
        mut put: impl FnMut(T, &[[u8; 3]]),
    ) {
        let mut luma = vec![0; self.width];
        let mut chroma = [vec![0; self.width], vec![0; self.width]];
        let mut colours = vec![[0; 3]; self.width];
        let mut scratch = Scratch::default();
        for (y, target) in (0..self.height).zip(targets) {
            self.read(self.planes[0], y, &mut luma);
            if self.layout == Layout::Grey {
                mix.grey(&luma, &mut colours);
            } else {
                for (plane, row) in self.planes[1..].iter().zip(&mut chroma) {
                    self.read_chroma(*plane, y, &mut scratch, row);
                }
                mix.colours(&luma, [&chroma[0], &chroma[1]], &mut colours);
            }
            put(target, &colours);
        }
    }

    /// Row `y` of chroma, a sample for each pixel, sixteenfold.
    fn read_chroma(&self, plane: Plane<'_>, y: usize, scratch: &mut Scratch, row: &mut [u16]) {
        if self.layout == Layout::Full {
            self.read(plane, y, row);
            row.iter_mut().for_each(|sample| *sample *= 16);
            return;
        }
        let Scratch { near, far } = scratch;
        near.resize(self.width.div_ceil(2), 0);
        if self.layout == Layout::Half {
            self.read(plane, y, near);
            near.iter_mut().for_each(|sample| *sample *= 4);
        } else {
            far.resize(near.len(), 0);
            let last = self.height.div_ceil(2) - 1;
            let beside = if y.is_multiple_of(2) { (y / 2).saturating_sub(1) } else { (y / 2 + 1).min(last) };
            self.read(plane, y / 2, near);
            self.read(plane, beside, far);
            near.iter_mut().zip(far).for_each(|(near, far)| *near = 3 * *near + *far);
        }
        widen(near, row);
    }

    fn read(&self, plane: Plane<'_>, y: usize, row: &mut [u16]) {
        let bytes = plane.bytes.get(y * plane.stride..).unwrap_or_default();
        if self.is_wide {
            let samples = bytes.as_chunks::<2>().0;
            row.iter_mut().zip(samples).for_each(|(to, from)| *to = u16::from_ne_bytes(*from));
        } else {
            row.iter_mut().zip(bytes).for_each(|(to, from)| *to = u16::from(*from));
        }
    }
}

/// Two rows of chroma as stored.
#[derive(Default)]
struct Scratch {
    near: Vec<u16>,
    far: Vec<u16>,
}

/// Twice as many samples, fourfold: each with a quarter of its neighbour in it, the first and the last without.
fn widen(stored: &[u16], row: &mut [u16]) {
    let (Some(first), Some(last)) = (stored.first(), stored.last()) else { return };
    // Two pixels lie between each two samples.
    let between = stored.windows(2).flat_map(|pair| [3 * pair[0] + pair[1], pair[0] + 3 * pair[1]]);
    row.iter_mut().zip(std::iter::once(4 * first).chain(between)).for_each(|(to, from)| *to = from);
    // Of an odd number of pixels too, although the last does not lie at the edge of its sample: as libyuv does.
    row.iter_mut().skip(1).last().into_iter().for_each(|to| *to = 4 * last);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planes<'a>(width: usize, height: usize, layout: Layout, chroma: &'a [u8], stride: usize) -> Planes<'a> {
        let plane = Plane { bytes: chroma, stride };
        Planes { width, height, layout, is_wide: false, planes: [Plane::default(), plane, plane] }
    }

    fn chroma(planes: &Planes<'_>, y: usize) -> Vec<u16> {
        let mut row = vec![0; planes.width];
        planes.read_chroma(planes.planes[1], y, &mut Scratch::default(), &mut row);
        row
    }

    #[test]
    fn chroma_is_interpolated_three_to_one_and_kept_at_the_edges() {
        let stored = [0, 16, 99, 32, 64, 99];
        let quarter = planes(4, 4, Layout::Quarter, &stored, 3);
        assert_eq!(chroma(&quarter, 0), [0, 4, 12, 16].map(|level| 16 * level));
        // Three parts of the nearer row, one of the other.
        assert_eq!(chroma(&quarter, 1), [8, 13, 23, 28].map(|level| 16 * level));
        assert_eq!(chroma(&quarter, 3), [32, 40, 56, 64].map(|level| 16 * level));
        let odd = planes(3, 3, Layout::Quarter, &stored, 3);
        assert_eq!(chroma(&odd, 2), [24, 31, 52].map(|level| 16 * level));
    }

    #[test]
    fn chroma_that_is_as_wide_or_as_high_as_luma_is_not_smoothed_in_that_direction() {
        let stored = [0, 16, 32, 64];
        let half = planes(4, 2, Layout::Half, &stored, 2);
        assert_eq!(chroma(&half, 0), [0, 4, 12, 16].map(|level| 16 * level));
        assert_eq!(chroma(&half, 1), [32, 40, 56, 64].map(|level| 16 * level));
        let full = planes(2, 2, Layout::Full, &stored, 2);
        assert_eq!(chroma(&full, 1), [32, 64].map(|level| 16 * level));
    }
}
