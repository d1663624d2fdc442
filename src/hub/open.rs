//! Starting a hub on its data directory: start its decoders, found it or find it again, fold what is not folded yet, check the tree against its
//! checkpoint, fill the memory, start the sequencer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Semaphore, watch};

use super::appeals::Appeals;
use super::believe::Believe;
use super::benign::BenignList;
use super::catch_up::catch_up;
use super::check::Check;
use super::check_media::CheckMedia;
use super::commit::{CommitError, Committer, Head};
use super::contribute::Contribute;
use super::count::Count;
use super::debrief::Debriefs;
use super::drill::DRILL_CHECKS_MAX;
use super::erasures::Erasures;
use super::examine::Examine;
use super::floods::FloodWatch;
use super::fold::FoldError;
use super::follow::Follow;
use super::founding::{
    Secrets, SecretsError, create_secrets, first_events, has_ledger_key, has_public_key, load_secrets, publish_key,
};
use super::gate::Gate;
use super::govern::Govern;
use super::holds::Holds;
use super::incidents::Incidents;
use super::inspect::Inspect;
use super::last_used::LastUsed;
use super::load::{LoadError, Loader};
use super::matches::Matches;
use super::members::Members;
use super::outcomes::ReportOutcome;
use super::prove::Prove;
use super::queue::Queue;
use super::read::{self, ReadError};
use super::refuse::{Refuse, SharedRefusals};
use super::remains::RemainsError;
use super::reversals::Reversals;
use super::review::Review;
use super::sequencer::{Sequencer, SequencerThread};
use super::state::{Indexes, State};
use super::statistics::Statist;
use super::survey::Surveys;
use super::tallies::Tallies;
use super::trace::Trace;
use super::unseal::Unseal;
use super::view::Viewer;
use super::walks::Watch;
use super::withdraw::Withdraw;
use crate::domain::{Clock, Entropy, EntropyError, FieldError, Taxonomies, Timestamp};
use crate::ledger::{CheckpointError, CheckpointTextError, Frontier, Hash, SignError, SignedCheckpoint, Signer};
use crate::policy::{QuotaTable, Quotas, Throttle, WalkLimits};
use crate::store::{FOLD_VERSION, OpenError, Store, StoreError};
use crate::worker::{Pool, PoolConfig};

/// What a hub is started with.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// The ledger's name, at the first start; later it is what it was. `None`: a random local one.
    pub origin: Option<String>,
    /// How pictures are decoded.
    pub media: PoolConfig,
    /// How much members may use that have no quota of their own.
    pub quotas: QuotaTable,
    /// What is taken for a search for a listed hash.
    pub walks: WalkLimits,
}

/// Every use case, and the thread behind them.
pub struct UseCases {
    pub gate: Gate,
    pub check: Check,
    pub check_media: CheckMedia,
    pub contribute: Contribute,
    pub withdraw: Withdraw,
    pub trace: Trace,
    pub review: Review,
    pub queue: Queue,
    pub benign: BenignList,
    pub follow: Follow,
    pub prove: Prove,
    pub members: Members,
    pub examine: Examine,
    pub inspect: Inspect,
    pub incidents: Incidents,
    pub holds: Holds,
    pub debriefs: Debriefs,
    pub govern: Govern,
    pub count: Count,
    pub matches: Matches,
    pub statistics: Statist,
    pub report: ReportOutcome,
    pub appeals: Appeals,
    pub reversals: Reversals,
    pub believe: Believe,
    pub refuse: Refuse,
    /// For ids of requests.
    pub entropy: Arc<dyn Entropy>,
    pub taxonomies: Arc<Taxonomies>,
    /// Whether this was the hub's first start, which has put the operator's key into its file.
    pub founded_now: bool,
    /// For audits, which compare the memory with the store.
    pub indexes: Indexes,
    /// The store itself: for audits and tests.
    pub store: Arc<Store>,
}

