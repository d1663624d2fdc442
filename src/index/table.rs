//! Large arrays where the processor reaches them fastest.
//!
//! A search jumps about in hundreds of megabytes. With pages of 4 KiB nearly each jump also misses the processor's table of
//! pages; the operating system is asked for pages of 2 MiB instead, where it has them (on Linux: transparent huge pages,
//! unless set to "never"). What is dropped is given back at once.

use std::marker::PhantomData;
use std::mem;
use std::ops::{Deref, DerefMut};

use bytemuck::Pod;
use memmap2::MmapMut;

/// From this size on a table has pages of its own, which are given back when it is dropped: an allocator may keep them.
const MAPPED_BYTES_MIN: usize = 256 << 10;

/// From this size on, pages of 2 MiB waste little.
const HUGE_BYTES_MIN: usize = 4 << 20;

/// A fixed number of values, all zero at first.
pub(super) struct Table<T> {
    memory: Memory<T>,
}

enum Memory<T> {
    Heap(Box<[T]>),
    Mapped { pages: MmapMut, len: usize, values: PhantomData<T> },
}

impl<T: Pod> Table<T> {
    /// So many zeros.
    pub(super) fn zeroed(len: usize) -> Self {
        let mapped = mem::size_of::<T>().checked_mul(len).filter(|bytes| *bytes >= MAPPED_BYTES_MIN).and_then(mapped);
        let memory = match mapped {
            Some(pages) => Memory::Mapped { pages, len, values: PhantomData },
            None => Memory::Heap(vec![T::zeroed(); len].into_boxed_slice()),
        };
        Self { memory }
    }
}

/// Pages of the operating system, huge ones for much memory if it has them. `None` if it has no memory to map.
fn mapped(bytes: usize) -> Option<MmapMut> {
    let pages = MmapMut::map_anon(bytes).ok()?;
    #[cfg(target_os = "linux")]
    if bytes >= HUGE_BYTES_MIN {
        // Without them it is slower, and nothing else.
        let _ = pages.advise(memmap2::Advice::HugePage);
    }
    Some(pages)
}

impl<T: Pod> Deref for Table<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.memory {
            Memory::Heap(values) => values,
            Memory::Mapped { pages, len, .. } => bytemuck::cast_slice(&pages[..len * mem::size_of::<T>()]),
        }
    }
}

impl<T: Pod> DerefMut for Table<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.memory {
            Memory::Heap(values) => values,
            Memory::Mapped { pages, len, .. } => bytemuck::cast_slice_mut(&mut pages[..*len * mem::size_of::<T>()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_any_size_is_zeros_until_written() {
        for len in [
            0,
            1,
            1000,
            (MAPPED_BYTES_MIN - 1) / 4,
            MAPPED_BYTES_MIN / 4,
            MAPPED_BYTES_MIN / 4 + 12_345,
            HUGE_BYTES_MIN,
        ] {
            let mut table = Table::<[u8; 3]>::zeroed(len);
            assert_eq!((table.len(), table.iter().all(|value| *value == [0; 3])), (len, true));
            if let Some(last) = table.last_mut() {
                *last = [1, 2, 3];
            }
            assert_eq!(table.iter().filter(|value| **value == [1, 2, 3]).count(), len.min(1));
            let mut table = Table::<u64>::zeroed(len);
            table.iter_mut().enumerate().for_each(|(nth, value)| *value = nth as u64);
            assert!(table.iter().enumerate().all(|(nth, value)| *value == nth as u64));
        }
    }
}
