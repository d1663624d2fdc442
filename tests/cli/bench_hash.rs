//! `bench hash`: that it hashes what `hash` hashes, and names every figure.

use hashcommons::media::pdq::Simd;
use serde_json::Value;

use crate::process::run;

/// A picture with something in it, in a folder of its own.
fn picture() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.png");
    image::RgbImage::from_fn(150, 97, |x, y| image::Rgb([(x * y) as u8, (x / 9 * 40) as u8, (y * 2) as u8]))
        .save(&path)
        .unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

/// What `hash` says of it.
fn pdq(path: &str) -> (Value, Value) {
    let hashed = run(&["hash", path, "--json"]).json().remove(0);
    let signal = &hashed["signals"][0];
    assert_eq!(signal["kind"], "pdq");
    (signal["value"].clone(), signal["quality"].clone())
}

#[test]
fn every_instruction_set_gives_the_hash_that_is_shared_and_the_fields_of_the_peers_measurement() {
    let (_folder, path) = picture();
    let (hash, quality) = pdq(&path);
    for simd in Simd::available() {
        let ran = run(&["bench", "hash", &path, &path, "--simd", &simd.to_string(), "--json"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let rows = ran.json();
        assert_eq!(rows.len(), 2, "one for each picture");
        for row in rows {
            assert_eq!((&row["pdq"], &row["quality"]), (&hash, &quality), "{simd}");
            assert_eq!(
                (&row["image"], &row["width"], &row["height"]),
                (&path.as_str().into(), &150.into(), &97.into())
            );
            assert_eq!(row["simd"], simd.to_string());
            for time in ["decode_ms", "hash_ms", "dihedral_ms", "fingerprint_ms"] {
                assert!(row[time].as_f64().unwrap() >= 0.0, "{time} in {row}");
            }
        }
        // In this order, so that figures can be laid beside those of the peer.
        let fields = r#"{"image":,"width":,"height":,"pdq":,"quality":,"decode_ms":,"hash_ms":,"dihedral_ms":"#;
        let mut rest = ran.stdout.as_str();
        for field in fields.trim_start_matches('{').split(',') {
            rest = rest.split_once(field).unwrap_or_else(|| panic!("{field} is not in its place: {}", ran.stdout)).1;
        }
    }
}

#[test]
fn for_people_it_is_a_table_with_the_same_hash() {
    let (_folder, path) = picture();
    let (hash, _) = pdq(&path);
    let ran = run(&["bench", "hash", &path]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{ran:?}");
    assert!(lines[2] == path && lines[3].ends_with(hash.as_str().unwrap()), "{ran:?}");
}

#[test]
fn files_and_settings_that_cannot_be_measured_are_named() {
    let (folder, path) = picture();
    let text = folder.path().join("text.png");
    std::fs::write(&text, "no picture").unwrap();
    let tiny = folder.path().join("tiny.png");
    image::RgbImage::new(4, 9).save(&tiny).unwrap();
    for (file, more, words) in [
        ("absent.png", &[][..], "absent.png"),
        (text.to_str().unwrap(), &[], "text.png"),
        (tiny.to_str().unwrap(), &[], "4x9 pixels"),
        (&path, &["--simd", "mmx"], "`mmx` cannot be used here: there is portable"),
    ] {
        let ran = run(&[&["bench", "hash", file], more].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(words), "`{words}` is not in: {ran:?}");
    }
}
