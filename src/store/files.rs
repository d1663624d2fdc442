//! Small files beside the database: secrets that only the hub's user may read.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Begins the name of a file that is being written.
pub(super) const PARTIAL_PREFIX: &str = ".partial-";

/// Writes a file that must not exist yet, readable by its owner alone, whole or not at all, and makes it last.
///
/// # Errors
/// The file exists or cannot be written.
pub fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    write_new(path, text, 0o600)
}

/// The same for a file that all may read.
///
/// # Errors
/// The file exists or cannot be written.
pub fn write_public(path: &Path, text: &str) -> io::Result<()> {
    write_new(path, text, 0o644)
}

fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let folder = folder(path);
    // A name that nobody can have made before, and a last step that replaces nothing.
    let mut file = tempfile::Builder::new().prefix(PARTIAL_PREFIX).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    #[cfg(unix)]
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    File::open(folder)?.sync_all()
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

/// The folder of `path`: that of a bare name is the present one, whose name is not "".
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
