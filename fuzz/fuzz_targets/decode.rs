//! Any bytes as a file: decoded and hashed within tight limits.

#![no_main]

use hashcommons_fuzz::{check_file, checksums};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| check_file(bytes));

// A PNG decoder refuses a chunk with a wrong checksum before it looks into it, and a mutation leaves hardly any right.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let size = fuzzer_mutate(data, size, max_size);
    if !seed.is_multiple_of(8) {
        checksums::put_right(&mut data[..size]);
    }
    size
});
