//! Shares, how sure they are, and medians.

/// `part` of `all`, rounded to the nearest. `all` is not 0.
pub fn basis_points(part: u64, all: u64) -> u32 {
    ((u128::from(part) * 20_000 + u128::from(all)) / (2 * u128::from(all))) as u32
}

/// Between which shares of 95 % confidence the true one is (Wilson 1927), in basis points, rounded outwards.
pub fn wilson(part: u64, all: u64) -> [u32; 2] {
    if all == 0 {
        return [0, 10_000];
    }
    const Z: f64 = 1.959_964;
    let (n, share) = (all as f64, part as f64 / all as f64);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let bound = |sign: f64| (share + Z * Z / (2.0 * n) + sign * spread) / (1.0 + Z * Z / n) * 10_000.0;
    // At the ends the interval touches them; floating point nearly does.
    let low = if part == 0 { 0 } else { bound(-1.0).floor() as u32 };
    let high = if part == all { 10_000 } else { bound(1.0).ceil() as u32 };
    [low, high.min(10_000)]
}

/// Of sorted numbers; of an even count the mean of the two in the middle, rounded down.
pub fn median(sorted: &[u64]) -> u64 {
    match (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2)) {
        (Some(low), Some(high)) => low + (high - low) / 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_medians_and_shares_are_those_of_the_textbook() {
        // Newcombe 1998, table I, where bounds are rounded to the nearest; here outwards.
        for (part, all, low, high) in
            [(81, 263, 2_553, 3_662), (15, 148, 624, 1_605), (0, 20, 0, 1_611), (29, 29, 8_830, 10_000)]
        {
            let [below, above] = wilson(part, all);
            assert!(
                (low - 1..=low).contains(&(below as i32)) && (high..=high + 1).contains(&(above as i32)),
                "{part} of {all}"
            );
        }
        assert_eq!([median(&[]), median(&[7]), median(&[1, 4]), median(&[1, 5, 9])], [0, 7, 2, 5]);
        assert_eq!([basis_points(1, 3), basis_points(2, 3), basis_points(1, 1)], [3_333, 6_667, 10_000]);
    }
}