/// Why a hub did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A new ledger under the old key would be a second history.
    #[error(
        "the data directory {} has a ledger's key, but its database is missing: restore the folder `rocksdb` from your \
         backup, or name a new directory", .0.display()
    )]
    DatabaseMissing(PathBuf),
    /// The same, with a database that has lost its checkpoint.
    #[error(
        "the data directory {} had a ledger (ledger.pub is there), but its database has none: restore the folder `rocksdb` \
         from your backup, or name a new directory", .0.display()
    )]
    LedgerMissing(PathBuf),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Fold(#[from] FoldError),
    #[error(transparent)]
    Remains(#[from] RemainsError),
    #[error(transparent)]
    Load(LoadError),
    #[error("the shipped taxonomy is broken: {0}")]
    Taxonomy(FieldError),
    #[error("the stored checkpoint is damaged: {0}")]
    CheckpointText(#[from] CheckpointTextError),
    #[error("the stored checkpoint is not this hub's: {0}")]
    Checkpoint(#[from] CheckpointError),
    #[error("the ledger's tree does not have the root that its checkpoint signs: the data directory was changed")]
    Root,
    #[error("event {0} is missing: the data directory was changed")]
    MissingEvent(u64),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("the first events could not be committed: {0}")]
    Founding(#[from] CommitError),
    /// No randomness for the secret that walks are looked for with.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// It was told to. Nothing is lost: the next start does what is left.
    #[error("stopped while loading")]
    Stopped,
}

impl From<LoadError> for StartError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Stopped => Self::Stopped,
            error => Self::Load(error),
        }
    }
}

/// Opens the data directory, which fails fast if it is not usable, and starts the decoders; [`Opened::start`] does the long
/// part.
///
/// A hub whose decoders cannot be sandboxed comes up all the same, for those who send hashes: it says so in the log and takes
/// no pictures.
///
/// # Errors
/// [`StartError`].
pub fn open(directory: &Path, config: HubConfig) -> Result<Opened, StartError> {
    // The secrets are made when the database is there: even a first start that was interrupted leaves no key without one.
    if has_ledger_key(directory) && !Store::has_database(directory) {
        return Err(StartError::DatabaseMissing(directory.to_owned()));
    }
    let started = Instant::now();
    let store = Arc::new(Store::open(directory)?);
    tracing::info!(elapsed_ms = started.elapsed().as_millis() as u64, "the data directory is open");
    let decoders = start_decoders(&config.media);
    Ok(Opened { store, config, decoders })
}

/// The decoders, or none, and the log says why.
fn start_decoders(config: &PoolConfig) -> Option<Pool> {
    let started = Instant::now();
    match Pool::start(config.clone()) {
        Ok(decoders) => {
            let elapsed_ms = started.elapsed().as_millis() as u64;
            tracing::info!(workers = config.workers, sandbox = %decoders.held(), elapsed_ms, "the decoders are ready");
            Some(decoders)
        }
        Err(problem) => {
            tracing::error!(
                %problem,
                "NO PICTURES ARE TAKEN, because the decoders cannot be sandboxed; hashes are. Mend what the problem says and \
                 start again; for development only, media_unsandboxed decodes without a sandbox"
            );
            None
        }
    }
}

/// A data directory that is open but not loaded.
#[derive(Debug)]
pub struct Opened {
    store: Arc<Store>,
    config: HubConfig,
    decoders: Option<Pool>,
}

