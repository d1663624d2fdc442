//! The index as a whole: equal to the scan after any sequence of changes, and while they happen.

mod concurrent;
mod equal_to_the_scan;
mod large;
mod merging;
