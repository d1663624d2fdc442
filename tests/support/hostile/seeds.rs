//! The valid pictures that damaged ones are made of.

use std::path::Path;

/// A small valid picture.
pub struct Seed {
    /// Its file's name in `tests/fixtures/media/tiny`.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Every tiny picture, by name.
pub fn seeds() -> Vec<Seed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/media/tiny");
    let mut seeds: Vec<Seed> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| Seed {
            name: entry.file_name().into_string().unwrap(),
            bytes: std::fs::read(entry.path()).unwrap(),
        })
        .collect();
    seeds.sort_by(|a, b| a.name.cmp(&b.name));
    seeds
}

/// The one called `name`.
pub fn seed(name: &str) -> Vec<u8> {
    seeds().into_iter().find(|seed| seed.name == name).unwrap_or_else(|| panic!("there is no {name}")).bytes
}
