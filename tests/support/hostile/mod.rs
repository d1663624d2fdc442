//! Files that mean harm: some tens of thousands, the same in every run, made when they are asked for.
//!
//! Two sorts. *Damaged* files are small, valid pictures in which something was changed: cut short, bits flipped, lengths lied
//! about, pieces lost, repeated or moved. *Crafted* files are written from nothing to cost more than their own length: sides
//! that no memory holds, data that unpacks a thousandfold, scans, frames or segments without number; and what is no picture
//! at all. Every name begins with its family, so that figures and failures can be told by it.
//!
//! Nothing here knows what the decoder answers; that is for the tests.

mod avif;
mod bmp;
mod bytes;
mod checksums;
mod damage;
mod exif;
mod foreign;
mod gif;
mod jpeg;
pub mod kinds;
mod pieces;
mod png;
mod seeds;
mod tiff;
mod webp;

pub use seeds::{Seed, seeds};

/// A file, and what was done to it.
pub struct Case {
    /// `family: what exactly`.
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Case {
    fn new(family: &str, what: impl std::fmt::Display, bytes: Vec<u8>) -> Self {
        Self { name: format!("{family}: {what}"), bytes }
    }

    /// What was done, in one or two words.
    pub fn family(&self) -> &str {
        self.name.split(':').next().unwrap_or_default()
    }
}

type Cases = Box<dyn Iterator<Item = Case> + Send>;

/// Every file, damaged ones first.
pub fn cases() -> impl Iterator<Item = Case> + Send {
    damaged().chain(crafted())
}

/// Small pictures with something changed.
pub fn damaged() -> impl Iterator<Item = Case> + Send {
    seeds()
        .into_iter()
        .flat_map(|seed| damage::of(&seed).chain(pieces::of(&seed)).collect::<Vec<_>>())
        .chain(exif::all())
}

/// Files written to cost more than their length.
pub fn crafted() -> impl Iterator<Item = Case> + Send {
    jpeg::all()
        .chain(png::all())
        .chain(gif::all())
        .chain(webp::all())
        .chain(bmp::all())
        .chain(tiff::all())
        .chain(avif::all())
        .chain(foreign::all())
}
