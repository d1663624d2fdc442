//! The real worker: the same answers as in this process, whatever comes.

use std::io::Cursor;
use std::time::Duration;

use hashcommons::media::{DecodeLimits, Format, Turns, fingerprint};
use hashcommons::worker::{JobError, Pool, PoolConfig, Sandboxing};
use image::{ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage};

use crate::drawings::draw;

const CODECS: [ImageFormat; 6] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Tiff];

/// The real program, in a sandbox, with time enough on a busy machine.
pub fn config(workers: usize) -> PoolConfig {
    PoolConfig {
        program: env!("CARGO_BIN_EXE_hashcommons").into(),
        deadline: Duration::from_secs(120),
        ..PoolConfig::with_workers(workers)
    }
}

pub fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

pub fn drawing(name: &str, width: u32, height: u32) -> RgbImage {
    RgbImage::from_raw(width, height, draw(name, width, height).pixels().concat()).unwrap()
}

/// A JPEG whose EXIF data says that it is to be turned before it is shown.
fn turned(jpeg: &[u8]) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let mut segment = vec![0xFF, 0xE1, 0, (2 + 6 + tiff.len()) as u8];
    segment.extend(b"Exif\0\0");
    segment.append(&mut tiff);
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

#[test]
fn a_worker_answers_what_this_process_would_in_every_format_and_with_every_turn() {
    let pool = Pool::start(config(2)).unwrap();
    assert!(pool.held().seccomp, "{}", pool.held());
    let picture = drawing("blobs", 190, 130);
    let mut files: Vec<_> = CODECS.iter().map(|codec| encoded(&picture, *codec)).collect();
    files.push(include_bytes!("../fixtures/media/avif/drawing.avif").to_vec());
    files.push(turned(&files[0]));
    assert_eq!(files.len(), Format::ALL.len() + 1);
    for file in files {
        for turns in [Turns::Shown, Turns::All] {
            let here = fingerprint(&file, &DecodeLimits::default(), turns).unwrap();
            assert_eq!(pool.submit(file.clone(), turns).unwrap().wait(), Ok(here));
        }
    }
}

#[test]
fn a_worker_refuses_what_this_process_would_in_the_same_words() {
    let pool = Pool::start(config(1)).unwrap();
    let png = encoded(&drawing("rings", 64, 48), ImageFormat::Png);
    let gif = encoded(&drawing("rings", 64, 48), ImageFormat::Gif);
    let small = encoded(&drawing("rings", 4, 48), ImageFormat::Bmp);
    for file in [&b""[..], b"GIF, but only in words", &png[..png.len() / 2], &png[..20], &gif[..70], &small] {
        let here = fingerprint(file, &DecodeLimits::default(), Turns::Shown).unwrap_err();
        let there = pool.submit(file.to_vec(), Turns::Shown).unwrap().wait();
        assert_eq!(there, Err(JobError::Picture(here)));
    }
}

#[test]
fn many_files_at_once_each_get_their_own_answer_also_while_workers_are_replaced() {
    let pool = Pool::start(PoolConfig { jobs_max: 7, queue_max: 200, ..config(2) }).unwrap();
    let files: Vec<_> = (0..100)
        .map(|n| encoded(&drawing(["rings", "blobs", "checks"][n % 3], 40 + n as u32, 50), CODECS[n % 6]))
        .collect();
    let pending: Vec<_> = files.iter().map(|file| pool.submit(file.clone(), Turns::Shown).unwrap()).collect();
    for (file, pending) in files.iter().zip(pending) {
        let here = fingerprint(file, &DecodeLimits::default(), Turns::Shown).unwrap();
        assert_eq!(pending.wait(), Ok(here));
    }
}

#[test]
fn without_a_sandbox_the_answers_are_the_same() {
    let pool = Pool::start(PoolConfig { sandboxing: Sandboxing::Off, ..config(1) }).unwrap();
    assert!(!pool.held().seccomp);
    let file = encoded(&drawing("checks", 100, 80), ImageFormat::Png);
    let here = fingerprint(&file, &DecodeLimits::default(), Turns::Shown).unwrap();
    assert_eq!(pool.submit(file, Turns::Shown).unwrap().wait(), Ok(here));
}

/// A flat picture of the largest size, in the formats in which it can be within the 32 MiB that a file may have.
fn largest(format: ImageFormat, color: ExtendedColorType) -> Vec<u8> {
    const SIDE: u32 = 8_192;
    let samples = if color == ExtendedColorType::L8 { 1 } else { 3 };
    let pixels = vec![90; (SIDE * SIDE * samples) as usize];
    let mut file = Vec::new();
    match format {
        ImageFormat::Png => image::codecs::png::PngEncoder::new(&mut file).write_image(&pixels, SIDE, SIDE, color),
        ImageFormat::WebP => {
            image::codecs::webp::WebPEncoder::new_lossless(&mut file).write_image(&pixels, SIDE, SIDE, color)
        }
        _ => image::codecs::jpeg::JpegEncoder::new(&mut file).write_image(&pixels, SIDE, SIDE, color),
    }
    .unwrap();
    file
}

#[test]
fn pictures_of_the_largest_size_fit_into_a_workers_memory() {
    let pool = Pool::start(config(1)).unwrap();
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        for color in [ExtendedColorType::Rgb8, ExtendedColorType::L8] {
            assert_fits(&pool, largest(format, color));
        }
    }
}

#[test]
fn pictures_of_the_largest_size_that_are_turned_to_be_shown_fit_into_a_workers_memory() {
    let pool = Pool::start(config(1)).unwrap();
    for color in [ExtendedColorType::Rgb8, ExtendedColorType::L8] {
        assert_fits(&pool, turned(&largest(ImageFormat::Jpeg, color)));
    }
}

fn assert_fits(pool: &Pool, file: Vec<u8>) {
    let fingerprint = pool.submit(file, Turns::Shown).unwrap().wait().unwrap();
    assert_eq!((fingerprint.width, fingerprint.height), (8_192, 8_192));
}

#[test]
fn a_picture_that_needs_more_memory_than_a_worker_has_is_told_so_and_costs_nobody_else_anything() {
    let pool = Pool::start(PoolConfig { memory_max: 120 << 20, ..config(1) }).unwrap();
    // A WebP decoder takes four bytes a pixel beside those of the picture.
    let file = encoded(&RgbImage::from_pixel(4_600, 4_600, Rgb([9, 99, 199])), ImageFormat::WebP);
    let outcome = pool.submit(file.clone(), Turns::Shown).unwrap().wait();
    assert_eq!(outcome.unwrap_err().kind(), "too-much-memory");
    let small = encoded(&drawing("rings", 64, 48), ImageFormat::Png);
    assert!(pool.submit(small, Turns::Shown).unwrap().wait().is_ok());
    // With the memory that it needs it is a picture like any other.
    let roomy = Pool::start(config(1)).unwrap();
    assert!(roomy.submit(file, Turns::Shown).unwrap().wait().is_ok());
}
