//! Turned and mirrored copies.

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, RgbImage};

use crate::site::{PROVENANCE, Site};

/// Something that is unlike itself however it is turned.
fn picture() -> RgbImage {
    RgbImage::from_fn(200, 150, |x, y| {
        let block = if (x / 25 + y / 30) % 3 == 0 { 220 } else { (x * y / 150) as u8 };
        image::Rgb([block, (y + x / 4) as u8, (x / 2) as u8])
    })
}

/// The picture as a camera stores it: lying, with the order to turn it by 90 degrees before it is shown.
fn save_lying(site: &Site, name: &str, picture: &RgbImage) {
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    let lying = image::imageops::rotate270(picture);
    let mut encoder = JpegEncoder::new_with_quality(std::fs::File::create(site.path(name)).unwrap(), 95);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.write_image(&lying, lying.width(), lying.height(), image::ExtendedColorType::Rgb8).unwrap();
}

#[test]
fn check_dihedral_finds_a_mirrored_and_a_turned_copy_and_says_how_it_was_turned() {
    let site = Site::new();
    picture().save(site.path("original.png")).unwrap();
    let contributed = site.ran(&[&["contribute", "original.png"], &PROVENANCE[..]].concat());
    assert_eq!(contributed.code, 0, "{contributed:?}");
    let original = DynamicImage::from(picture());
    for (copy, turned, said) in [
        // The stored copy has to be turned back to look like the original.
        ("mirrored.png", original.fliph(), "flipped-horizontally"),
        ("upside-down.png", original.rotate180(), "rotated-180"),
        ("lying.png", original.rotate90(), "rotated-270"),
    ] {
        turned.save(site.path(copy)).unwrap();
        assert_eq!(site.ran(&["check", copy]).code, 1, "{copy} is found without looking for it");
        for way in [&["check", "--dihedral", copy][..], &["check", "--dihedral", "--send-media", copy]] {
            let ran = site.ran(way);
            assert_eq!(ran.code, 0, "{way:?}: {ran:?}");
            assert!(ran.stdout.contains(&format!("({said})")), "{way:?}: {ran:?}");
        }
        let facts = site.ran(&["check", "--dihedral", "--json", copy]).json();
        let matched = facts[0]["matches"][0]["evidence"][0]["signal"].as_u64().unwrap_or_default() as usize;
        assert_eq!(facts[0]["orientations"][matched], said);
    }
}

#[test]
fn a_photograph_stored_lying_and_shown_upright_is_found_by_those_who_turn_it_and_those_who_do_not() {
    let site = Site::new();
    let upright = picture();
    save_lying(&site, "camera.jpg", &upright);
    let contributed = site.ran(&[&["contribute", "camera.jpg"], &PROVENANCE[..]].concat());
    assert_eq!(contributed.code, 0, "{contributed:?}");
    // A platform that strips the EXIF data after turning, and one that strips them and nothing else.
    upright.save(site.path("upright.png")).unwrap();
    image::imageops::rotate270(&upright).save(site.path("lying.png")).unwrap();
    for copy in ["camera.jpg", "upright.png", "lying.png"] {
        let ran = site.ran(&["check", copy]);
        assert!(ran.code == 0 && ran.stdout.contains("pdq"), "{copy}: {ran:?}");
    }
    // And the other way around: what was contributed upright is found when it comes lying.
    let site = Site::new();
    upright.save(site.path("upright.png")).unwrap();
    assert_eq!(site.ran(&[&["contribute", "upright.png"], &PROVENANCE[..]].concat()).code, 0);
    save_lying(&site, "camera.jpg", &upright);
    for way in [&["check", "camera.jpg"][..], &["check", "--send-media", "camera.jpg"]] {
        let ran = site.ran(way);
        assert!(ran.code == 0 && ran.stdout.contains("(rotated-90)"), "{ran:?}");
    }
}
