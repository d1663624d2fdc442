//! Small files beside the database: secrets that only the hub's user may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Ends the name of a file that is being written. What an interruption leaves of one is overwritten by the next attempt.
pub(super) const PARTIAL_ENDING: &str = ".partial";

/// Writes a file that must not exist yet, readable by its owner alone, whole or not at all, and makes it last.
///
/// # Errors
/// The file exists or cannot be written.
pub fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    if path.try_exists()? {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it exists already"));
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(PARTIAL_ENDING);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    sync_folder(path)
}

/// Reads a secret's text, without the line end.
///
/// # Errors
/// It cannot be read, or others than its owner may read it.
pub fn read_secret(path: &Path) -> io::Result<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path)?.permissions().mode();
        if mode & 0o077 != 0 {
            let problem = format!("others may read it (mode {:o}): run `chmod 600` on it", mode & 0o777);
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
        }
    }
    Ok(fs::read_to_string(path)?.trim_end().to_owned())
}

/// Makes the creation of `path` itself last.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        // A bare file name is in the present folder, whose name is not "".
        Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
