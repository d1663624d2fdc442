//! Signals.

use super::codes::Coded;
use super::v1;
use crate::domain::{At, FieldError, Signal, SignalKind};

/// Reads one signal.
///
/// # Errors
/// The field that is not as it must be: `kind`, `value` or `quality`.
pub fn signal_from_wire(signal: &v1::Signal) -> Result<Signal, FieldError> {
    let kind = SignalKind::from_wire(signal.kind, "kind")?;
    Signal::from_hex(kind, &signal.value).at("value")?.rated(signal.quality).at("quality")
}

/// Reads several signals; errors name the place, as in `signals[2].value`.
///
/// # Errors
/// The first field that is not as it must be.
pub fn signals_from_wire(signals: &[v1::Signal], path: &str) -> Result<Vec<Signal>, FieldError> {
    let read = |(at, signal)| signal_from_wire(signal).map_err(|error| error.within(format_args!("{path}[{at}]")));
    signals.iter().enumerate().map(read).collect()
}

/// Writes one signal.
pub fn signal_to_wire(signal: &Signal) -> v1::Signal {
    v1::Signal {
        kind: signal.kind().to_wire(),
        value: signal.hex(),
        quality: signal.quality().map(|quality| u32::from(quality.percent())),
    }
}
