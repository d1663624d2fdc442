//! Pictures over the wire.

#[path = "../support/drawings.rs"]
mod drawings;

use std::io::Cursor;
use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::Role;
use hashcommons::media::{DecodeLimits, Turns, fingerprint};
use hashcommons::wire::signal_to_wire;
use hashcommons::wire::v1::{
    self, Outcome, SignalKind,
    check_media_request::{Options, Part},
};
use image::{ImageFormat, RgbImage};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::items::contribute;
use crate::support::{TestHub, check_of, pdq};

/// What `TestHub` takes at most.
pub const BYTES_MAX: usize = 1 << 20;
/// Two workers, each with sixteen places.
pub const UPLOADS_MAX: usize = 32;

/// A picture with much to see in it.
pub fn drawing(width: u32, height: u32) -> RgbImage {
    drawn("rings", width, height)
}

/// One of the drawings that all tests of pictures share.
pub fn drawn(name: &str, width: u32, height: u32) -> RgbImage {
    let picture = drawings::draw(name, width, height);
    RgbImage::from_raw(width, height, picture.pixels().concat()).unwrap()
}

/// A picture as a PNG file.
pub fn png(picture: &RgbImage) -> Vec<u8> {
    encoded(picture, ImageFormat::Png)
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn flat() -> RgbImage {
    RgbImage::from_pixel(64, 64, image::Rgb([90, 90, 90]))
}

async fn checker(hub: &TestHub) -> Client {
    hub.member("Checker", &[Role::Checker]).await
}

fn kinds(signals: &[v1::Signal]) -> Vec<SignalKind> {
    signals.iter().map(v1::Signal::kind).collect()
}

#[tokio::test]
async fn a_picture_contributed_by_its_hashes_is_found_in_any_format_it_comes_back_in() {
    let hub = TestHub::start().await;
    let member = hub.member("Both", &[Role::Contributor, Role::Checker]).await;
    let picture = drawing(320, 200);
    let (original, jpeg) = (png(&picture), encoded(&picture, ImageFormat::Jpeg));
    // Hashed by the contributor; the hub never sees the picture before it is checked.
    let own = fingerprint(&original, &DecodeLimits::default(), Turns::Shown).unwrap();
    let signals: Vec<_> = own.signals().iter().map(|turned| signal_to_wire(&turned.signal)).collect();
    let entry = contribute(&member, "picture", signals.clone()).await;

    let answer = member.check_media(original, Options::default()).await.unwrap();
    assert_eq!((answer.format.as_str(), answer.width, answer.height), ("png", 320, 200));
    assert_eq!((&answer.signals, Some(answer.quality)), (&signals, signals[0].quality));
    let check = answer.check.unwrap();
    assert!(check.results.iter().all(|result| result.outcome() == Outcome::Match && result.total == 1));
    assert_eq!((check.results.len(), check.matches.len()), (5, 1));
    let found = &check.matches[0];
    assert_eq!(found.entry.as_ref().unwrap().entry_id, entry);
    assert!(found.evidence.iter().all(|evidence| evidence.band() == v1::Band::Identical));

    let answer = member.check_media(jpeg, Options { limit: Some(1), ..Options::default() }).await.unwrap();
    assert_eq!(answer.format, "jpeg");
    use SignalKind::{Dhash, Md5, Pdq, Phash, Sha256};
    assert_eq!(kinds(&answer.signals), [Pdq, Phash, Dhash, Md5, Sha256]);
    let check = answer.check.unwrap();
    assert_eq!(check.matches[0].entry.as_ref().unwrap().entry_id, entry);
    assert_eq!(check.results[0].outcome(), Outcome::Match, "by its looks");
    assert_eq!(check.results[3].outcome(), Outcome::NoMatch, "not by its bytes");
    // What the hub answers is what a check of these signals by themselves answers.
    let same = member.checks().check(check_of(answer.signals)).await.unwrap().into_inner();
    assert_eq!(same, check);
    hub.stop().await;
}

#[tokio::test]
async fn a_featureless_picture_is_an_outcome_and_no_error_and_its_digests_still_match() {
    let hub = TestHub::start().await;
    let member = hub.member("Both", &[Role::Contributor, Role::Checker]).await;
    let answer = member.check_media(png(&flat()), Options::default()).await.unwrap();
    assert_eq!(kinds(&answer.signals), [SignalKind::Md5, SignalKind::Sha256]);
    assert!(answer.quality < 50);
    let outcomes = |answer: &v1::CheckMediaResponse| {
        answer.check.as_ref().unwrap().results.iter().map(v1::QueryResult::outcome).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&answer), [Outcome::NoMatch, Outcome::NoMatch, Outcome::TooFeatureless]);

    contribute(&member, "digest", vec![answer.signals[0].clone()]).await;
    let answer = member.check_media(png(&flat()), Options::default()).await.unwrap();
    assert_eq!(outcomes(&answer), [Outcome::Match, Outcome::NoMatch, Outcome::TooFeatureless]);
    assert_eq!(answer.check.unwrap().matches.len(), 1);
    hub.stop().await;
}

/// A PNG whose header announces other sides than it has.
fn png_announcing(side: u32) -> Vec<u8> {
    let mut file = png(&drawing(16, 16));
    file[16..20].copy_from_slice(&side.to_be_bytes());
    file[20..24].copy_from_slice(&side.to_be_bytes());
    // The CRC of PNG (ISO 3309), bit by bit, over the chunk's type and content.
    let mut crc = u32::MAX;
    for byte in &file[12..29] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    file[29..33].copy_from_slice(&(!crc).to_be_bytes());
    file
}

