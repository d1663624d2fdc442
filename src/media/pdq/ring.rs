//! The values that are in a sliding box, eight steps at a time.

use super::tile::{EIGHT, Eight, Tile};

/// Where the boxes of one direction stand in their rings. All of them move together.
///
/// A ring has a place for as many values as the box holds, rounded up to eights: what leaves at a step is `offset` places
/// behind the place of what enters. Behind the last place is a copy of the first eight, so that any eight that enter and
/// the eight that leave are within one slice of sixteen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    /// Places, a multiple of eight.
    places: usize,
    offset: usize,
    /// Where the next eight enter.
    at: usize,
}

impl Ring {
    /// For boxes of `window` values, at least 1.
    pub(super) fn new(window: usize) -> Self {
        let places = window.next_multiple_of(EIGHT);
        Self { places, offset: places - window, at: 0 }
    }

    /// Values in the memory of one ring. It begins with zeros: nothing has entered.
    pub(super) fn len(self) -> usize {
        self.places + EIGHT
    }

    /// How far behind what enters is what leaves: 0 to 7.
    pub(super) fn offset(self) -> usize {
        self.offset
    }

    /// The part of `ring` where the next eight steps take place: what enters at step `i` belongs at `i`, what leaves is until
    /// then at `i + offset`. `entering` is what will enter.
    #[inline(always)]
    #[expect(clippy::expect_used, reason = "a ring has eight values behind the last place")]
    pub(super) fn open<'a>(self, ring: &'a mut [Eight], entering: &Tile) -> &'a mut [Eight; 2 * EIGHT] {
        if self.at == 0 {
            // The copy. In a box of less than eight, what enters at one of these steps leaves at another: it is found here.
            let copy = ring.last_chunk_mut().expect("a ring of `len` values");
            *copy = *entering;
        }
        ring[self.at..].first_chunk_mut().expect("a ring of `len` values")
    }

    /// Eight steps on.
    pub(super) fn advance(&mut self) {
        self.at += EIGHT;
        if self.at == self.places {
            self.at = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_entered_a_window_ago_leaves() {
        for window in 1..=40 {
            let mut ring = Ring::new(window);
            let mut values = vec![Eight::ZERO; ring.len()];
            for first in (0..200).step_by(EIGHT) {
                let entering: Tile = std::array::from_fn(|i| Eight([(first + i) as f32; EIGHT]));
                let places = ring.open(&mut values, &entering);
                for (i, entered) in entering.iter().enumerate() {
                    let step = first + i;
                    let expected = step.saturating_sub(window) as f32;
                    assert_eq!(places[i + ring.offset()].0, [expected; EIGHT], "window {window}, step {step}");
                    places[i] = *entered;
                }
                ring.advance();
            }
        }
    }
}
