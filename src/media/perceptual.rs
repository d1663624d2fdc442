//! The two 64-bit perceptual hashes, for members whose lists hold them: weaker than PDQ, and cheaper to forge.
//!
//! Both are those of the `img_hash` family, computed by its maintained fork `image_hasher` 3.1 over `image` 0.25's grey
//! scale (Rec. 709 luma in integers) and its triangle filter. A name like "pHash" says too little to compare values by;
//! this is what ours are:
//!
//! | | `phash` | `dhash` |
//! |---|---|---|
//! | the picture is | grey, resized to 16x16, DCT-II in both directions, lowest 8x8 kept | grey, resized to 9x8 |
//! | bit `8 * row + column` is set if | the coefficient is at least the mean of all 64 | the pixel is darker than its right neighbour |
//! | settings | `HashAlg::Mean`, 8x8, `preproc_dct`, `FilterType::Triangle` | `HashAlg::Gradient`, 8x8, `FilterType::Triangle` |
//!
//! Bit order is the family's own, `BitOrder::LsbFirst`: byte `n` of the value is row `n`, and within it the leftmost
//! column is the least significant bit. So a value's hexadecimal form is that of `img_hash`'s `as_bytes()`.
//!
//! Values must not change between releases, or stored hashes stop matching: `tests/perceptual_fixtures.rs` pins them. The
//! triangle filter is not `img_hash`'s default: with it `phash` gives the same bits as the original, unmaintained crate.
//!
//! `phash` tells pictures apart badly. The mean it compares with includes the constant term, which is far larger than the
//! others: usually only one to ten bits are set, and unrelated photographs can be one bit apart. A match on `phash` alone is
//! weak evidence.
//!
//! Neither hash has a measure of quality. Ask [`super::pdq::hash`] for one first: of a picture without structure they say
//! nothing, and all such pictures match one another.

use image::GrayImage;
use img_hash::{BitOrder, FilterType, HashAlg, HasherConfig};

use super::Picture;
use super::shrink::shrink;
use crate::domain::Hash64;

/// The two 64-bit perceptual hashes of one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The mean hash of the picture's 8x8 lowest frequencies.
    pub phash: Hash64,
    /// The hash of horizontal gradients, 8x8.
    pub dhash: Hash64,
}

impl Words {
    /// Both hashes of `picture`, which is read once.
    ///
    /// `img_hash` is given the pictures that it would shrink to, and leaves them as they are.
    pub fn of(picture: &Picture) -> Self {
        let [for_phash, for_dhash] = shrink(picture, [(16, 16), (9, 8)]);
        Self { phash: phash(&for_phash), dhash: dhash(&for_dhash) }
    }
}

fn phash(picture: &GrayImage) -> Hash64 {
    hash(picture, config(HashAlg::Mean).preproc_dct())
}

fn dhash(picture: &GrayImage) -> Hash64 {
    hash(picture, config(HashAlg::Gradient))
}

/// Every setting is named, so that none changes with the crate's defaults.
fn config(algorithm: HashAlg) -> HasherConfig<[u8; 8]> {
    HasherConfig::with_bytes_type()
        .hash_alg(algorithm)
        .hash_size(8, 8)
        .resize_filter(FilterType::Triangle)
        .bit_order(BitOrder::LsbFirst)
}

fn hash(picture: &GrayImage, config: HasherConfig<[u8; 8]>) -> Hash64 {
    let bytes = config.to_hasher().hash_image(picture).into_inner();
    Hash64::from_word(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 9x8 pixels, so that the gradient hash sees them as they are.
    fn grey(levels: impl Fn(u32, u32) -> u8) -> Words {
        let rgb = (0..8).flat_map(|y| (0..9).flat_map(move |x| [(x, y); 3])).map(|(x, y)| levels(x, y)).collect();
        Words::of(&Picture::from_rgb8(9, 8, rgb).unwrap())
    }

    #[test]
    fn byte_n_of_dhash_is_row_n_with_the_leftmost_column_in_the_least_significant_bit() {
        let step_up_after_column_2_of_row_1 = grey(|x, y| if y == 1 && x > 2 { 200 } else { 100 });
        assert_eq!(step_up_after_column_2_of_row_1.dhash.to_string(), "0004000000000000");
    }

    #[test]
    fn dhash_of_a_picture_that_brightens_to_the_right_is_all_ones_and_of_its_mirror_image_all_zeros() {
        assert_eq!(grey(|x, _| 20 * x as u8).dhash.word(), u64::MAX);
        assert_eq!(grey(|x, _| 160 - 20 * x as u8).dhash.word(), 0);
    }

    #[test]
    fn what_img_hash_is_given_to_hash_has_the_hashes_that_it_would_give_the_picture_itself() {
        for (width, height) in [(9, 8), (16, 16), (5, 400), (301, 207), (640, 480)] {
            let level =
                |x: u32, y: u32| if (x / 20 + y / 15).is_multiple_of(2) { (x + y) as u8 } else { (x * y) as u8 };
            let picture = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([level(x, y), y as u8, x as u8]));
            let itself = |config: HasherConfig<[u8; 8]>| {
                Hash64::from_word(u64::from_be_bytes(config.to_hasher().hash_image(&picture).into_inner()))
            };
            let words = Words::of(&Picture::from_rgb8(width, height, picture.clone().into_raw()).unwrap());
            assert_eq!(words.phash, itself(config(HashAlg::Mean).preproc_dct()), "{width}x{height}");
            assert_eq!(words.dhash, itself(config(HashAlg::Gradient)), "{width}x{height}");
        }
    }

    #[test]
    fn the_first_bit_of_phash_is_the_constant_term() {
        // Of a flat picture only that term is not zero.
        assert_eq!(grey(|_, _| 100).phash.to_string(), "0100000000000000");
    }
}
