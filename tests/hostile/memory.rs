//! How much memory this process holds, from the kernel's own account (Linux; elsewhere nothing is known).

use std::fs;

/// Bytes in memory now.
pub fn resident() -> Option<u64> {
    status("VmRSS:")
}

/// The most bytes that were in memory at a time since [`forget_peak`].
pub fn peak() -> Option<u64> {
    status("VmHWM:")
}

/// Begins to measure the peak anew.
pub fn forget_peak() {
    // 5 resets the peak (proc(5)). Where it cannot be reset, it is what it was before.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn status(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}
