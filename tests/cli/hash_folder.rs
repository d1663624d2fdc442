//! `hash` on folders: what is tried, in which order, and what counts as a failure.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::pictures::{Desk, draw};
use crate::process::Ran;
use crate::site::PROVENANCE;

/// A folder with everything that a folder of pictures may have in it; gives the names of its sound pictures, in order.
fn mixed(desk: &Desk) -> Vec<Vec<u8>> {
    desk.draw("in/z/deep/er/last.gif.txt", 1, 32);
    desk.draw("in/b.png", 2, 32);
    desk.draw("in/.hidden/.also.png", 3, 32);
    desk.draw("in/a b\n\u{1b}[31m.png", 4, 32);
    draw(&desk.path("in").join(OsStr::from_bytes(b"caf\xe9")), 5, 32);
    desk.write("in/notes.jpg", "not a picture, whatever its name says");
    desk.write("in/film.mkv", [b'x'; 10_000]);
    desk.write("in/empty.jpg", "");
    desk.draw("cut.png", 6, 32);
    desk.write("in/cut.png", &desk.read("cut.png")[..200]);
    desk.draw("in/tiny.png", 7, 4);
    image::GrayImage::from_pixel(32, 32, image::Luma([90])).save(desk.path("in/flat.png")).unwrap();
    // Never followed, never opened: each would read what is outside, read for ever, or wait for ever.
    symlink("..", desk.path("in/z/up")).unwrap();
    symlink("nowhere", desk.path("in/dangling.png")).unwrap();
    symlink("../cut.png", desk.path("in/link.png")).unwrap();
    assert!(Command::new("mkfifo").arg(desk.path("in/pipe.png")).status().unwrap().success());
    drop(UnixListener::bind(desk.path("in/socket.png")).unwrap());
    std::fs::create_dir(desk.path("in/nothing")).unwrap();
    let names: [&[u8]; 5] =
        [b"in/.hidden/.also.png", b"in/a b\n\x1b[31m.png", b"in/b.png", b"in/caf\xe9", b"in/z/deep/er/last.gif.txt"];
    names.map(<[u8]>::to_vec).to_vec()
}

/// The bytes of the name that a line of JSON gives.
fn name(line: &serde_json::Value) -> Vec<u8> {
    match line["file_bytes"].as_str() {
        Some(hex) => data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap(),
        None => line["file"].as_str().unwrap().as_bytes().to_vec(),
    }
}

#[test]
fn a_folder_is_hashed_in_the_order_of_its_names_and_what_is_no_picture_is_only_counted() {
    let desk = Desk::new();
    let mut pictures = mixed(&desk);
    let ran = desk.ran(&["hash", "--json", "in"]);
    // Featureless, it still has its digests.
    pictures.insert(4, b"in/flat.png".to_vec());
    assert_eq!(ran.json().iter().map(name).collect::<Vec<_>>(), pictures, "{ran:?}");
    assert_eq!(ran.code, 2, "{ran:?}");
    let words: [&str; 3] = [
        "hashcommons: in/cut.png: the PNG picture is damaged or cut short",
        "hashcommons: in/tiny.png: ",
        "2 of 16 files could not be hashed (5 hashed, 1 too featureless, 1 damaged, 1 empty, 2 special files, 3 symbolic \
         links, 1 too small, 2 of unknown format)",
    ];
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}` is not in {ran:?}");
    }
    assert_eq!(ran.stderr.lines().count(), words.len(), "what is no picture is named: {ran:?}");

    // Names are printed so that they do nothing to a terminal.
    let ran = desk.ran(&["hash", "in"]);
    for shown in ["in/a b\\n\\u{1b}[31m.png: PNG 32x32\n", "in/caf\\xe9: PNG 32x32\n"] {
        assert!(ran.stdout.contains(shown), "{ran:?}");
    }

    for failure in ["in/cut.png", "in/tiny.png"] {
        std::fs::remove_file(desk.path(failure)).unwrap();
    }
    let ran = desk.ran(&["hash", "in"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.starts_with("14 files: 5 hashed, 1 too featureless, 1 empty, "), "{ran:?}");
}

#[test]
fn what_is_named_was_meant_to_be_a_picture_and_a_link_that_is_named_is_followed() {
    let desk = Desk::new();
    mixed(&desk);
    for (named, code, words) in [
        ("in/notes.jpg", 2, "in/notes.jpg: not a picture in a format that can be read"),
        ("in/empty.jpg", 2, "in/empty.jpg: the file is empty"),
        ("in/pipe.png", 2, "in/pipe.png: neither a file nor a folder"),
        ("in/socket.png", 2, "in/socket.png: neither a file nor a folder"),
        ("in/dangling.png", 2, "in/dangling.png: No such file"),
        ("absent", 2, "absent: No such file"),
        // A file that cannot be read, whoever asks.
        ("/proc/self/mem", 2, "/proc/self/mem: Input/output error"),
        ("in/link.png", 0, ""),
        ("in/flat.png", 0, ""),
        ("in/nothing", 0, "no files"),
    ] {
        for more in [&[][..], &[&["--out", "items", "--restart"], &PROVENANCE[..]].concat()] {
            let ran = desk.ran(&[&["hash", named], more].concat());
            if more.is_empty() {
                assert!(ran.code == code && ran.stderr.contains(words), "{named}: {ran:?}");
            } else {
                assert_eq!(ran.code, code / 2, "{named}: {ran:?}");
            }
        }
    }
    symlink("in/z", desk.path("linked")).unwrap();
    let ran = desk.ran(&["hash", "--json", "linked"]);
    assert_eq!((ran.code, &ran.json()[0]["file"]), (0, &"linked/deep/er/last.gif.txt".into()), "{ran:?}");
}

#[test]
fn a_film_that_is_longer_than_a_picture_may_be_is_no_picture_and_a_picture_that_long_is_refused() {
    let desk = Desk::new();
    desk.draw("in/long.png", 1, 32);
    desk.write("in/film.mkv", "a film");
    for name in ["in/film.mkv", "in/long.png"] {
        std::fs::OpenOptions::new().write(true).open(desk.path(name)).unwrap().set_len((32 << 20) + 1).unwrap();
    }
    let ran = desk.ran(&["hash", "in"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("in/long.png: the file is 33554433 bytes long: at most 33554432 are taken"), "{ran:?}");
    assert!(ran.stderr.contains("1 of 2 files could not be hashed (1 too many bytes, 1 of unknown format)"), "{ran:?}");
}

/// The most memory that a process has had so far, in bytes; none once it has ended.
fn peak_memory(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
}

#[test]
fn ten_thousand_pictures_are_hashed_in_one_go_and_in_little_memory() {
    const FILES: u32 = 10_000;
    let desk = Desk::new();
    for n in 0..20 {
        desk.draw(&format!("{n}.png"), n, 16);
    }
    for n in 0..FILES {
        let folder = desk.path(&format!("in/{}", n / 500));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::hard_link(desk.path(&format!("{}.png", n % 20)), folder.join(format!("{n:05}.png"))).unwrap();
    }
    let mut command = desk.command(&[&["hash", "in", "--out", "items", "--json"], &PROVENANCE[..]].concat());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_memory(child.id()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(20));
    }
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!((ran.code, &ran.json()[0]["items"]), (0, &FILES.into()), "{ran:?}");
    let items = String::from_utf8(desk.read("items")).unwrap();
    assert_eq!(items.lines().collect::<HashSet<_>>().len(), 20);
    assert!(peak > 0 && peak < 64 << 20, "{peak} bytes");
}
