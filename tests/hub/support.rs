//! A real hub for tests: the real server on a port of its own over a real store in a temporary directory, with a clock that
//! tests turn and randomness that repeats.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::{ManualClock, Role, SeededEntropy, Status, SystemClock, SystemEntropy, Timestamp};
use hashcommons::hub::{
    ADMIN_KEY_FILE, HubConfig, Report, SECOND_ADMIN_KEY_FILE, SequencerThread, StartError, UseCases, audit,
};
use hashcommons::media::DecodeLimits;
use hashcommons::policy::{ApiKey, Peer, Principal, QuotaTable, WalkLimits};
use hashcommons::serve::{self, Running, ServeConfig, TransportLimits};
use hashcommons::wire::v1;
use hashcommons::worker::PoolConfig;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::enrolment::Operators;

/// Whose hidden command the hub's workers are: `/proc/self/exe` is the test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_hashcommons");

/// A running hub.
pub struct TestHub {
    running: Running,
    pub clock: Arc<ManualClock>,
    pub admin_key: ApiKey,
    /// The second person's.
    pub second_admin_key: ApiKey,
    connection: Client,
    seed: u64,
    directory: TempDir,
}

/// The settings of a test's hub on `directory`.
pub fn config(directory: &Path) -> ServeConfig {
    ServeConfig {
        data_dir: directory.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        behind_tls_proxy: false,
        hub: HubConfig {
            origin: Some("test.example/ledger".to_owned()),
            media: PoolConfig {
                program: PROGRAM.into(),
                limits: DecodeLimits { bytes_max: 1 << 20, ..DecodeLimits::default() },
                // The machine may be busy with other tests.
                deadline: Duration::from_secs(60),
                ..PoolConfig::with_workers(2)
            },
            // Tests ask as much as they like, but those of quotas.
            quotas: QuotaTable::NONE,
            walks: WalkLimits::default(),
        },
        transport: TransportLimits::default(),
    }
}

/// Starts a hub on `directory` with no service around it, unless told to stop before it is up.
pub fn start_alone(directory: &Path, stop: bool) -> Result<(UseCases, SequencerThread), StartError> {
    let (_, stopping) = watch::channel(stop);
    let opened = hashcommons::hub::open(directory, config(directory).hub)?;
    opened.start(Arc::new(SystemClock), Arc::new(SystemEntropy), &stopping)
}

/// A connection without a key.
async fn connect(running: &Running, tls: bool) -> Client {
    let port = running.address().port();
    let authority = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/authority.pem"));
    let (url, ca) = if tls {
        (format!("https://localhost:{port}"), Some(authority))
    } else {
        (format!("http://127.0.0.1:{port}"), None)
    };
    Client::connect(&url, None, ca).await.unwrap()
}

