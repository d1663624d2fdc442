//! A decoded picture: 8-bit RGB, and the format it came in.

use std::fmt;

use image::{ImageFormat, RgbImage, imageops};
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
    Avif,
}

impl Format {
    /// Every format, in the order to show them.
    pub const ALL: &'static [Self] = &[Self::Jpeg, Self::Png, Self::Gif, Self::WebP, Self::Bmp, Self::Tiff, Self::Avif];

    /// The format whose signature `bytes` begin with. A file's name is never asked: whoever uploads chooses it.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if is_avif(bytes) {
            return Some(Self::Avif);
        }
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
            Self::Avif => "avif",
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
            Self::Avif => ImageFormat::Avif,
        }
    }
}

/// Whether AVIF is among the brands that the file says it conforms to, which other formats of the same family do too.
fn is_avif(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return false };
    // The major brand, its version, the others: the version is no brand, and looks like none.
    let content = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX).saturating_sub(8);
    let Some((b"ftyp", rest)) = rest.split_first_chunk() else { return false };
    let brands = rest[..content.min(rest.len())].as_chunks::<4>().0;
    brands.iter().any(|brand| brand == b"avif" || brand == b"avis")
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
            Self::Avif => "AVIF",
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

    /// A copy, turned. Takes as much memory again.
    pub fn turned(&self, orientation: Orientation) -> Self {
        let Self(image) = self;
        Self(match orientation {
            Orientation::AsStored => image.clone(),
            Orientation::Rotated90 => imageops::rotate90(image),
            Orientation::Rotated180 => imageops::rotate180(image),
            Orientation::Rotated270 => imageops::rotate270(image),
            Orientation::FlippedHorizontally => imageops::flip_horizontal(image),
            Orientation::FlippedVertically => imageops::flip_vertical(image),
            Orientation::Transposed => mirrored(imageops::rotate90(image)),
            Orientation::Transversed => mirrored(imageops::rotate270(image)),
        })
    }

    /// The same pixels as the `image` crate's type.
    pub(super) fn as_image(&self) -> &RgbImage {
        &self.0
    }
}

fn mirrored(mut image: RgbImage) -> RgbImage {
    imageops::flip_horizontal_in_place(&mut image);
    image
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
        let (w, h) = (3u32, 2u32);
        let stored = Picture::from_rgb8(w, h, (0..18).collect()).unwrap();
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
