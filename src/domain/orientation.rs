//! The eight ways in which a picture can be turned and mirrored without resampling it: the symmetries of a square.

use super::codes::codes;

codes! {
    /// What was done to a picture as it is stored: which turned or mirrored copy of it is meant.
    ///
    /// A hash of this orientation is the hash that the stored picture would have *if it were turned so*. Rotations are clockwise, as
    /// seen. With the stored picture `P`, `w` wide and `h` high, pixels counted from 0 at the top left corner, `P(x, y)`
    /// being column `x` of row `y`, each value says what is at `(x, y)` of the turned picture.
    Orientation, "orientation" {
        /// Nothing was done: `P(x, y)`.
        AsStored = "as-stored",
        /// A quarter turn clockwise, what was at the left is at the top: `P(y, h - 1 - x)`, `h` wide and `w` high.
        Rotated90 = "rotated-90",
        /// A half turn: `P(w - 1 - x, h - 1 - y)`.
        Rotated180 = "rotated-180",
        /// A quarter turn counterclockwise, what was at the right is at the top: `P(w - 1 - y, x)`, `h` wide and `w` high.
        Rotated270 = "rotated-270",
        /// Mirrored, left and right are exchanged: `P(w - 1 - x, y)`.
        FlippedHorizontally = "flipped-horizontally",
        /// Upside down, top and bottom are exchanged: `P(x, h - 1 - y)`.
        FlippedVertically = "flipped-vertically",
        /// Mirrored at the diagonal from the top left: `P(y, x)`, `h` wide and `w` high.
        Transposed = "transposed",
        /// Mirrored at the diagonal from the top right: `P(w - 1 - y, h - 1 - x)`, `h` wide and `w` high.
        Transversed = "transversed",
    }
}

impl Orientation {
    /// What has to be done to the stored pixels of a file to show them upright, by its EXIF tag `Orientation` (0x0112).
    ///
    /// `None` for a number that is none of the eight; viewers then show the pixels as they are stored.
    ///
    /// Source: Exif 2.32 (CIPA DC-008-2019), 4.6.4 A. The tag says where row 0 and column 0 of the stored picture belong: for 6
    /// "the 0th row is the visual right-hand side of the image, and the 0th column is the visual top".
    pub const fn from_exif(tag: u16) -> Option<Self> {
        Some(match tag {
            1 => Self::AsStored,
            2 => Self::FlippedHorizontally,
            3 => Self::Rotated180,
            4 => Self::FlippedVertically,
            5 => Self::Transposed,
            6 => Self::Rotated90,
            7 => Self::Transversed,
            8 => Self::Rotated270,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_has_a_code_of_its_own_that_reads_back() {
        let codes: Vec<_> = Orientation::ALL.iter().map(|orientation| orientation.code()).collect();
        assert_eq!(
            codes,
            [
                "as-stored",
                "rotated-90",
                "rotated-180",
                "rotated-270",
                "flipped-horizontally",
                "flipped-vertically",
                "transposed",
                "transversed"
            ]
        );
        for orientation in Orientation::ALL {
            assert_eq!(orientation.to_string().parse(), Ok(*orientation));
        }
        let error = "upright".parse::<Orientation>().unwrap_err().to_string();
        assert!(error.starts_with("unknown orientation `upright`: must be one of as-stored, rotated-90"), "{error}");
    }

    #[test]
    fn exif_numbers_the_eight_from_1_and_others_mean_nothing() {
        let all: std::collections::HashSet<_> = (1..=8).map(|tag| Orientation::from_exif(tag).unwrap()).collect();
        assert_eq!(all.len(), Orientation::ALL.len());
        for tag in [0, 9, u16::MAX] {
            assert_eq!(Orientation::from_exif(tag), None);
        }
        // A camera held upright on its right side: its sensor's row 0 is the scene's right-hand side.
        assert_eq!(Orientation::from_exif(6), Some(Orientation::Rotated90));
    }
}
