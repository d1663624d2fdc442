//! Folders of small pictures, all different, and `hashcommons hash` run beside them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Ran, program};
use crate::site::PROVENANCE;

/// A directory to work in.
pub struct Desk(TempDir);

impl Desk {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Writes picture number `seed` of so many pixels a side.
    pub fn draw(&self, name: &str, seed: u32, side: u32) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        draw(&path, seed, side);
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    pub fn ran(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Starts [`export`], and waits until it has noted some files.
    pub fn begin(&self, folder: &str, out: &str) -> Child {
        let mut command = self.command(&export(folder, out));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let journal = self.path(&format!("{out}.files"));
        while std::fs::read(&journal).map_or(0, |bytes| bytes.split(|byte| *byte == b'\n').count()) < 3 {
            assert!(child.try_wait().unwrap().is_none(), "it ended before anything could interrupt it");
            std::thread::sleep(Duration::from_millis(2));
        }
        child
    }
}

/// Arguments that make a folder into a file for `import`.
pub fn export<'a>(folder: &'a str, out: &'a str) -> Vec<&'a str> {
    [&["hash", folder, "--out", out], &PROVENANCE[..]].concat()
}

/// Writes picture number `seed`: a few blocks in colours of its own, with enough in it to be shared.
pub fn draw(path: &Path, seed: u32, side: u32) {
    let level = |x: u32, y: u32| {
        let n = (x * 8 / side + 8 * (y * 8 / side) + seed * 64).wrapping_mul(2_654_435_761);
        let n = (n ^ n >> 15).wrapping_mul(2_246_822_519);
        ((n ^ n >> 13) % 256) as u8
    };
    let picture = image::RgbImage::from_fn(side, side, |x, y| image::Rgb([level(x, y); 3]));
    picture.save_with_format(path, image::ImageFormat::Png).unwrap();
}
