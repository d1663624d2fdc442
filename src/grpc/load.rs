//! How many requests are worked on at the same time: so many that no one has to wait for long, with places that only some may take.
//!
//! A request takes a place until its answer, or its stream of answers, begins. When all are taken the next is refused at once.
//! Half of them are more than any one member may have, and health, the schema and operators' methods need none: a hub
//! that is flooded can be looked at, and whoever floods it can be suspended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::MemberId;

/// Requests worked on at the same time.
const PLACES: usize = 1_024;
/// Of one member.
const PLACES_OF_ONE: usize = PLACES / 2;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Overload {
    #[error("the hub has as many requests as it can work on: send it again in a moment")]
    Hub,
    #[error("this member has {PLACES_OF_ONE} requests on their way: wait for answers before sending more")]
    Member,
}

/// The places.
#[derive(Clone, Debug, Default)]
pub struct Load(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    members: HashMap<MemberId, usize>,
}

/// A place that is taken, until it is let go of.
#[derive(Debug)]
pub struct Place {
    load: Load,
    member: MemberId,
}

impl Load {
    /// A place for a request of `member`.
    ///
    /// # Errors
    /// [`Overload`] if there is none.
    pub fn enter(&self, member: MemberId) -> Result<Place, Overload> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= PLACES {
            return Err(Overload::Hub);
        }
        let own = taken.members.entry(member).or_default();
        if *own >= PLACES_OF_ONE {
            return Err(Overload::Member);
        }
        *own += 1;
        taken.all += 1;
        Ok(Place { load: self.clone(), member })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.load.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(own) = taken.members.get_mut(&self.member) {
            *own -= 1;
            if *own == 0 {
                taken.members.remove(&self.member);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_member_takes_half_of_the_places_and_all_members_all() {
        let load = Load::default();
        let [first, second, third] = [1, 2, 3].map(|n| MemberId::from_bytes([n; 5]));
        let mut places: Vec<_> = (0..PLACES_OF_ONE).map(|_| load.enter(first).unwrap()).collect();
        assert_eq!(load.enter(first).unwrap_err(), Overload::Member);
        places.extend((0..PLACES_OF_ONE).map(|_| load.enter(second).unwrap()));
        assert_eq!(load.enter(third).unwrap_err(), Overload::Hub);
        places.truncate(1);
        assert!(load.enter(third).is_ok() && load.enter(second).is_ok());
        drop(places);
        assert!(load.0.lock().unwrap().members.is_empty());
    }
}
