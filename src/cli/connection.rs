//! Which hub, with which key: from flags, the environment or a profile file, in this order.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::client::{Client, TlsOptions};
use crate::domain::KeyId;
use crate::policy::ApiKey;

const HUB_DEFAULT: &str = "http://127.0.0.1:7420";

/// Flags of every command that talks to a hub.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Hub")]
pub struct HubArgs {
    /// The hub's address [default: the profile's, or http://127.0.0.1:7420]
    #[arg(long, env = "HASHCOMMONS_HUB", value_name = "URL")]
    hub: Option<String>,

    /// File with the API key; it should be readable by you alone [env: HASHCOMMONS_KEY_FILE]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// The API key itself; prefer --key-file: other users can see the arguments of running commands [env: HASHCOMMONS_KEY]
    #[arg(long, value_name = "KEY", conflicts_with = "key_file")]
    key: Option<String>,

    /// PEM file with the authority that signed the hub's certificate
    #[arg(long, env = "HASHCOMMONS_CA_CERT", value_name = "FILE")]
    ca_cert: Option<PathBuf>,

    /// PEM file with a certificate to show the hub, if it asks for one
    #[arg(long, env = "HASHCOMMONS_CLIENT_CERT", value_name = "FILE")]
    client_cert: Option<PathBuf>,

    /// PEM file with the private key of that certificate
    #[arg(long, env = "HASHCOMMONS_CLIENT_KEY", value_name = "FILE")]
    client_key: Option<PathBuf>,

    /// Profile file with `hub`, `key_file`, `ca_cert`, `client_cert` and `client_key` [default: ~/.config/hashcommons/profile.toml if it exists]
    #[arg(long, env = "HASHCOMMONS_PROFILE", value_name = "FILE")]
    profile: Option<PathBuf>,
}

/// A profile file. Paths in it are taken from its own folder.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    hub: Option<String>,
    key_file: Option<PathBuf>,
    ca_cert: Option<PathBuf>,
    client_cert: Option<PathBuf>,
    client_key: Option<PathBuf>,
}

impl HubArgs {
    /// Connects.
    pub async fn connect(&self) -> anyhow::Result<Client> {
        let profile = self.profile()?;
        let hub = self.hub.clone().or(profile.hub).unwrap_or_else(|| HUB_DEFAULT.to_owned());
        let key = self.key(profile.key_file)?;
        let identity =
            match (self.client_cert.clone().or(profile.client_cert), self.client_key.clone().or(profile.client_key)) {
                (Some(certificate), Some(key)) => Some((certificate, key)),
                (None, None) => None,
                _ => bail!("client_cert and client_key: one needs the other"),
            };
        let tls = TlsOptions { ca: self.ca_cert.clone().or(profile.ca_cert), identity };
        Ok(Client::connect_with(&hub, key.as_ref(), &tls).await?)
    }

    /// Which key it would connect with. `None`: with none, or a certificate alone.
    pub fn key_id(&self) -> anyhow::Result<Option<KeyId>> {
        Ok(self.key(self.profile()?.key_file)?.map(|key| key.id()))
    }

    /// The key: of a flag, else of the environment, else of the profile. Either of the first two may name a file or be the key.
    fn key(&self, of_profile: Option<PathBuf>) -> anyhow::Result<Option<ApiKey>> {
        let read =
            |text: &str, source: &str| text.trim().parse::<ApiKey>().with_context(|| source.to_owned()).map(Some);
        if let Some(text) = &self.key {
            return read(text, "--key");
        }
        if let Some(path) = &self.key_file {
            return read_key(path).map(Some);
        }
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(path) = variable("HASHCOMMONS_KEY_FILE") {
            return read_key(Path::new(&path)).map(Some);
        }
        match variable("HASHCOMMONS_KEY") {
            Some(text) => read(&text, "HASHCOMMONS_KEY"),
            None => of_profile.map(|path| read_key(&path)).transpose(),
        }
    }

    fn profile(&self) -> anyhow::Result<Profile> {
        let path = match &self.profile {
            Some(path) => path.clone(),
            None => match default_profile().filter(|path| path.exists()) {
                Some(path) => path,
                None => return Ok(Profile::default()),
            },
        };
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read the profile {}", path.display()))?;
        let mut profile: Profile =
            toml::from_str(&text).with_context(|| format!("the profile {} is not sound", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in [&mut profile.key_file, &mut profile.ca_cert, &mut profile.client_cert, &mut profile.client_key]
            .into_iter()
            .flatten()
        {
            *file = folder.join(&*file);
        }
        Ok(profile)
    }
}

/// Reads an API key from a file.
pub fn read_key(path: &Path) -> anyhow::Result<ApiKey> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the key file {}", path.display()))?;
    let Some(line) = text.lines().find(|line| !line.trim().is_empty()) else {
        bail!("the key file {} is empty", path.display());
    };
    line.trim().parse().with_context(|| format!("the key file {}", path.display()))
}

fn default_profile() -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let config = config.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    Some(config.join("hashcommons").join("profile.toml"))
}
