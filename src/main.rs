//! The `hashcommons` program. Everything is in the library; this starts its command line.

/// Gives memory back that connections used, with threads of its own. Not for the library: its tests run under AddressSanitizer,
/// which needs the allocator to itself. How a media worker uses it: `worker/process.rs`.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    hashcommons::cli::run()
}
