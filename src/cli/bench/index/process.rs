//! What the operating system says of this process: memory and processor time. `None` where it is not Linux.

use std::fs;
use std::time::Duration;

/// Ticks of `/proc/self/stat` a second: part of Linux's interface to programs, whatever the kernel itself counts in.
const TICKS_PER_S: u64 = 100;

/// Resident memory of the process beyond what it was at one moment, in bytes.
pub(super) struct Growth {
    base: Option<u64>,
}

impl Growth {
    /// Counts from now on.
    pub(super) fn start() -> Self {
        Self { base: status_bytes("VmRSS:") }
    }

    /// What there is now.
    pub(super) fn bytes(&self) -> Option<u64> {
        Some(status_bytes("VmRSS:")?.saturating_sub(self.base?))
    }

    /// Lets the peak be counted from now on and gives what there is now. `None` if the system cannot: then the peak would be
    /// of something else.
    pub(super) fn restart_peak(&self) -> Option<u64> {
        fs::write("/proc/self/clear_refs", "5").ok()?;
        self.bytes()
    }

    /// The most there was since the last [`restart_peak`](Self::restart_peak).
    pub(super) fn peak_bytes(&self) -> Option<u64> {
        Some(status_bytes("VmHWM:")?.saturating_sub(self.base?))
    }
}

/// In MiB, rounded.
pub(super) fn in_mib(bytes: u64) -> u64 {
    (bytes + (1 << 19)) >> 20
}

/// Processor time of all threads so far, to a hundredth of a second.
pub(super) fn processor_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the name in parentheses and may hold anything. User and system time are the 14th and the 15th.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS_PER_S))
}

fn status_bytes(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
}
