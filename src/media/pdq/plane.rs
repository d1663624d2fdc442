//! One number a pixel.

use super::Picture;

/// A rectangle of numbers, rows from the top, no gaps. Neither side is 0.
pub(super) struct Plane {
    width: usize,
    values: Vec<f32>,
}

impl Plane {
    /// Brightness, 0.0 to 255.0, by the weights of ITU-R BT.601.
    ///
    /// Summed in 64 bits and then rounded to 32, as the Python binding of the reference does, by which the published vectors
    /// and most hashes in circulation were made. Meta's own command line sums in 32 bits. The last digit is all that
    /// differs, and it decides a bit only in pictures drawn by formula, where coefficients would be equal but for rounding.
    pub(super) fn luma(picture: &Picture) -> Self {
        let luma = |&[red, green, blue]: &[u8; 3]| {
            (0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue)) as f32
        };
        Self { width: picture.width() as usize, values: picture.pixels().iter().map(luma).collect() }
    }

    /// Rows of `width` values, for tests.
    #[cfg(test)]
    pub(super) fn from_rows(width: usize, values: Vec<f32>) -> Self {
        Self { width, values }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.values.len() / self.width
    }

    pub(super) fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..][..self.width]
    }

    pub(super) fn row_mut(&mut self, y: usize) -> &mut [f32] {
        &mut self.values[y * self.width..][..self.width]
    }
}
