//! Quotas on the command line: `member quota` and `key quota`.

use anyhow::ensure;

use super::output;
use crate::client::Client;
use crate::wire::v1;

/// A quota as it is to be, whole.
#[derive(Debug, clap::Args)]
pub struct QuotaArgs {
    /// Signals looked up, a second; ten times as many at once
    #[arg(long, value_name = "N")]
    checks_per_second: Option<u32>,
    /// Bytes of pictures, a second; ten times as many at once
    #[arg(long, value_name = "BYTES")]
    media_bytes_per_second: Option<u32>,
    /// Entries put on the list, a day
    #[arg(long, value_name = "N")]
    contributions_per_day: Option<u32>,
    /// Streams open at the same time
    #[arg(long, value_name = "N")]
    streams: Option<u32>,
    /// Take a quota of its own away: it has that of its status again, a key its member's
    #[arg(long, conflicts_with_all = ["checks_per_second", "media_bytes_per_second", "contributions_per_day", "streams"])]
    default: bool,
}

impl QuotaArgs {
    /// The quota that was asked for.
    pub fn quota(&self) -> anyhow::Result<v1::Quota> {
        let quota = v1::Quota {
            checks_per_second: self.checks_per_second,
            media_bytes_per_second: self.media_bytes_per_second,
            contributions_per_day: self.contributions_per_day,
            streams: self.streams,
        };
        ensure!(
            self.default || quota != v1::Quota::default(),
            "name what the quota is to be, as in --checks-per-second 1000, or say --default; what is not named is as for the status"
        );
        Ok(quota)
    }
}

/// Sets it and says so.
pub(super) async fn set(client: &Client, request: v1::SetQuotaRequest, json: bool) -> anyhow::Result<()> {
    let of = format!("{}{}", request.member_id, request.key_id);
    let quota = request.quota.unwrap_or_default();
    client.admin().set_quota(request.clone()).await?;
    if json { output::json(&request) } else { output::line(&format!("{of}: {}", words(&quota))) }
}

/// A quota in words.
pub(super) fn words(quota: &v1::Quota) -> String {
    let parts: Vec<_> = [
        (quota.checks_per_second, "checks a second"),
        (quota.media_bytes_per_second, "bytes of pictures a second"),
        (quota.contributions_per_day, "contributions a day"),
        (quota.streams, "streams"),
    ]
    .into_iter()
    .filter_map(|(value, what)| value.map(|value| format!("{value} {what}")))
    .collect();
    if parts.is_empty() { "no quota of its own".to_owned() } else { parts.join(", ") }
}
