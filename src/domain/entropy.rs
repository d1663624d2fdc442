//! Randomness. Who needs it takes an [`Entropy`], so that tests can repeat themselves.

use std::fmt;
use std::sync::Mutex;

use rand::rngs::StdRng;
#[expect(clippy::disallowed_types, reason = "this is where everybody else gets it from")]
use rand::rngs::SysRng;
use rand::{Rng, SeedableRng, TryRng};

/// Gives random bytes.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`EntropyError`] if there is none to be had: then nothing that needs it may happen.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system gives no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct EntropyError;

impl dyn Entropy + '_ {
    /// `N` random bytes.
    ///
    /// # Errors
    /// [`EntropyError`] as [`Entropy::fill`].
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], EntropyError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        SysRng.try_fill_bytes(bytes).map_err(|_| EntropyError)
    }
}

/// The same bytes for the same seed: for tests, never for a hub that anybody uses.
pub struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    /// A generator that begins at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededEntropy")
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().map_err(|_| EntropyError)?.fill_bytes(bytes);
        Ok(())
    }
}
