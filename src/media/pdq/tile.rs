//! Eight values side by side, and eight times eight.

/// Values in a register of 256 bits, sides of a tile.
pub(super) const EIGHT: usize = 8;

/// Eight values of lines that lie side by side, on which the same is done at once. Aligned as a register is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(32))]
pub(super) struct Eight(pub(super) [f32; EIGHT]);

impl Eight {
    pub(super) const ZERO: Self = Self([0.0; EIGHT]);
}

/// Eight steps of eight lines: `tile[step].0[line]`.
///
/// Where boxes slide along rows the lines are rows and the steps columns; where they slide along columns, the other way round.
pub(super) type Tile = [Eight; EIGHT];

/// Zeros.
pub(super) const EMPTY: Tile = [Eight::ZERO; EIGHT];
