//! AVIF files written from nothing: an AV1 picture of a seed in other boxes. ISO/IEC 14496-12 and 23008-12.

use super::bytes::Random;
use super::seeds::seed;
use super::{Case, Cases};

/// What the seed's picture measures.
const SIDES: (u32, u32) = (19, 13);

fn item_box(kind: &[u8], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes(), kind, content].concat()
}

/// A box with a version.
fn full(kind: &[u8], version: u8, content: &[u8]) -> Vec<u8> {
    item_box(kind, &[&[version, 0, 0, 0], content].concat())
}

/// The AV1 stream of the seed.
fn stream() -> Vec<u8> {
    let seed = seed("plain.avif");
    let data = seed.windows(4).position(|kind| kind == b"mdat").unwrap();
    seed[data + 4..].to_vec()
}

/// A file of two items: 1 is a stream, 2 a grid of it.
struct File {
    rows: u32,
    columns: u32,
    /// Of the grid, as announced and as told by its property.
    sides: (u32, u32),
    /// How often the grid refers to the stream, each a 16-bit number.
    tiles: usize,
    /// Pieces of the stream's place that take no bytes of the file: each reaches from `base` to the end of the data.
    pieces: u16,
    base: u32,
    stream: Vec<u8>,
}

impl File {
    fn grid(columns: u32, rows: u32) -> Self {
        let stream = stream();
        let sides = (SIDES.0 * columns, SIDES.1 * rows);
        Self { rows, columns, sides, tiles: (rows * columns) as usize, pieces: 1, base: 0, stream }
    }

    fn bytes(&self) -> Vec<u8> {
        let numbers = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
        let short = |number: u32| (number as u16).to_be_bytes();
        let (width, height) = self.sides;
        let grid = [&[0, 1, (self.rows - 1) as u8, (self.columns - 1) as u8][..], &numbers(&[width, height])].concat();

        let kind = |id: u8, kind: &[u8]| full(b"infe", 2, &[&[0, id, 0, 0], kind, &[0]].concat());
        let kinds = full(b"iinf", 0, &[&[0, 2][..], &kind(1, b"av01"), &kind(2, b"grid")].concat());
        // Version 1, both inside of `idat`: no bytes for offsets and lengths, four for the base.
        let stream_place = [&[0, 1, 0, 1, 0, 0][..], &numbers(&[self.base]), &self.pieces.to_be_bytes()].concat();
        let grid_base = self.stream.len() as u32;
        let grid_place = [&[0, 2, 0, 1, 0, 0][..], &numbers(&[grid_base]), &[0, 1]].concat();
        let places = full(b"iloc", 1, &[&[0x00, 0x40, 0, 2][..], &stream_place, &grid_place].concat());

        let uses = [&[0, 2][..], &short(self.tiles as u32), &[0, 1].repeat(self.tiles)].concat();
        let references = full(b"iref", 0, &item_box(b"dimg", &uses));
        let size = |width, height| full(b"ispe", 0, &numbers(&[width, height]));
        let list = item_box(b"ipco", &[size(SIDES.0, SIDES.1), size(width, height)].concat());
        let told = full(b"ipma", 0, &[&numbers(&[2])[..], &[0, 1, 1, 1, 0, 2, 1, 2]].concat());
        let properties = item_box(b"iprp", &[list, told].concat());
        let data = item_box(b"idat", &[&self.stream[..], &grid].concat());
        let handler = full(b"hdlr", 0, &[&[0; 4][..], b"pict", &[0; 13]].concat());
        let primary = full(b"pitm", 0, &[0, 2]);
        let meta = full(b"meta", 0, &[handler, primary, kinds, places, references, properties, data].concat());
        [item_box(b"ftyp", b"avif\0\0\0\0avifmif1miaf"), meta].concat()
    }
}

pub fn all() -> Cases {
    Box::new(grids().chain(streams()).chain(boxes()))
}

fn grids() -> Cases {
    let mut cases = Vec::new();
    let mut add = |name: String, file: File| cases.push(Case::new("AVIF grid", name, file.bytes()));
    for (columns, rows) in [(1, 1), (1, 2), (2, 1), (3, 3), (16, 16), (128, 128), (256, 64), (256, 256)] {
        add(format!("{columns}x{rows}"), File::grid(columns, rows));
        let sides = (SIDES.0 * columns - 5, SIDES.1 * rows - 5);
        add(format!("{columns}x{rows}, reaching beyond"), File { sides, ..File::grid(columns, rows) });
    }
    for tiles in [0, 1, 3, 5, 16_384, 65_535] {
        add(format!("2x2 of {tiles} tiles"), File { tiles, ..File::grid(2, 2) });
    }
    for sides in [(0, 0), (1, 1), (65_535, 65_535), (u32::MAX, u32::MAX), (16_384, 6_103), (10_000, 10_000)] {
        for (columns, rows) in [(1, 1), (2, 2), (256, 64)] {
            add(
                format!("{columns}x{rows}, {} by {} announced", sides.0, sides.1),
                File { sides, ..File::grid(columns, rows) },
            );
        }
    }
    let end = stream().len() as u32;
    for pieces in [0, 2, 1_000, 65_535] {
        for (columns, rows) in [(1, 1), (128, 128)] {
            // At the end of the data: twelve bytes of grid, then nothing.
            for base in [0, end, end + 12, end + 13, u32::MAX] {
                let file = File { pieces, base, ..File::grid(columns, rows) };
                add(format!("{columns}x{rows}, {pieces} pieces from {base}"), file);
            }
        }
    }
    Box::new(cases.into_iter())
}

