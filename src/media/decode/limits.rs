//! What a file may cost before it is refused.

use serde::{Deserialize, Serialize};

use super::DecodeError;

/// How long a file, and how large the picture in it, may be.
///
/// The default takes what cameras and phones make, and pictures of 8192x8192 pixels in every format. All four are checked
/// against the header, before memory is taken for what it announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecodeLimits {
    /// Length of the file in bytes.
    pub bytes_max: usize,
    /// Width times height.
    pub pixels_max: u64,
    /// Width, and height, in pixels.
    pub side_max: u32,
    /// Memory for decoding and hashing beside the file itself, in bytes: every buffer that holds a whole picture, whoever takes it.
    pub memory_max: usize,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { bytes_max: 32 << 20, pixels_max: 100_000_000, side_max: 16_384, memory_max: 512 << 20 }
    }
}

impl DecodeLimits {
    pub(super) fn check_bytes(&self, got: usize) -> Result<(), DecodeError> {
        let max = self.bytes_max;
        if got > max { Err(DecodeError::TooManyBytes { got, max }) } else { Ok(()) }
    }

    pub(super) fn check_size(&self, width: u32, height: u32) -> Result<(), DecodeError> {
        if width.max(height) > self.side_max {
            return Err(DecodeError::SideTooLong { width, height, max: self.side_max });
        }
        if u64::from(width) * u64::from(height) > self.pixels_max {
            return Err(DecodeError::TooManyPixels { width, height, max: self.pixels_max });
        }
        Ok(())
    }

    pub(super) fn check_memory(
        &self,
        width: u32,
        height: u32,
        bytes_per_pixel: u8,
        beside: usize,
    ) -> Result<(), DecodeError> {
        // In 128 bits, so that no product can wrap around to something small.
        let needed = u128::from(width) * u128::from(height) * u128::from(bytes_per_pixel) + beside as u128;
        let max = self.memory_max;
        if needed > max as u128 { Err(DecodeError::TooMuchMemory { max }) } else { Ok(()) }
    }

    /// Refuses what goes over so many bytes or pixels, all passes together, that the largest picture is small beside it.
    pub(super) fn check_work(&self, passed_over: u128) -> Result<(), DecodeError> {
        const PASSES: u128 = 16;
        if passed_over > PASSES * u128::from(self.pixels_max) { Err(DecodeError::TooMuchWork) } else { Ok(()) }
    }
}
