//! The kinds of refusals that a file can be given. The fuzz targets use this file, too.

/// Whatever is wrong with a file is one of these.
pub const OF_FILES: [&str; 10] = [
    "empty",
    "too-many-bytes",
    "unknown-format",
    "side-too-long",
    "too-many-pixels",
    "too-much-memory",
    "too-much-work",
    "unsupported",
    "damaged",
    "too-small",
];
