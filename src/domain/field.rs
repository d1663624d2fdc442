//! A field that is not as it must be: where it is and what is allowed there.

use std::fmt;

/// One bad field of a request, a file line or a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Where, as in `signals[2].value`.
    pub path: String,
    /// What is allowed and what was found instead, as in `must be 64 hex digits, got 63`.
    pub problem: String,
}

impl FieldError {
    /// A problem at `path`.
    pub fn new(path: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self { path: path.into(), problem: problem.to_string() }
    }

    /// The same problem inside a larger thing: `value` within `signals[2]` is `signals[2].value`.
    pub fn within(mut self, outer: impl fmt::Display) -> Self {
        self.path = if self.path.is_empty() { outer.to_string() } else { format!("{outer}.{}", self.path) };
        self
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl std::error::Error for FieldError {}

/// Attaches the path to an error that only knows what is wrong.
pub trait At<T> {
    /// `Err(problem)` becomes the [`FieldError`] at `path`.
    fn at(self, path: impl Into<String>) -> Result<T, FieldError>;
}

impl<T, E: fmt::Display> At<T> for Result<T, E> {
    fn at(self, path: impl Into<String>) -> Result<T, FieldError> {
        self.map_err(|problem| FieldError::new(path, problem))
    }
}
