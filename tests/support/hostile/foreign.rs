//! What is no picture at all, is one in a format that is not taken, or is two things at once.

use super::bytes::Random;
use super::seeds::{seed, seeds};
use super::{Case, Cases};

/// The limit on a file's length, in bytes.
const LIMIT: usize = 32 << 20;

pub fn all() -> Cases {
    Box::new(lengths().chain(other_formats()).chain(polyglots()).chain(noise()))
}

fn lengths() -> Cases {
    let single = (0..=255u8).map(|byte| Case::new("no picture", format_args!("the byte {byte}"), vec![byte]));
    let zeros = [0, 2, 1_000, LIMIT - 1, LIMIT, LIMIT + 1].map(|length| (length, 0u8));
    let ones = [1_000, LIMIT].map(|length| (length, 0xFF));
    let long = zeros.into_iter().chain(ones);
    Box::new(single.chain(long.map(|(length, byte)| {
        Case::new("no picture", format_args!("{length} bytes of {byte:#04x}"), vec![byte; length])
    })))
}

/// The first bytes of other formats, alone and with something behind them.
fn other_formats() -> Cases {
    const BEGINNINGS: &[(&str, &[u8])] = &[
        ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script>alert(1)</script></svg>"),
        ("SVG after a declaration", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"),
        (
            "XML entities",
            b"<!DOCTYPE s [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]><s>&c;</s>",
        ),
        ("XML of a file", b"<!DOCTYPE s [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><s>&a;</s>"),
        ("HTML", b"<!DOCTYPE html><html><img src='data:image/png;base64,iVBORw0KGgo='></html>"),
        ("ICO", &[0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0, 40, 0, 0, 0, 22, 0, 0, 0]),
        ("PSD", b"8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\x10\0\0\0\x10\0\x08\0\x03"),
        ("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0heicmif1"),
        ("HEIF sequence", b"\0\0\0\x18ftypmsf1\0\0\0\0msf1hevc"),
        ("AVIF of nothing", b"\0\0\0\x18ftypavif\0\0\0\0avifmif1"),
        ("AVIF sequence", b"\0\0\0\x18ftypavis\0\0\0\0avisavif"),
        ("JPEG XL stream", &[0xFF, 0x0A, 0xFA, 0x1F]),
        ("JPEG XL container", b"\0\0\0\x0CJXL \r\n\x87\n"),
        ("JPEG 2000", b"\0\0\0\x0CjP  \r\n\x87\n"),
        ("JPEG XR", b"II\xBC\x01\x08\0\0\0"),
        ("QOI", b"qoif\0\0\0\x10\0\0\0\x10\x03\0"),
        ("PNM", b"P6 65535 65535 255\n"),
        ("PNM of letters", b"P3 9 9 255 1 2 3"),
        ("PAM", b"P7\nWIDTH 9\nHEIGHT 9\nDEPTH 3\nMAXVAL 255\nENDHDR\n"),
        ("farbfeld", b"farbfeld\0\0\0\x10\0\0\0\x10"),
        ("OpenEXR", b"\x76\x2F\x31\x01\x02\0\0\0"),
        ("Radiance", b"#?RADIANCE\n"),
        ("DDS", b"DDS \x7C\0\0\0"),
        ("TGA", &[0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 16, 0, 24, 0]),
        ("MNG", b"\x8AMNG\r\n\x1A\n"),
        ("FLIF", b"FLIF\x31\x31"),
        ("WMF", b"\xD7\xCD\xC6\x9A"),
        ("camera raw", b"II*\0\x10\0\0\0CR\x02\0"),
        ("MP4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"),
        ("Matroska", b"\x1A\x45\xDF\xA3"),
        ("AVI", b"RIFF\x24\0\0\0AVI LIST"),
        ("WAV", b"RIFF\x24\0\0\0WAVEfmt "),
        ("PDF", b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n"),
        ("PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
        ("ZIP", b"PK\x03\x04\x14\0\0\0\x08\0"),
        ("gzip", b"\x1F\x8B\x08\0\0\0\0\0\0\x03"),
        ("7z", b"7z\xBC\xAF\x27\x1C"),
        ("RAR", b"Rar!\x1A\x07\x01\0"),
        ("ELF", b"\x7FELF\x02\x01\x01\0"),
        ("EXE", b"MZ\x90\0\x03\0\0\0"),
        ("Java class", b"\xCA\xFE\xBA\xBE\0\0\0\x34"),
        ("shell", b"#!/bin/sh\nrm -rf /\n"),
        ("PHP", b"<?php system($_GET['c']); ?>"),
        ("JSON", b"{\"kind\":\"pdq\"}"),
        ("text", b"GIF, but only in words"),
        ("byte-order mark", b"\xEF\xBB\xBFGIF89a"),
        ("a space too much", b" \x89PNG\r\n\x1a\n"),
        ("PNG after a text transfer", b"\x89PNG\n\x1a\n\0\0\0\rIHDR"),
        ("GIF of another year", b"GIF88a\x09\0\x09\0"),
    ];
    Box::new(BEGINNINGS.iter().flat_map(|(name, beginning)| {
        let picture = seed("rgb.png");
        let mut random = Random::new(17);
        let behind =
            [("nothing", vec![]), ("zeros", vec![0; 5_000]), ("noise", random.bytes(5_000)), ("a PNG", picture)];
        behind.map(|(what, more)| {
            Case::new("other format", format_args!("{name}, then {what}"), [*beginning, &more].concat())
        })
    }))
}

/// Valid pictures that are also something else, and something else that holds a picture.
fn polyglots() -> Cases {
    const OTHERS: &[(&str, &[u8])] = &[
        ("a ZIP", b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\x05\0\0\0\x01\0\0\0ahelloPK\x05\x06"),
        ("an EXE", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xFF\xFF"),
        ("a script", b"*/=1;alert(document.cookie)//"),
        ("HTML", b"<html><script>alert(1)</script></html>"),
        ("a PDF", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"),
        ("PHP", b"<?php system($_GET['c']); ?>"),
        ("another JPEG's end", b"\xFF\xD9\xFF\xD8\xFF\xD9"),
        ("a megabyte of zeros", &[0; 1 << 20]),
    ];
    let behind = seeds().into_iter().flat_map(|picture| {
        OTHERS.iter().flat_map(move |(name, other)| {
            let (after, before) = ([&picture.bytes, *other].concat(), [*other, &picture.bytes].concat());
            [
                Case::new("polyglot", format_args!("{} with {name} behind", picture.name), after),
                Case::new("polyglot", format_args!("{} with {name} before", picture.name), before),
            ]
        })
    });
    // A script may begin with `GIF89a` if that is a name in it: canvas and flags are then `/*` and what follows.
    let script = b"GIF89a/*\0\0\0\0*/=1;alert(1);//".to_vec();
    Box::new(behind.chain([Case::new("polyglot", "a script that begins as a GIF", script)]))
}

fn noise() -> Cases {
    let mut random = Random::new(19);
    Box::new((0..500).map(move |n| {
        let length = random.below(3_000);
        Case::new("no picture", format_args!("noise, number {n}"), random.bytes(length))
    }))
}
