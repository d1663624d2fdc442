//! `hashcommons demo`: the whole hub in a few seconds, through the real server and the real client.
//!
//! Every step has an expectation; the first that does not come out as it should ends the demonstration with an error.

mod pictures;
mod story;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use image::RgbImage;

use super::Verdict;
use crate::domain::{SystemClock, SystemEntropy};
use crate::hub::{ADMIN_KEY_FILE, HubConfig, SECOND_ADMIN_KEY_FILE};
use crate::media::DecodeLimits;
use crate::policy::{QuotaTable, WalkLimits};
use crate::serve::{self, ServeConfig, TransportLimits};
use crate::worker::PoolConfig;

/// Show a hub at work: share a picture's hashes, find its copies, trace the match, withdraw
///
/// Starts a hub in a temporary directory on a loopback address, and stops and removes it at the end.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons demo --image photo.jpg")]
pub struct Args {
    /// A picture of yours instead of the drawn one; nothing of it leaves this machine
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,

    /// Only write the picture, its copies and the unrelated one into this folder, to try the commands by hand
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
}

/// The picture that is shared, and one that has nothing to do with it.
struct Pictures {
    /// The file as it would be uploaded.
    file: Vec<u8>,
    pixels: RgbImage,
    unrelated: Vec<u8>,
    /// Whether it is the caller's own: then how far a crop or a caption moves its hash is not known beforehand.
    own: bool,
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let pictures = pictures(args.image)?;
    if let Some(folder) = args.save {
        return save(&pictures, &folder);
    }
    let directory = tempfile::Builder::new().prefix("hashcommons-demo-").tempdir()?;
    let data_dir = directory.path().join("hub");
    let config = ServeConfig {
        data_dir: data_dir.clone(),
        listen: "127.0.0.1:0".parse()?,
        tls: None,
        behind_tls_proxy: false,
        hub: HubConfig {
            origin: Some("demo.hashcommons.example/ledger".to_owned()),
            media: PoolConfig::with_workers(2),
            quotas: QuotaTable::default(),
            walks: WalkLimits::default(),
        },
        transport: TransportLimits::default(),
    };
    let mut hub = serve::start(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    let told = match hub.ready().await {
        Ok(()) => {
            let key = |file| super::connection::read_key(&data_dir.join(file));
            let (first, second) = (key(ADMIN_KEY_FILE)?, key(SECOND_ADMIN_KEY_FILE)?);
            story::tell(story::Teller { json }, hub.address(), [&first, &second], &pictures, directory.path()).await
        }
        Err(error) => Err(error.into()),
    };
    hub.stop().await?;
    let facts = told?;
    if json {
        super::output::line(&facts.to_string())?;
    }
    Ok(Verdict::Yes)
}

fn save(pictures: &Pictures, folder: &Path) -> anyhow::Result<Verdict> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut files = vec![("original", pictures.file.clone()), ("unrelated", pictures.unrelated.clone())];
    for (name, alter) in pictures::ALTERATIONS {
        files.push((name, alter(&pictures.pixels)?));
    }
    for (name, bytes) in files {
        let path = folder.join(name).with_extension("jpg");
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        super::output::line(&path.display().to_string())?;
    }
    Ok(Verdict::Yes)
}

fn pictures(own: Option<PathBuf>) -> anyhow::Result<Pictures> {
    let unrelated = pictures::original(&pictures::scene(2, 800, 600))?;
    let Some(path) = own else {
        let pixels = pictures::scene(1, 1024, 768);
        return Ok(Pictures { file: pictures::original(&pixels)?, pixels, unrelated, own: false });
    };
    let file = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let picture = crate::media::decode(&file, &DecodeLimits::default()).with_context(|| path.display().to_string())?;
    let samples = picture.pixels().iter().flatten().copied().collect();
    let pixels =
        RgbImage::from_raw(picture.width(), picture.height(), samples).context("the picture has lost pixels")?;
    Ok(Pictures { file, pixels, unrelated, own: true })
}
