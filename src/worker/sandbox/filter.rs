//! The system calls that are left to a decoder. Any other ends the process at once, whatever thread makes it.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use super::LockError;

/// Lets the calling thread make no system call but those below, for ever.
pub(super) fn install() -> Result<(), LockError> {
    let own = u64::from(std::process::id());
    let program = program(own).map_err(|error| LockError::Seccomp(error.to_string()))?;
    seccompiler::apply_filter(&program).map_err(|error| LockError::Seccomp(error.to_string()))
}

/// The filter for the process with this id, compiled.
pub(super) fn program(own: u64) -> Result<BpfProgram, BackendError> {
    let filter = SeccompFilter::new(
        allowed(own)?,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?;
    filter.try_into()
}

/// System calls and what their arguments must be like; an empty list: anything.
fn allowed(own: u64) -> Result<BTreeMap<c_long, Vec<SeccompRule>>, BackendError> {
    let equal =
        |argument, value: u64| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
    let without =
        |argument, bits: u64| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bits), 0);
    let with = |argument, bits: u64| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bits), bits)
    };
    let any_of = |argument, values: &[u64]| {
        values.iter().map(|value| SeccompRule::new(vec![equal(argument, *value)?])).collect::<Result<Vec<_>, _>>()
    };
    let exec = libc::PROT_EXEC as u64;
    let anonymous = libc::MAP_ANONYMOUS as u64;
    let sent_to_itself = |signal: i32| SeccompRule::new(vec![equal(0, own)?, equal(2, signal as u64)?]);
    let faults: Vec<u64> = [libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT].iter().map(|signal| *signal as u64).collect();
    Ok(BTreeMap::from([
        // The pipes to the parent, and nothing else that may be open.
        (libc::SYS_read, any_of(0, &[0])?),
        (libc::SYS_write, any_of(0, &[1, 2])?),
        // Memory: of no file, and not to be executed.
        (libc::SYS_brk, vec![]),
        (libc::SYS_mmap, vec![SeccompRule::new(vec![without(2, exec)?, with(3, anonymous)?])?]),
        (libc::SYS_mprotect, vec![SeccompRule::new(vec![without(2, exec)?])?]),
        (libc::SYS_mremap, vec![]),
        (libc::SYS_munmap, vec![]),
        (libc::SYS_madvise, vec![]),
        // The seeds of hash maps; a clock, where the kernel does not give it without a call.
        (libc::SYS_getrandom, vec![]),
        (libc::SYS_clock_gettime, vec![]),
        // Waking threads that wait for a lock: there are none, but one who unlocks cannot know that.
        (libc::SYS_futex, any_of(1, &[(libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as u64])?),
        // Saying how it ended: a panic, no memory left, a stack that overflowed.
        (libc::SYS_rt_sigaction, any_of(0, &faults)?),
        (libc::SYS_rt_sigprocmask, vec![]),
        (libc::SYS_rt_sigreturn, vec![]),
        (libc::SYS_sigaltstack, vec![]),
        (libc::SYS_getpid, vec![]),
        (libc::SYS_gettid, vec![]),
        (libc::SYS_tgkill, vec![sent_to_itself(libc::SIGABRT)?]),
        (libc::SYS_exit, vec![]),
        (libc::SYS_exit_group, vec![]),
    ]))
}