impl TestHub {
    /// A new hub.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A new hub with other settings.
    pub async fn start_with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-22T12:00:00Z".parse::<Timestamp>().unwrap()));
        let directory = tempfile::tempdir().unwrap();
        let mut config = config(directory.path());
        change(&mut config);
        Self::open(config, directory, clock, 1).await
    }

    async fn open(config: ServeConfig, directory: TempDir, clock: Arc<ManualClock>, seed: u64) -> Self {
        let entropy = Arc::new(SeededEntropy::new(seed));
        let tls = config.tls.is_some();
        let mut running = serve::start(config, clock.clone(), entropy).await.unwrap();
        running.ready().await.unwrap();
        let key = |file| std::fs::read_to_string(directory.path().join(file)).unwrap().trim().parse().unwrap();
        let [admin_key, second_admin_key] = [ADMIN_KEY_FILE, SECOND_ADMIN_KEY_FILE].map(key);
        let connection = connect(&running, tls).await;
        Self { running, clock, admin_key, second_admin_key, connection, seed, directory }
    }

    /// A hub on the directory of one that was stopped.
    pub async fn start_again(directory: TempDir, clock: Arc<ManualClock>) -> Self {
        Self::open(config(directory.path()), directory, clock, 1_000).await
    }

    /// Where it listens, as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.running.address())
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.running.address()
    }

    /// Its data directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The running service, to look behind it.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// A client without a key.
    pub fn anonymous(&self) -> Client {
        self.connection.clone()
    }

    /// A client with this key.
    pub fn client(&self, key: &ApiKey) -> Client {
        self.connection.with_key(key)
    }

    /// The operator's client.
    pub fn admin(&self) -> Client {
        self.client(&self.admin_key)
    }

    /// Whoever holds `key`, at this machine.
    pub fn principal(&self, key: &ApiKey) -> Principal {
        let peer = Peer { address: [127, 0, 0, 1].into(), certificate: None };
        self.running.use_cases().unwrap().gate.authenticate(Some(key), &peer).unwrap()
    }

    /// Both operators.
    pub fn operators(&self) -> Operators {
        Operators { first: self.admin(), second: self.client(&self.second_admin_key) }
    }

    /// Enrols a member that may have these roles; gives its id and a key with just these.
    pub async fn enrol(&self, name: &str, jurisdiction: &str, roles: &[Role]) -> (String, ApiKey) {
        self.operators().enrol(name, jurisdiction, roles).await
    }

    /// The same of a member that is trusted, and sees distances.
    pub async fn trusted(&self, name: &str) -> (String, ApiKey) {
        let (member, key) = self.enrol(name, "NZ", &[Role::Checker, Role::Contributor]).await;
        self.operators().approve(&member, Status::Trusted).await;
        (member, key)
    }

    /// A client of a new member with these roles.
    pub async fn member(&self, name: &str, roles: &[Role]) -> Client {
        let (_, key) = self.enrol(name, "NZ", roles).await;
        self.client(&key)
    }

    /// Re-verifies every leaf, the root, every folded row and every index row.
    pub async fn check(&self) -> Report {
        let use_cases = self.running.use_cases().unwrap();
        let verifier = use_cases.prove.verifier();
        let now = hashcommons::domain::Clock::now(&*self.clock);
        audit(&use_cases.store, verifier, Some(&use_cases.indexes), now).unwrap()
    }

    /// Stops in good order and starts again on the same directory.
    pub async fn restart(self) -> Self {
        let Self { running, clock, seed, directory, connection, .. } = self;
        drop(connection);
        running.stop().await.unwrap();
        Self::open(config(directory.path()), directory, clock, seed + 1).await
    }

    /// The same, with something done to the directory meanwhile.
    pub async fn restart_after(self, change: impl FnOnce(&Path)) -> Self {
        let Self { running, clock, seed, directory, connection, .. } = self;
        drop(connection);
        running.stop().await.unwrap();
        change(directory.path());
        Self::open(config(directory.path()), directory, clock, seed + 1).await
    }

    /// Stops in good order; gives the directory.
    pub async fn stop(self) -> TempDir {
        let Self { running, directory, connection, .. } = self;
        drop(connection);
        running.stop().await.unwrap();
        directory
    }
}

/// A draft that is as it must be, with these signals.
pub fn draft(signals: Vec<v1::Signal>) -> v1::Draft {
    v1::Draft {
        signals,
        labels: vec!["graphic-violence".to_owned()],
        provenance: Some(v1::Provenance {
            origin: v1::Origin::Human.into(),
            reviewers: v1::Reviewers::TwoOrMore.into(),
            basis: Some(v1::Basis { basis: Some(v1::basis::Basis::Behaviour(v1::basis::Behaviour {})) }),
            producer: v1::Producer::Perpetrator.into(),
            confidence: Some(90),
            tlp: v1::Tlp::Amber.into(),
            action_max: v1::Action::Block.into(),
            ..Default::default()
        }),
    }
}

/// A PDQ signal, the same for the same `n` and far from that of any other.
pub fn pdq(n: u64) -> v1::Signal {
    let mut state = n;
    let words: Vec<String> = (0..4)
        .map(|_| {
            // SplitMix64 (Steele, Lea & Flood 2014).
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            format!("{:016x}", z ^ (z >> 31))
        })
        .collect();
    v1::Signal { kind: v1::SignalKind::Pdq.into(), value: words.concat(), quality: Some(100) }
}

/// A contribution of one item.
pub fn contribution(request_id: &str, draft: v1::Draft) -> v1::ContributeRequest {
    v1::ContributeRequest { request_id: request_id.to_owned(), draft: Some(draft), without_receipt: false }
}

/// A check of these signals, with default radius and limit.
pub fn check_of(signals: impl IntoIterator<Item = v1::Signal>) -> v1::CheckRequest {
    let queries = signals.into_iter().map(|signal| v1::Query { signal: Some(signal), radius: None });
    v1::CheckRequest { queries: queries.collect(), limit: None, tag: String::new(), drill: String::new() }
}
