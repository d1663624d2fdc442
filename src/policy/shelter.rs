//! Which numbers of a report are not shown, because they could single out a member or a platform.
//!
//! A number of 1 to 4 is shown as "less than 5". That is worth nothing if it can be computed from others: so more are hidden, until
//! each of them can be at least two numbers to whoever sees all the rest.

use super::Value;

/// Numbers that add up to something that is known.
pub type Table = Vec<u64>;

/// Fewer than so many are not shown.
const FEW: u64 = 5;

/// What is shown of a total and of the tables that divide it up.
///
/// A table's own sum is taken for known, as if nothing were counted twice.
pub fn shelter(total: u64, tables: &[Table]) -> (Value, Vec<Vec<Value>>) {
    let shown: Vec<_> = tables.iter().map(one).collect();
    if total == 0 || total >= FEW && shown.iter().all(Option::is_some) {
        return (Value::Count(total), shown.into_iter().flatten().collect());
    }
    // Whoever knew the total would know more: none of it is shown.
    let nothing = |count: &u64| match *count {
        0 => Value::Count(0),
        1..FEW => Value::Few,
        _ => Value::Hidden,
    };
    (nothing(&total), tables.iter().map(|table| table.iter().map(nothing).collect()).collect())
}

/// What is shown of one table; `None` if nothing of it can be while its sum is known.
fn one(table: &Table) -> Option<Vec<Value>> {
    let is_few = |count: u64| (1..FEW).contains(&count);
    let few = table.iter().filter(|count| is_few(**count)).count() as u64;
    let mut sum: u64 = table.iter().filter(|count| is_few(**count)).sum();
    // The smallest first: they tell least.
    let mut others: Vec<usize> = (0..table.len()).filter(|at| table[*at] >= FEW).collect();
    others.sort_by_key(|at| table[*at]);
    let mut hidden = Vec::new();
    let mut others = others.into_iter();
    // At least one, so that its being hidden tells nothing of the small ones.
    if few > 0 {
        loop {
            let next = others.next();
            if let Some(next) = next {
                sum = sum.saturating_add(table[next]);
                hidden.push(next);
            }
            match is_ambiguous(few, hidden.len() as u64, sum) {
                true => break,
                false if next.is_none() => return None,
                false => {}
            }
        }
    }
    let value = |(at, count): (usize, &u64)| match *count {
        count if is_few(count) => Value::Few,
        _ if hidden.contains(&at) => Value::Hidden,
        count => Value::Count(count),
    };
    Some(table.iter().enumerate().map(value).collect())
}

/// Whether each of `few` numbers of 1 to 4 can be at least two of these, where they and `hidden` numbers of 5 and more add up to `sum`.
fn is_ambiguous(few: u64, hidden: u64, sum: u64) -> bool {
    let can_be = |one: u64| {
        let Some(rest) = sum.checked_sub(one) else { return false };
        let least = few - 1 + hidden.saturating_mul(FEW);
        rest >= least && (hidden > 0 || rest <= (few - 1) * (FEW - 1))
    };
    (1..FEW).filter(|one| can_be(*one)).count() >= 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every table that would be shown in the same way and has the same sum.
    fn possible(shown: &[Value], sum: u64) -> Vec<Vec<u64>> {
        let mut tables = vec![vec![]];
        for value in shown {
            let range = match value {
                Value::Count(count) => *count..=*count,
                Value::Few => 1..=4,
                _ => 5..=sum,
            };
            tables = tables
                .into_iter()
                .flat_map(|table: Vec<u64>| range.clone().map(move |count| [&table[..], &[count]].concat()))
                .filter(|table| table.iter().sum::<u64>() <= sum)
                .collect();
        }
        tables.retain(|table| table.iter().sum::<u64>() == sum);
        tables
    }

    proptest! {
        #[test]
        fn a_small_number_cannot_be_computed_from_the_others(table in proptest::collection::vec(0..12_u64, 1..5)) {
            let sum = table.iter().sum();
            let (total, shown) = shelter(sum, std::slice::from_ref(&table));
            for (count, value) in table.iter().zip(&shown[0]) {
                match value {
                    Value::Count(shown) => prop_assert!(shown == count && !(1..5).contains(shown)),
                    Value::Few => prop_assert!((1..5).contains(count)),
                    _ => prop_assert!(*count >= 5),
                }
            }
            if total != Value::Count(sum) {
                prop_assert!(shown[0].iter().all(|value| !matches!(value, Value::Count(1..))));
                return Ok(());
            }
            let tables = possible(&shown[0], sum);
            prop_assert!(tables.contains(&table));
            for (at, _) in shown[0].iter().enumerate().filter(|(_, value)| **value == Value::Few) {
                let first = tables[0][at];
                prop_assert!(tables.iter().any(|other| other[at] != first), "{table:?} as {:?}", shown[0]);
            }
        }
    }

    #[test]
    fn numbers_that_single_nobody_out_are_shown() {
        use Value::{Count, Few, Hidden};
        let shown =
            |total, tables: &[&[u64]]| shelter(total, &tables.iter().map(|table| table.to_vec()).collect::<Vec<_>>());
        assert_eq!(shown(0, &[]), (Count(0), vec![]));
        assert_eq!(shown(12, &[&[7, 5]]), (Count(12), vec![vec![Count(7), Count(5)]]));
        assert_eq!(shown(17, &[&[8, 7, 2]]), (Count(17), vec![vec![Count(8), Hidden, Few]]), "the complement");
        assert_eq!(shown(13, &[&[8, 3, 2]]), (Count(13), vec![vec![Hidden, Few, Few]]));
        assert_eq!(shown(10, &[&[8, 1, 1]]), (Count(10), vec![vec![Hidden, Few, Few]]), "two that add up to 2");
        assert_eq!(shown(6, &[&[5, 1], &[6]]), (Hidden, vec![vec![Hidden, Few], vec![Hidden]]), "1 is all it could be");
        assert_eq!(shown(4, &[&[4]]), (Few, vec![vec![Few]]));
    }
}
