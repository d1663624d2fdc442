//! The only place that knows the AV1 decoder.
//!
//! It runs on the calling thread and starts no other: a sandbox may forbid it. Its safe interface is a thin cover over
//! functions of C's calling convention, through which a panic cannot pass: it would end the process. None was met in 300,000
//! damaged files, and the hub decodes in processes that may die.

use re_rav1d::dav1d::{self, Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Settings};

use super::obu::{Layout, Sequence, Stream};
use super::rows::{Plane, Planes};
use super::{Damage, Reason, damaged, unsupported};
use crate::media::{DecodeError, DecodeLimits, Format};

/// A decoded picture.
pub(super) struct Frame {
    picture: Picture,
    /// Luma, and of a picture that is not grey the two of chroma.
    planes: Vec<dav1d::Plane>,
    layout: Layout,
}

/// Memory that decoding a stream takes at most, in bytes.
pub(super) fn bytes_needed(stream: &Stream<'_>) -> u64 {
    /// Pixels on a side of what pictures are decoded in.
    const BLOCK: u64 = 128;
    /// Pictures that may be kept for others to refer to.
    const KEPT_MAX: usize = 8;
    /// What is noted of each pixel beside its samples, as measured.
    const BYTES_BESIDE: u64 = 1;
    let Sequence { width, height, sides_max, depth, layout, superres, film_grain, .. } = stream.sequence;
    // Both sides of a picture are rounded up to the decoder's blocks.
    let [width_max, height_max] = sides_max.map(u64::from);
    let pixels = u64::from(width) * u64::from(height) + BLOCK * (width_max + height_max) + BLOCK * BLOCK;
    // Twice, so that half a sample a pixel comes out even.
    let samples_doubled = match layout {
        Layout::Grey => 2,
        Layout::Quarter => 3,
        Layout::Half => 4,
        Layout::Full => 6,
    };
    let picture = pixels * samples_doubled / 2 * if depth > 8 { 2 } else { 1 };
    let pictures = stream.pictures.min(KEPT_MAX + 1) + usize::from(superres) + usize::from(film_grain);
    stream.len() as u64 + picture * pictures as u64 + pixels * BYTES_BESIDE
}

/// The first picture that a stream shows.
pub(super) fn decode(stream: &Stream<'_>, limits: &DecodeLimits) -> Result<Frame, DecodeError> {
    let refuse = |error| match error {
        Error::NotEnoughMemory => DecodeError::TooMuchMemory { max: limits.memory_max },
        Error::UnsupportedBitstream => unsupported(error),
        error => DecodeError::Damaged { format: Format::Avif, source: Damage::Decoder(Reason::new(&error)) },
    };
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    // Of several layers the last, which has the most detail.
    settings.set_all_layers(false);
    let Sequence { width, height, .. } = stream.sequence;
    settings.set_frame_size_limit(width.saturating_mul(height));

    let mut decoder = Decoder::with_settings(&settings).map_err(refuse)?;
    match decoder.send_data(stream.units_that_make_pictures(), None, None, None) {
        // It stops at the first picture. What follows is not asked for.
        Ok(()) | Err(Error::Again) => {}
        Err(error) => return Err(refuse(error)),
    }
    // A layered picture may be the best of several, which is known only when no other follows.
    let picture = match decoder.get_picture() {
        Err(Error::Again) => decoder.get_picture(),
        answer => answer,
    };
    match picture {
        Ok(picture) => Frame::of(picture, &stream.sequence),
        Err(Error::Again) => Err(damaged("no picture to show")),
        Err(error) => Err(refuse(error)),
    }
}

impl Frame {
    /// # Errors
    /// [`DecodeError::Damaged`] if it is not what the stream's header announced.
    fn of(picture: Picture, sequence: &Sequence) -> Result<Self, DecodeError> {
        use PlanarImageComponent::{U, V, Y};
        let layout = match picture.pixel_layout() {
            PixelLayout::I400 => Layout::Grey,
            PixelLayout::I420 => Layout::Quarter,
            PixelLayout::I422 => Layout::Half,
            PixelLayout::I444 => Layout::Full,
        };
        let depth = picture.bits_per_component().map(|bits| bits.0);
        let is_as_announced = (picture.width(), picture.height()) == (sequence.width, sequence.height)
            && layout == sequence.layout
            && depth == Some(sequence.depth.into());
        if !is_as_announced {
            return Err(damaged("the picture has another size or kind than announced"));
        }
        let components: &[_] = if layout == Layout::Grey { &[Y] } else { &[Y, U, V] };
        let planes = components.iter().map(|component| picture.plane(*component)).collect();
        Ok(Self { picture, planes, layout })
    }

    /// Its samples.
    pub(super) fn planes(&self) -> Planes<'_> {
        let mut planes = [Plane::default(); 3];
        for ((to, from), component) in planes.iter_mut().zip(&self.planes).zip(0..) {
            *to = Plane { bytes: from, stride: self.picture.stride(PlanarImageComponent::from(component)) as usize };
        }
        Planes {
            width: self.picture.width() as usize,
            height: self.picture.height() as usize,
            layout: self.layout,
            is_wide: self.picture.bit_depth() > 8,
            planes,
        }
    }
}
