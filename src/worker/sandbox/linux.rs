//! The walls on Linux, in the order in which they must be put up.

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::{Held, LockError, ProcessLimits, filter};

/// Look-ups come first where the processor is short.
const NICE: i32 = 5;
/// Everything that this version of Landlock knows is forbidden, as far as the kernel knows it, too.
const LANDLOCK: ABI = ABI::V9;

const NO_CAPABILITIES: CapabilitySets = CapabilitySets {
    effective: CapabilitySet::empty(),
    permitted: CapabilitySet::empty(),
    inheritable: CapabilitySet::empty(),
};

/// Makes the process one that comes last, dies with its parent and leaves nothing behind. What fails of that is no hole.
pub(in super::super) fn settle() {
    // Whatever ends the hub ends its workers, also in the middle of a file.
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    let _ = rustix::process::nice(NICE);
    // Where memory is short, the system ends a decoder rather than the hub.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    // No core with a picture in it. A limit of 0 would not do: a collector of cores is started all the same. After the
    // above, since the files of such a process belong to root.
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Limits that hold with and without a sandbox.
pub(in super::super) fn limit(limits: &ProcessLimits) -> Result<(), LockError> {
    limit_beside(limits, own_address_space())
}

fn limit_beside(limits: &ProcessLimits, own: Option<u64>) -> Result<(), LockError> {
    let set = |what, resource, soft, hard| {
        let limit = Rlimit { current: Some(soft), maximum: Some(hard) };
        rustix::process::setrlimit(resource, limit).map_err(|error| LockError::Limit { what, source: error.into() })
    };
    let both = |what, resource, max| set(what, resource, max, max);
    // Every page that it can write to counts as data, but for those shared with others and those of a stack. So its address
    // space has a limit, too, in which what it is made of does not count: a program of 60 MB would eat an eighth.
    if let Some(own) = own {
        both("address space", Resource::As, own.saturating_add(limits.memory_max))?;
    }
    both("memory", Resource::Data, limits.memory_max)?;
    // The soft limit says what happened, the hard one ends whoever does not listen.
    set("processor time", Resource::Cpu, limits.cpu_max_s, limits.cpu_max_s.saturating_add(1))?;
    both("file sizes", Resource::Fsize, 0)?;
    both("processes", Resource::Nproc, 0)?;
    both("cores", Resource::Core, 0)?;
    both("open files", Resource::Nofile, 0)
}

/// The process's address space as it is now, in bytes.
fn own_address_space() -> Option<u64> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').next()?.parse().ok()?;
    pages.checked_mul(rustix::param::page_size() as u64)
}

/// All of it. The limits come after Landlock, which needs a file descriptor for a moment, and the filter comes last.
pub(in super::super) fn lock(limits: &ProcessLimits) -> Result<Held, LockError> {
    // Landlock lets nobody read this any more.
    let own = own_address_space();
    // A hub that runs as root has no root among its workers.
    let privileges = |error: rustix::io::Errno| LockError::Limit { what: "privileges", source: error.into() };
    rustix::thread::set_no_new_privs(true).map_err(privileges)?;
    rustix::thread::set_capabilities(None, NO_CAPABILITIES).map_err(privileges)?;
    let landlock = forbid()?;
    limit_beside(limits, own)?;
    filter::install()?;
    Ok(Held { seccomp: true, landlock })
}

/// Forbids all that Landlock can forbid. `None` if the kernel has no Landlock.
pub(super) fn forbid() -> Result<Option<u32>, LockError> {
    let restrict = || -> Result<_, RulesetError> {
        Ruleset::default()
            .handle_access(AccessFs::from_all(LANDLOCK))?
            .handle_access(AccessNet::from_all(LANDLOCK))?
            .scope(Scope::from_all(LANDLOCK))?
            // No rule: nothing is allowed.
            .create()?
            .restrict_self()
    };
    let status = restrict().map_err(|error| LockError::Landlock(error.to_string()))?;
    match status.landlock {
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => Ok(None),
        LandlockStatus::Available { .. } if status.ruleset == RulesetStatus::NotEnforced => {
            Err(LockError::Landlock("it enforces nothing".to_owned()))
        }
        LandlockStatus::Available { effective_abi, .. } => Ok(Some(effective_abi as u32)),
    }
}
