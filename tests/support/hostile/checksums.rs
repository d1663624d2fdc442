//! The checksums of a PNG's chunks. The fuzz targets use this file, too.

use flate2::Crc;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The checksum of a chunk: over its kind and its content.
pub fn checksum(kind: &[u8], content: &[u8]) -> [u8; 4] {
    let mut sum = Crc::new();
    sum.update(kind);
    sum.update(content);
    sum.sum().to_be_bytes()
}

/// Puts the checksum of each whole chunk right. Leaves alone what is no PNG.
pub fn put_right(bytes: &mut [u8]) {
    if !bytes.starts_with(SIGNATURE) {
        return;
    }
    let mut rest = &mut bytes[SIGNATURE.len()..];
    while let Some((length, after)) = std::mem::take(&mut rest).split_first_chunk_mut() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((summed, after)) = after.split_at_mut_checked(4 + length) else { return };
        let Some((sum, after)) = after.split_first_chunk_mut() else { return };
        *sum = checksum(&summed[..4], &summed[4..]);
        rest = after;
    }
}