impl Opened {
    /// Brings the hub up. May take long: the indexes are built here. Given up soon after `stopping` has become true, with
    /// [`StartError::Stopped`].
    ///
    /// # Errors
    /// [`StartError`]; the hub is not up then, and nothing it promised is lost.
    pub fn start(
        self,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(UseCases, SequencerThread), StartError> {
        let Self { store, config, decoders } = self;
        let started = Instant::now();
        let taxonomies = Arc::new(Taxonomies::shipped().map_err(StartError::Taxonomy)?);
        let last = store.checkpoint()?.map(|text| text.parse::<SignedCheckpoint>()).transpose()?;
        let directory = store.directory().to_owned();
        let secrets = match &last {
            // A new ledger under the old key would be a second history.
            None if has_public_key(&directory)? => return Err(StartError::LedgerMissing(directory)),
            None => create_secrets(&directory, config.origin.as_deref(), &*entropy)?,
            Some(_) => load_secrets(&directory)?,
        };
        let Secrets { ledger, api_keys } = secrets;
        let verifier = Arc::new(ledger.verifier().clone());
        let mut signer = Signer::resume(ledger, last.as_ref())?;
        let founded = last.is_some();
        let checkpoint = match last {
            Some(last) => last,
            None => signer.sign(0, Hash::empty_tree(), &[])?,
        };
        let size = checkpoint.claimed().size();
        let frontier = Frontier::load(size, |node| store.node(node))?;
        if frontier.root() != checkpoint.claimed().root() {
            return Err(StartError::Root);
        }
        if store.fold_version()? != FOLD_VERSION {
            tracing::info!("the rows were folded by an earlier version of this program: they are folded anew");
            store.forget_folds()?;
        }
        // What is still to be folded finds what was there at its time.
        let loaded_at = if store.folded()? < size { Timestamp::EPOCH } else { clock.now() };
        let mut state = State::load(&store, &mut Loader::new(&store, loaded_at, stopping)?)?;
        catch_up(&store, &mut state, size, stopping)?;
        let (indexes, benign) = (state.indexes(), state.benign());
        let (roster, register) = (state.roster().clone(), state.register().clone());
        let (head_sender, head) = watch::channel(Head { size, checkpoint: Arc::new(checkpoint) });
        let head_sender = Arc::new(head_sender);
        let last_at = last_time(&store, size)?;
        let last_used = LastUsed::load(store.clone())?;
        let (refusals, count) = (SharedRefusals::default(), Count::new(store.clone(), clock.clone()));
        let matches = Matches::new(store.clone(), register.clone(), clock.clone(), api_keys.clone());
        let tallies = Tallies::new(clock.now());
        let mut committer = Committer {
            store: store.clone(),
            state,
            frontier,
            signer,
            head: head_sender.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            last_at,
            clock_is_behind: false,
            refusals: refusals.clone(),
            count: count.clone(),
            last_used: last_used.clone(),
            floods: FloodWatch::new(store.clone(), matches.clone()),
            erasures: Erasures::new(store.clone(), clock.now()),
            matches: matches.clone(),
            tallies: tallies.clone(),
        };
        if !founded {
            committer.commit_events(first_events(&directory, &api_keys, &*entropy, clock.now())?)?;
        }
        // From now on its presence says that there is a ledger.
        publish_key(&directory, &verifier)?;
        let (sequencer, thread) = Sequencer::start(committer).map_err(StartError::Thread)?;
        tracing::info!(
            events = head.borrow().size,
            pdq = indexes.pdq.len(),
            elapsed_ms = started.elapsed().as_millis() as u64,
            "the hub is up"
        );

        let viewer = Viewer {
            roster: roster.clone(),
            register: register.clone(),
            taxonomies: taxonomies.clone(),
            clock: clock.clone(),
        };
        let quotas = Quotas::new(config.quotas);
        let watch = Watch::new(roster.clone(), sequencer.clone(), &*entropy, config.walks)?;
        let unseal =
            Unseal { sequencer: sequencer.clone(), count: count.clone(), clock: clock.clone(), today: Arc::default() };
        let check = Check {
            indexes: indexes.clone(),
            benign,
            store: store.clone(),
            head: head.clone(),
            viewer: viewer.clone(),
            quotas: quotas.clone(),
            watch: watch.clone(),
            unseal: unseal.clone(),
            drills: Arc::new(Semaphore::new(DRILL_CHECKS_MAX)),
            matches: matches.clone(),
            tallies,
        };
        let inspect = Inspect { store: store.clone(), roster: roster.clone(), head: head.clone() };
        let prove = Prove { store: store.clone(), head: head.clone(), verifier };
        let govern = Govern {
            sequencer: sequencer.clone(),
            store: store.clone(),
            head: head.clone(),
            viewer: viewer.clone(),
            surveys: Surveys::default(),
        };
        let statistics = Statist {
            sequencer: sequencer.clone(),
            store: store.clone(),
            head: head.clone(),
            taxonomies: taxonomies.clone(),
            clock: clock.clone(),
            count: count.clone(),
            surveys: Surveys::default(),
        };
        let use_cases = UseCases {
            gate: Gate {
                roster: roster.clone(),
                secret: api_keys.clone(),
                clock: clock.clone(),
                quotas: quotas.clone(),
                throttle: Throttle::default(),
                last_used: last_used.clone(),
            },
            check_media: CheckMedia::new(check.clone(), decoders, config.media.limits.bytes_max, config.media.workers),
            check,
            holds: Holds { sequencer: sequencer.clone(), register: register.clone(), clock: clock.clone() },
            incidents: Incidents {
                sequencer: sequencer.clone(),
                store: store.clone(),
                register: register.clone(),
                clock: clock.clone(),
            },
            debriefs: Debriefs { store: store.clone(), viewer: viewer.clone(), head: head.clone() },
            contribute: Contribute {
                sequencer: sequencer.clone(),
                prove: prove.clone(),
                store: store.clone(),
                viewer: viewer.clone(),
                secret: api_keys.clone(),
                taxonomies: taxonomies.clone(),
                quotas: quotas.clone(),
            },
            withdraw: Withdraw {
                sequencer: sequencer.clone(),
                prove: prove.clone(),
                secret: api_keys.clone(),
                entropy: entropy.clone(),
            },
            review: Review {
                sequencer: sequencer.clone(),
                store: store.clone(),
                viewer: viewer.clone(),
                taxonomies: taxonomies.clone(),
            },
            queue: Queue { store: store.clone(), viewer: viewer.clone(), matches: matches.clone() },
            benign: BenignList { sequencer: sequencer.clone(), store: store.clone() },
            trace: Trace {
                store: store.clone(),
                prove: prove.clone(),
                viewer: viewer.clone(),
                taxonomies: taxonomies.clone(),
                count: count.clone(),
                unseal: unseal.clone(),
            },
            follow: Follow {
                store: store.clone(),
                register: register.clone(),
                roster: roster.clone(),
                head: head_sender,
                clock: clock.clone(),
                count: count.clone(),
                unseal: unseal.clone(),
            },
            prove,
            examine: Examine { store: store.clone(), roster: roster.clone() },
            inspect,
            govern,
            count,
            report: ReportOutcome { sequencer: sequencer.clone(), matches: matches.clone(), quotas: quotas.clone() },
            appeals: Appeals {
                sequencer: sequencer.clone(),
                store: store.clone(),
                head: head.clone(),
                matches: matches.clone(),
                quotas: quotas.clone(),
            },
            reversals: Reversals { store: store.clone(), head: head.clone(), matches: matches.clone() },
            believe: Believe { viewer: viewer.clone() },
            matches,
            statistics,
            refuse: Refuse { sequencer: sequencer.clone(), refusals, clock: clock.clone() },
            entropy: entropy.clone(),
            members: Members {
                sequencer,
                watch,
                last_used,
                unseal,
                store: store.clone(),
                roster,
                secret: api_keys,
                clock,
                entropy,
            },
            taxonomies,
            founded_now: !founded,
            indexes,
            store,
        };
        Ok((use_cases, thread))
    }
}

/// When the last event happened: the next is never earlier.
fn last_time(store: &Store, size: u64) -> Result<Timestamp, StartError> {
    let last = match size.checked_sub(1) {
        Some(index) => read::event(store, index)?,
        None => None,
    };
    Ok(last.map_or(Timestamp::EPOCH, |event| event.at))
}
