//! A hub's first start: its secrets, its name, its first operator. And every later start: its secrets found again.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::domain::{
    Actor, Entropy, EntropyError, Event, Fact, FieldError, Jurisdiction, Key, KeyId, Member, MemberId, Name, Role,
    Roles, Timestamp, base32_lower,
};
use crate::ledger::{KeyError, SigningKey, VerifierKey};
use crate::policy::{ApiKey, MacSecret};
use crate::store::{read_secret, write_public, write_secret};

const LEDGER_KEY_FILE: &str = "ledger.key";
const LEDGER_PUBLIC_FILE: &str = "ledger.pub";
const API_KEYS_FILE: &str = "api-keys.secret";
/// Where the first operator's key is put at the first start.
pub const ADMIN_KEY_FILE: &str = "admin.key";
/// And that of a second person: it takes two to make a member a contributor.
pub const SECOND_ADMIN_KEY_FILE: &str = "admin-2.key";

/// What a hub must keep to itself.
pub struct Secrets {
    pub ledger: SigningKey,
    pub api_keys: MacSecret,
}

/// Why the secrets are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    /// The ledger has events, but this file is gone.
    #[error("{} is missing, and the hub cannot go on without it: restore it from your backup", .path.display())]
    Missing { path: PathBuf },
    /// A file does not hold what it must.
    #[error("{} does not hold what the hub wrote there: {problem}", .path.display())]
    Damaged { path: PathBuf, problem: String },
    /// The ledger's name is not one.
    #[error("{0}")]
    Origin(#[from] FieldError),
    /// No randomness to make them of.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// Whether a ledger was begun in `directory`.
pub fn has_ledger_key(directory: &Path) -> bool {
    directory.join(LEDGER_KEY_FILE).exists()
}

/// Whether `directory` has had a ledger: its public key is put there when the first events are.
///
/// # Errors
/// [`SecretsError`] if that cannot be told.
pub fn has_public_key(directory: &Path) -> Result<bool, SecretsError> {
    exists(&directory.join(LEDGER_PUBLIC_FILE))
}

/// Puts the ledger's public key into its file, if it is not there.
///
/// # Errors
/// [`SecretsError`] if it cannot be written.
pub fn publish_key(directory: &Path, key: &VerifierKey) -> Result<(), SecretsError> {
    let path = directory.join(LEDGER_PUBLIC_FILE);
    if exists(&path)? {
        return Ok(());
    }
    write_public(&path, &format!("{key}\n")).map_err(|source| SecretsError::File { path, source })
}

/// Makes the secrets of a new hub. Files that an interrupted first start left behind are used, not replaced.
///
/// # Errors
/// [`SecretsError`].
pub fn create_secrets(directory: &Path, origin: Option<&str>, entropy: &dyn Entropy) -> Result<Secrets, SecretsError> {
    let ledger = directory.join(LEDGER_KEY_FILE);
    if !exists(&ledger)? {
        let random = base32_lower(&entropy.bytes::<5>()?);
        let origin = origin.map_or_else(|| format!("hashcommons.local/{random}"), str::to_owned);
        let secret = Zeroizing::new(entropy.bytes::<32>()?);
        let key = SigningKey::from_secret(&origin, &secret).map_err(|error| FieldError::new("origin", error))?;
        write(&ledger, &key.to_private_text())?;
    }
    let api_keys = directory.join(API_KEYS_FILE);
    if !exists(&api_keys)? {
        let secret = Zeroizing::new(entropy.bytes::<32>()?);
        write(&api_keys, &data_encoding::BASE64.encode(secret.as_slice()))?;
    }
    load_secrets(directory)
}

/// Reads the secrets of a hub that has been founded.
///
/// # Errors
/// [`SecretsError`].
pub fn load_secrets(directory: &Path) -> Result<Secrets, SecretsError> {
    let path = directory.join(LEDGER_KEY_FILE);
    let text = read(&path)?;
    let ledger = SigningKey::from_str(&text)
        .map_err(|error: KeyError| SecretsError::Damaged { path, problem: error.to_string() })?;
    let path = directory.join(API_KEYS_FILE);
    let text = read(&path)?;
    let bytes = data_encoding::BASE64.decode(text.as_bytes()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let problem = "must be 32 bytes in base64".to_owned();
    let api_keys = MacSecret::new(bytes.ok_or(SecretsError::Damaged { path, problem })?);
    Ok(Secrets { ledger, api_keys })
}

/// The events that begin a ledger: the operator as a member, and its two keys, each of which is put into a file.
///
/// # Errors
/// [`SecretsError`].
pub fn first_events(
    directory: &Path,
    secret: &MacSecret,
    entropy: &dyn Entropy,
    at: Timestamp,
) -> Result<[Event; 3], SecretsError> {
    let id = MemberId::from_bytes(entropy.bytes()?);
    // ISO 3166's user-assigned code for "unknown or unspecified": the hub's own seat is not its to guess.
    let jurisdiction = constant::<Jurisdiction>("ZZ")?;
    let operator = Member {
        duties: Roles::from([Role::Admin]),
        ..Member::new(id, constant::<Name>("Operator")?, jurisdiction, at)
    };
    let key = |file, label| {
        let text = ApiKey::new(KeyId::from_bytes(entropy.bytes()?), entropy.bytes()?);
        write_key(&directory.join(file), &text)?;
        let label = Some(constant::<Name>(label)?);
        Ok::<_, SecretsError>(Key { label, ..Key::new(text.id(), id, operator.roles(), secret.credential(&text), at) })
    };
    let keys = [key(ADMIN_KEY_FILE, "first start")?, key(SECOND_ADMIN_KEY_FILE, "first start, second person")?];
    let [first, second] = keys.map(Fact::KeyIssued);
    Ok([Fact::MemberEnrolled(operator), first, second].map(|fact| Event { at, by: Actor::Hub, request: None, fact }))
}

fn write_key(path: &Path, key: &ApiKey) -> Result<(), SecretsError> {
    // A key left by a first start that was interrupted before it was recorded opens nothing.
    if exists(path)? {
        std::fs::remove_file(path).map_err(|source| SecretsError::File { path: path.to_owned(), source })?;
    }
    write(path, key.reveal())
}

fn constant<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, SecretsError> {
    text.parse().map_err(|error| FieldError::new("founding", error).into())
}

fn exists(path: &Path) -> Result<bool, SecretsError> {
    path.try_exists().map_err(|source| SecretsError::File { path: path.to_owned(), source })
}

fn write(path: &Path, text: &str) -> Result<(), SecretsError> {
    let line = Zeroizing::new(format!("{text}\n"));
    write_secret(path, &line).map_err(|source| SecretsError::File { path: path.to_owned(), source })
}

fn read(path: &Path) -> Result<Zeroizing<String>, SecretsError> {
    match read_secret(path) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SecretsError::Missing { path: path.to_owned() }),
        Err(source) => Err(SecretsError::File { path: path.to_owned(), source }),
    }
}