/// What the AV1 stream itself can say.
fn streams() -> Cases {
    let stream = stream();
    let file = |stream: Vec<u8>| File { stream, ..File::grid(1, 1) }.bytes();
    let mut cases = Vec::new();
    let mut add = |name: String, stream: Vec<u8>| cases.push(Case::new("AVIF stream", name, file(stream)));
    for bit in 0..8 * stream.len() {
        add(format!("bit {bit} flipped"), super::bytes::with(&stream, bit / 8, &[stream[bit / 8] ^ 1 << (bit % 8)]));
    }
    for length in 0..stream.len() {
        add(format!("cut at {length}"), stream[..length].to_vec());
    }
    for kind in 0..16 {
        for flags in [0, 2, 4, 6, 0x80] {
            let unit = [kind << 3 | flags, 0, 0, 0];
            add(format!("a unit of kind {kind}, flags {flags} before"), [&unit[..], &stream].concat());
            add(format!("a unit of kind {kind}, flags {flags} behind"), [&stream, &unit[..]].concat());
        }
    }
    for count in [2, 16, 17, 10_000] {
        add(format!("{count} times"), stream.repeat(count));
    }
    add("10,000,000 moments".into(), [&[0x12, 0].repeat(10_000_000), &stream[..]].concat());
    add("10,000,000 paddings".into(), [&stream[..], &[0x7A, 0].repeat(10_000_000)].concat());
    add("a length without end".into(), [&[0x0A][..], &[0xFF; 30]].concat());
    let mut random = Random::new(29);
    for n in 0..1_000 {
        let mut junk = stream.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(junk.len());
            junk[at] = random.next() as u8;
        }
        add(format!("at random, number {n}"), junk);
    }
    Box::new(cases.into_iter())
}

/// Boxes without number, without end, or in one another.
fn boxes() -> Cases {
    let start = item_box(b"ftyp", b"avif\0\0\0\0avifmif1miaf");
    let file = |more: &[u8]| [&start, more].concat();
    let many = |kind: &[u8], content: &[u8], count: usize| item_box(kind, content).repeat(count);
    let nested = |depth: usize| (0..depth).fold(Vec::new(), |inner, _| full(b"meta", 0, &inner));
    let meta = |content: &[u8]| full(b"meta", 0, content);
    let cases = [
        ("4,000,000 free boxes", file(&many(b"free", b"", 4_000_000))),
        ("4,000,000 free boxes in meta", file(&meta(&many(b"free", b"", 4_000_000)))),
        ("1,000 boxes in one another", file(&nested(1_000))),
        ("2,000,000 kinds of one item", {
            let kind = full(b"infe", 2, b"\0\x01\0\0av01\0");
            file(&meta(&full(b"iinf", 0, &[&[0, 1][..], &kind.repeat(1_000_000)].concat())))
        }),
        (
            "4,294,967,295 places",
            file(&meta(&full(b"iloc", 2, &[&[0x44, 0, 0xFF, 0xFF, 0xFF, 0xFF][..], &[0; 3_000_000]].concat()))),
        ),
        ("4,294,967,295 owners of nothing", {
            let told = full(b"ipma", 0, &[&[0xFF; 4][..], &[0, 1, 0].repeat(5_000_000)].concat());
            file(&meta(&item_box(b"iprp", &told)))
        }),
        ("2,000,000 properties", file(&meta(&item_box(b"iprp", &item_box(b"ipco", &many(b"free", b"", 2_000_000)))))),
        ("2,000,000 references", file(&meta(&full(b"iref", 0, &many(b"dimg", &[0, 1, 0, 0], 2_000_000))))),
        ("a track of nothing", file(&item_box(b"moov", &many(b"trak", b"", 1_000_000)))),
        ("1,000,000 movies", file(&many(b"moov", b"", 1_000_000))),
        ("a box of no length", file(&[0, 0, 0, 0, b'm', b'e', b't', b'a'])),
        ("a box of 2^64 - 1", file(&[&[0, 0, 0, 1][..], b"meta", &[0xFF; 8]].concat())),
    ];
    Box::new(cases.into_iter().map(|(name, bytes)| Case::new("AVIF boxes", name, bytes)))
}
