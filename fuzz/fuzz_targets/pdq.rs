//! Any picture: its PDQ hashes in all orientations are those of the plain way.

#![no_main]

use hashcommons_fuzz::{check_picture, picture_of};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(picture) = picture_of(bytes) else { return Corpus::Reject };
    check_picture(&picture);
    Corpus::Keep
});