/// A JPEG whose frame header announces other sides than it has.
fn jpeg_announcing(side: u16) -> Vec<u8> {
    let mut file = encoded(&drawing(16, 16), ImageFormat::Jpeg);
    let frame = file.windows(2).position(|pair| pair == [0xFF, 0xC0]).expect("a baseline frame header");
    file[frame + 5..frame + 7].copy_from_slice(&side.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&side.to_be_bytes());
    file
}

#[tokio::test]
async fn what_is_not_a_whole_picture_of_bearable_size_is_told_why() {
    let hub = TestHub::start().await;
    let checker = checker(&hub).await;
    let before = hub.check().await;
    let (picture, jpeg) = (png(&drawing(64, 64)), encoded(&drawing(64, 64), ImageFormat::Jpeg));
    let too_long = "media: the picture is 65535x65535 pixels: a side may be at most 16384";
    for (name, file, expected) in [
        ("empty", vec![], "media: the file is empty"),
        ("text", b"GIF, but only in words".to_vec(), "media: not a picture in a format that can be read: JPEG, PNG, "),
        ("half a PNG", picture[..picture.len() / 2].to_vec(), "media: the PNG picture is damaged or cut short"),
        ("half a JPEG", jpeg[..jpeg.len() / 2].to_vec(), "media: the JPEG picture is damaged or cut short"),
        ("a PNG's first bytes", picture[..20].to_vec(), "media: the PNG picture is damaged or cut short"),
        ("4x4", png(&drawing(4, 4)), "media: the picture is 4x4 pixels: a PDQ hash needs at least 5 on each side"),
        ("a huge PNG header", png_announcing(65_535), too_long),
        ("a huge JPEG header", jpeg_announcing(65_535), too_long),
        (
            "a large area",
            png_announcing(16_384),
            "media: the picture is 16384x16384, which is 268435456 pixels: at most ",
        ),
        ("no area", png_announcing(0), "media: the PNG picture is damaged or cut short"),
    ] {
        let status = checker.check_media(file, Options::default()).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{name}: {status:?}");
        assert!(status.message().starts_with(expected), "{name}: {}", status.message());
        assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "media", "{name}");
    }
    assert_eq!(hub.check().await, before);
    // The crafted headers are refused for what they announce, and for nothing else.
    checker.check_media(png_announcing(16), Options::default()).await.unwrap();
    checker.check_media(jpeg_announcing(16), Options::default()).await.unwrap();
    hub.stop().await;
}

/// An upload that is open until its sender is dropped.
pub fn upload(
    checker: &Client,
) -> (mpsc::Sender<v1::CheckMediaRequest>, impl Future<Output = Result<(), Status>> + use<>) {
    let (parts, receiver) = mpsc::channel(1);
    let checker = checker.clone();
    let answer = async move { checker.checks().check_media(ReceiverStream::new(receiver)).await.map(|_| ()) };
    (parts, answer)
}

pub fn chunk(bytes: Vec<u8>) -> v1::CheckMediaRequest {
    v1::CheckMediaRequest { part: Some(Part::Chunk(bytes)) }
}

#[tokio::test]
async fn an_upload_above_the_limit_is_refused_while_it_arrives() {
    let hub = TestHub::start().await;
    let checker = checker(&hub).await;
    let (parts, answer) = upload(&checker);
    let answer = tokio::spawn(answer);
    let mut sent = 0;
    // Never closed by its sender: the refusal cannot have waited for the end.
    while sent <= BYTES_MAX {
        parts.send(chunk(vec![0; 100_000])).await.expect("the hub takes what is within the limit");
        sent += 100_000;
    }
    let status = answer.await.unwrap().unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::OutOfRange, "media: must be at most 1048576 bytes"));
    drop(parts);

    // As much as may come is not too long, only no picture.
    let status = checker.check_media(vec![0; BYTES_MAX], Options::default()).await.unwrap_err();
    assert!(status.message().starts_with("media: not a picture"), "{status:?}");
    let status = checker.check_media(vec![0; BYTES_MAX + 1], Options::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    hub.stop().await;
}

#[tokio::test]
async fn uploads_that_do_not_end_take_their_own_places_and_nobody_elses() {
    let hub = TestHub::start().await;
    let checker = checker(&hub).await;
    let other = hub.member("Other", &[Role::Checker]).await;
    let mut open = Vec::new();
    let mut answers = JoinSet::new();
    // None of them ends: the only one that is answered is the one too many, first of the member, then of all.
    for (client, words) in [
        (&checker, "as many pictures of this member as it can while others may come"),
        (&other, "the hub is taking as many pictures as it can"),
    ] {
        for _ in 0..=UPLOADS_MAX / 2 {
            let (parts, answer) = upload(client);
            parts.send(chunk(png(&drawing(64, 64)))).await.unwrap();
            answers.spawn(answer);
            open.push(parts);
        }
        let answered =
            tokio::time::timeout(Duration::from_secs(30), answers.join_next()).await.expect("one is refused");
        let status = answered.unwrap().unwrap().unwrap_err();
        assert!(status.code() == Code::ResourceExhausted && status.message().contains(words), "{status:?}");
        assert!(status.get_details_retry_info().is_some_and(|retry| retry.retry_delay.is_some()), "{status:?}");
    }

    checker.checks().check(check_of([pdq(1)])).await.expect("who sends no picture is served");
    drop(open);
    while let Some(answer) = answers.join_next().await {
        answer.unwrap().expect("an upload that ends is answered");
    }
    checker.check_media(png(&flat()), Options::default()).await.expect("the places are free again");
    hub.stop().await;
}
