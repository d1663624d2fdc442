//! What is named on the command line, and what is in the folders among it.
//!
//! Invariant: the order depends on names alone. Nothing here is opened but folders.

use std::fs::{self, FileType};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::hasher::Refusal;

/// One file, or something else that stands where a file might.
#[derive(Debug)]
pub(super) struct Found {
    pub path: PathBuf,
    /// Named on the command line itself: then that it is a picture was to be expected.
    pub named: bool,
    /// Why there is nothing to read.
    pub refusal: Option<Refusal>,
}

/// Everything but folders at and below `paths`: path by path, a folder's contents by name, those of its folders in their place.
///
/// A link that is named is followed, a link in a folder is not: so there are no loops, and nothing outside is read.
pub(super) fn walk(paths: &[PathBuf]) -> impl Iterator<Item = Found> {
    paths.iter().flat_map(|path| match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => Either::Folder(WalkDir::new(path).min_depth(1).sort_by_file_name().into_iter()),
        Ok(facts) => Either::File(Some(named(path, refusal(facts.file_type())))),
        Err(error) => Either::File(Some(named(path, Some(error.into())))),
    })
}

/// What a named path stands for.
enum Either {
    File(Option<Found>),
    Folder(walkdir::IntoIter),
}

impl Iterator for Either {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        match self {
            Self::File(found) => found.take(),
            Self::Folder(entries) => entries.find_map(inside),
        }
    }
}

fn named(path: &Path, refusal: Option<Refusal>) -> Found {
    Found { path: path.to_owned(), named: true, refusal }
}

/// An entry of a folder; none if it is a folder, whose entries come by themselves.
fn inside(entry: walkdir::Result<DirEntry>) -> Option<Found> {
    match entry {
        Ok(entry) if entry.file_type().is_dir() => None,
        Ok(entry) => {
            let refusal = refusal(entry.file_type());
            Some(Found { path: entry.into_path(), named: false, refusal })
        }
        // A folder that cannot be read, or whose entry vanished while it was.
        Err(error) => Some(Found {
            path: error.path().unwrap_or(Path::new("")).to_owned(),
            named: error.depth() == 0,
            refusal: Some(std::io::Error::from(error).into()),
        }),
    }
}

fn refusal(kind: FileType) -> Option<Refusal> {
    if kind.is_file() {
        None
    } else if kind.is_symlink() {
        Some(Refusal::Link)
    } else {
        Some(Refusal::Special)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_paths_and_files_stand_among_folders() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["a/z.png", "a-b.png", "a.png", "b/1/2/3", "b/1.png", ".hidden/x", "Z"];
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found: Vec<_> = walk(&[folder.path().to_owned()]).map(|found| found.path).collect();
        let mut sorted: Vec<_> = names.iter().map(|name| folder.path().join(name)).collect();
        sorted.sort();
        assert_eq!(found, sorted);
    }
}
