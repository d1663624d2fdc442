//! Places that all share and nobody takes all of: one member has at most half.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::MemberId;

/// So many places.
#[derive(Clone, Debug)]
pub struct Places {
    all: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    members: HashMap<MemberId, usize>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// All are taken.
    ForAll,
    /// The member has half of them.
    ForOne,
}

/// Places that a member has, until they are let go of.
#[derive(Debug)]
pub struct Held {
    places: Places,
    member: MemberId,
    count: usize,
}

impl Places {
    /// So many, all free.
    pub fn new(all: usize) -> Self {
        Self { all, taken: Arc::default() }
    }

    /// The most that one member may have.
    pub fn of_one(&self) -> usize {
        self.all.div_ceil(2)
    }

    /// So many places for `member`, all of them or none.
    ///
    /// # Errors
    /// [`Full`].
    pub fn take(&self, member: MemberId, count: usize) -> Result<Held, Full> {
        let mut held = Held { places: self.clone(), member, count: 0 };
        held.take(count)?;
        Ok(held)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Numbers: no code that can panic runs while it is locked.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// How many.
    pub fn count(&self) -> usize {
        self.count
    }

    /// So many more, all of them or none.
    ///
    /// # Errors
    /// [`Full`].
    pub fn take(&mut self, more: usize) -> Result<(), Full> {
        let mut taken = self.places.taken();
        if taken.all.saturating_add(more) > self.places.all {
            return Err(Full::ForAll);
        }
        let own = taken.members.entry(self.member).or_default();
        if own.saturating_add(more) > self.places.of_one() {
            return Err(Full::ForOne);
        }
        *own += more;
        taken.all += more;
        self.count += more;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= self.count;
        if let Some(own) = taken.members.get_mut(&self.member) {
            *own -= self.count;
            if *own == 0 {
                taken.members.remove(&self.member);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBERS: [MemberId; 3] =
        [MemberId::from_bytes([1; 5]), MemberId::from_bytes([2; 5]), MemberId::from_bytes([3; 5])];

    #[test]
    fn one_member_takes_half_of_the_places_and_all_members_all() {
        let places = Places::new(5);
        let [first, second, third] = MEMBERS;
        let mut held: Vec<_> = (0..3).map(|_| places.take(first, 1).unwrap()).collect();
        assert_eq!(places.take(first, 1).unwrap_err(), Full::ForOne);
        held.push(places.take(second, 2).unwrap());
        assert_eq!(places.take(third, 1).unwrap_err(), Full::ForAll);
        held.truncate(1);
        assert!(places.take(third, 3).is_ok() && places.take(second, 3).is_ok());
        drop(held);
        assert!(places.taken().members.is_empty() && places.taken().all == 0);
    }

    #[test]
    fn what_is_refused_takes_nothing() {
        let places = Places::new(10);
        let [first, second, _] = MEMBERS;
        let mut held = places.take(first, 4).unwrap();
        assert_eq!(held.take(2), Err(Full::ForOne));
        assert_eq!(held.take(usize::MAX), Err(Full::ForAll));
        assert_eq!((held.count(), held.take(1), held.count()), (4, Ok(()), 5));
        assert!(places.take(second, 5).is_ok());
    }
}
