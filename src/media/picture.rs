//! A decoded picture: 8-bit RGB, and the format it came in.

use std::fmt;

use image::{ImageFormat, RgbImage};
use serde::{Deserialize, Serialize};

use crate::domain::Orientation;

/// The file formats a picture may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
    Bmp,
    Tiff,
}

impl Format {
    /// Every format, in the order to show them.
    pub const ALL: &'static [Self] = &[Self::Jpeg, Self::Png, Self::Gif, Self::WebP, Self::Bmp, Self::Tiff];

    /// The format whose signature `bytes` begin with. A file's name is never asked: whoever uploads chooses it.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let guess = image::guess_format(bytes).ok()?;
        Self::ALL.iter().copied().find(|format| format.codec() == guess)
    }

    /// Its stable code, for machines.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::WebP => "webp",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
        }
    }

    /// What the `image` crate calls it.
    pub(super) const fn codec(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::Gif => ImageFormat::Gif,
            Self::WebP => ImageFormat::WebP,
            Self::Bmp => ImageFormat::Bmp,
            Self::Tiff => ImageFormat::Tiff,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        })
    }
}

/// A picture of at least one pixel, 8-bit RGB, rows from the top, no gaps.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture(RgbImage);

/// A buffer that is not three bytes a pixel, or a picture without pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a picture of {width}x{height} pixels cannot be made of {bytes} bytes of RGB")]
pub struct WrongPixelCount {
    pub width: u32,
    pub height: u32,
    pub bytes: usize,
}

impl Picture {
    /// From `rgb`: `width * height` pixels of three bytes, rows from the top.
    ///
    /// # Errors
    /// [`WrongPixelCount`] if that is not what `rgb` holds, or if there is no pixel.
    pub fn from_rgb8(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, WrongPixelCount> {
        let bytes = rgb.len();
        let wrong = WrongPixelCount { width, height, bytes };
        // `from_raw` takes a buffer that is too long, and one of no pixels.
        let exact = u64::from(width) * u64::from(height) == bytes as u64 / 3 && bytes > 0 && bytes.is_multiple_of(3);
        let image = RgbImage::from_raw(width, height, rgb).ok_or(wrong)?;
        if exact { Ok(Self(image)) } else { Err(wrong) }
    }

    /// In pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// In pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// The pixels, `[red, green, blue]` each, rows from the top.
    pub fn pixels(&self) -> &[[u8; 3]] {
        self.0.as_raw().as_chunks().0
    }

    /// The rows from the top, each of [`Self::width`] pixels.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[[u8; 3]]> {
        self.pixels().chunks_exact(self.width() as usize)
    }

    /// A copy, turned. Takes as much memory again.
    pub fn turned(&self, orientation: Orientation) -> Self {
        // So many pixels a side are in the cache together, of which one picture has rows and the other columns.
        const TILE: usize = 32;
        let (width, height) = (self.width() as isize, self.height() as isize);
        let end = width * height - 1;
        // Where in the stored picture the first pixel is, the next one to its right, and the next one below.
        let (first, right, below) = match orientation {
            Orientation::AsStored => (0, 1, width),
            Orientation::Rotated90 => (end + 1 - width, -width, 1),
            Orientation::Rotated180 => (end, -1, -width),
            Orientation::Rotated270 => (width - 1, width, -1),
            Orientation::FlippedHorizontally => (width - 1, -1, width),
            Orientation::FlippedVertically => (end + 1 - width, 1, -width),
            Orientation::Transposed => (0, width, 1),
            Orientation::Transversed => (end, -width, -1),
        };
        let (columns, rows) = if right.abs() == 1 { (width, height) } else { (height, width) };
        let (columns, rows) = (columns as usize, rows as usize);
        let stored = self.pixels();
        let mut turned = vec![0; self.0.as_raw().len()];
        let pixels = turned.as_chunks_mut::<3>().0;
        for (top, left) in
            (0..rows).step_by(TILE).flat_map(|top| (0..columns).step_by(TILE).map(move |left| (top, left)))
        {
            for y in top..rows.min(top + TILE) {
                let row = &mut pixels[y * columns..][left..columns.min(left + TILE)];
                let mut from = first + y as isize * below + left as isize * right;
                for pixel in row {
                    *pixel = stored[from as usize];
                    from += right;
                }
            }
        }
        #[expect(clippy::expect_used, reason = "it has the pixels of `self`, no more and no less")]
        Self(RgbImage::from_raw(columns as u32, rows as u32, turned).expect("as many pixels as before"))
    }

    /// The same pixels as the `image` crate's type, which tests compare with.
    #[cfg(test)]
    pub(super) fn as_image(&self) -> &RgbImage {
        &self.0
    }
}

// A picture in a log would be content in a log.
impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}x{})", self.width(), self.height())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_holds_three_bytes_for_each_of_at_least_one_pixel() {
        let picture = Picture::from_rgb8(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(picture.pixels(), [[1, 2, 3], [4, 5, 6]]);
        for (width, height, bytes) in [(2, 1, 5), (2, 1, 7), (2, 1, 9), (0, 0, 0), (0, 7, 0), (u32::MAX, u32::MAX, 3)] {
            let error = Picture::from_rgb8(width, height, vec![0; bytes]).unwrap_err();
            assert_eq!(error, WrongPixelCount { width, height, bytes });
        }
    }

    #[test]
    fn each_orientation_has_at_every_pixel_what_its_definition_says() {
        // More than one tile in each direction, and no whole number of them.
        let (w, h) = (75u32, 40u32);
        let stored = Picture::from_rgb8(w, h, (0..3 * w * h).map(|n| (n * 31 / 7) as u8).collect()).unwrap();
        let at = |picture: &Picture, x: u32, y: u32| picture.pixels()[(y * picture.width() + x) as usize];
        for &orientation in Orientation::ALL {
            use Orientation::*;
            let turned = stored.turned(orientation);
            let lies = matches!(orientation, Rotated90 | Rotated270 | Transposed | Transversed);
            assert_eq!((turned.width(), turned.height()), if lies { (h, w) } else { (w, h) }, "{orientation}");
            for (x, y) in (0..turned.height()).flat_map(|y| (0..turned.width()).map(move |x| (x, y))) {
                // As the documentation of `Orientation` has it.
                let (from_x, from_y) = match orientation {
                    AsStored => (x, y),
                    Rotated90 => (y, h - 1 - x),
                    Rotated180 => (w - 1 - x, h - 1 - y),
                    Rotated270 => (w - 1 - y, x),
                    FlippedHorizontally => (w - 1 - x, y),
                    FlippedVertically => (x, h - 1 - y),
                    Transposed => (y, x),
                    Transversed => (w - 1 - y, h - 1 - x),
                };
                assert_eq!(at(&turned, x, y), at(&stored, from_x, from_y), "{orientation} at {x}, {y}");
            }
        }
    }

    #[test]
    fn debug_shows_the_size_and_never_the_pixels() {
        assert_eq!(format!("{:?}", Picture::from_rgb8(1, 1, vec![77; 3]).unwrap()), "Picture(1x1)");
    }
}
