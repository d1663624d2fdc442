//! Who may call which method. Deny by default: a method without a row here is refused before its request is read.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::Either;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use super::{Desk, request_id};
use crate::domain::{CallId, EventKind, Role};
use crate::policy::{ApiKey, ApiKeyError, Aspect, Full, Held, Operation, Peer, Places, Principal, Refused, operation};
use crate::wire::{IntoStatus, METHODS, busy};

/// Operators' and auditors' methods: they have places of their own, and what changes members and keys needs none, so that a hub that
/// is flooded can still be looked at and helped.
const ADMIN: &str = "/hashcommons.v1.AdminService/";

/// What a method asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: health and the schema are no secrets.
    Open,
    /// A live key that may do this: one with any of these roles.
    Operation {
        name: &'static str,
        roles: &'static [Role],
        /// What of its answer not everybody sees alike.
        shows: &'static [Aspect],
    },
}

const fn needs<O: Operation>() -> Access {
    shows::<O>(&[])
}

const fn shows<O: Operation>(shows: &'static [Aspect]) -> Access {
    Access::Operation { name: O::NAME, roles: O::ROLES, shows }
}

/// What a match says.
const MATCH: &[Aspect] = &[Aspect::Nearness, Aspect::Contributors];

/// Every method there is, by its path.
pub const TABLE: &[(&str, Access)] = &[
    ("/hashcommons.v1.CheckService/Check", shows::<operation::Check>(MATCH)),
    ("/hashcommons.v1.CheckService/CheckStream", shows::<operation::Check>(MATCH)),
    ("/hashcommons.v1.CheckService/CheckMedia", shows::<operation::Check>(MATCH)),
    ("/hashcommons.v1.ContributeService/Contribute", needs::<operation::Contribute>()),
    ("/hashcommons.v1.ContributeService/ContributeStream", needs::<operation::Contribute>()),
    ("/hashcommons.v1.ContributeService/Withdraw", needs::<operation::Withdraw>()),
    ("/hashcommons.v1.ReviewService/Trace", shows::<operation::Trace>(&[Aspect::Entries, Aspect::Contributors])),
    ("/hashcommons.v1.FeedbackService/ReportOutcome", shows::<operation::Report>(&[Aspect::Entries])),
    ("/hashcommons.v1.FeedbackService/OpenAppeal", needs::<operation::Appeal>()),
    ("/hashcommons.v1.FeedbackService/ListAppeals", shows::<operation::ListAppeals>(&[Aspect::Feedback])),
    ("/hashcommons.v1.FeedbackService/ListReversals", needs::<operation::ListReversals>()),
    ("/hashcommons.v1.FeedbackService/GetTrust", shows::<operation::ReadTrust>(&[Aspect::Feedback])),
    ("/hashcommons.v1.ReviewService/ListQueue", needs::<operation::ReadQueue>()),
    ("/hashcommons.v1.ReviewService/Decide", needs::<operation::Review>()),
    ("/hashcommons.v1.ReviewService/AddBenign", needs::<operation::Review>()),
    ("/hashcommons.v1.ReviewService/RemoveBenign", needs::<operation::Review>()),
    ("/hashcommons.v1.ReviewService/ListBenign", needs::<operation::ReadQueue>()),
    ("/hashcommons.v1.ReviewService/DelistEntity", needs::<operation::Delist>()),
    ("/hashcommons.v1.LedgerService/Follow", shows::<operation::Follow>(&[Aspect::Events])),
    ("/hashcommons.v1.LedgerService/GetCheckpoint", needs::<operation::ReadLedger>()),
    ("/hashcommons.v1.LedgerService/GetInclusionProof", needs::<operation::ReadLedger>()),
    ("/hashcommons.v1.LedgerService/GetConsistencyProof", needs::<operation::ReadLedger>()),
    ("/hashcommons.v1.IncidentService/OpenIncident", needs::<operation::ChangeIncident>()),
    ("/hashcommons.v1.IncidentService/ExtendIncident", needs::<operation::ChangeIncident>()),
    ("/hashcommons.v1.IncidentService/CloseIncident", needs::<operation::ChangeIncident>()),
    ("/hashcommons.v1.IncidentService/ListIncidents", shows::<operation::ListIncidents>(&[Aspect::Proposals])),
    ("/hashcommons.v1.IncidentService/GetDebrief", needs::<operation::ReadDebrief>()),
    ("/hashcommons.v1.AdminService/EnrolMember", needs::<operation::Administer>()),
    ("/hashcommons.v1.AdminService/ApproveMember", needs::<operation::Administer>()),
    ("/hashcommons.v1.AdminService/SetMemberStatus", needs::<operation::Administer>()),
    ("/hashcommons.v1.AdminService/GetMemberHistory", needs::<operation::ListMembers>()),
    ("/hashcommons.v1.AdminService/ListMembers", needs::<operation::ListMembers>()),
    ("/hashcommons.v1.AdminService/IssueKey", needs::<operation::Administer>()),
    ("/hashcommons.v1.AdminService/RotateKey", needs::<operation::Administer>()),
    ("/hashcommons.v1.AdminService/MarkKeyCompromised", needs::<operation::Administer>()),
    ("/hashcommons.v1.AdminService/ListContributions", needs::<operation::ListMembers>()),
    ("/hashcommons.v1.AdminService/ListKeys", needs::<operation::ListMembers>()),
    ("/hashcommons.v1.AdminService/ReleaseMember", needs::<operation::Administer>()),
    ("/hashcommons.v1.AdminService/SetQuota", needs::<operation::Administer>()),
    ("/hashcommons.v1.AdminService/RevokeKey", needs::<operation::Administer>()),
    ("/hashcommons.v1.AdminService/ListAudit", needs::<operation::ReadAudit>()),
    ("/hashcommons.v1.AdminService/ListReads", needs::<operation::ReadAudit>()),
    ("/hashcommons.v1.PolicyService/GetPolicy", needs::<operation::ReadTaxonomy>()),
    ("/hashcommons.v1.PolicyService/PreviewPolicy", needs::<operation::PreviewPolicy>()),
    ("/hashcommons.v1.PolicyService/SetPolicy", needs::<operation::SetPolicy>()),
    ("/hashcommons.v1.RetentionService/PlaceHold", needs::<operation::ChangeHolds>()),
    ("/hashcommons.v1.RetentionService/LiftHold", needs::<operation::ChangeHolds>()),
    ("/hashcommons.v1.RetentionService/ListHolds", needs::<operation::ListHolds>()),
    ("/hashcommons.v1.StatisticsService/GetReport", needs::<operation::ReadStatistics>()),
    ("/hashcommons.v1.StatisticsService/DrawSample", needs::<operation::Sample>()),
    ("/hashcommons.v1.StatisticsService/JudgeSample", needs::<operation::Sample>()),
    ("/hashcommons.v1.TaxonomyService/GetTaxonomy", needs::<operation::ReadTaxonomy>()),
    ("/grpc.health.v1.Health/Check", Access::Open),
    ("/grpc.health.v1.Health/Watch", Access::Open),
    ("/grpc.health.v1.Health/List", Access::Open),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Access::Open),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Access::Open),
];

/// A method of the protobuf files without a row would be one that nobody can call: it does not compile.
const _: () = {
    let mut at = 0;
    while at < METHODS.len() {
        assert!(has_row(METHODS[at]), "a method of the protobuf files has no row in TABLE");
        at += 1;
    }
};

const fn has_row(method: &str) -> bool {
    let mut at = 0;
    while at < TABLE.len() {
        if equal(TABLE[at].0.as_bytes(), method.as_bytes()) {
            return true;
        }
        at += 1;
    }
    false
}

/// `==` of what is known when the program is compiled.
const fn equal(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// The event that each method makes which changes members, keys, rules or incidents.
pub const CHANGES: &[(&str, EventKind)] = &[
    ("/hashcommons.v1.AdminService/EnrolMember", EventKind::MemberEnrolled),
    ("/hashcommons.v1.AdminService/ApproveMember", EventKind::MemberApproved),
    ("/hashcommons.v1.AdminService/SetMemberStatus", EventKind::MemberStatusSet),
    ("/hashcommons.v1.AdminService/IssueKey", EventKind::KeyIssued),
    ("/hashcommons.v1.AdminService/RotateKey", EventKind::KeyRotated),
    ("/hashcommons.v1.AdminService/MarkKeyCompromised", EventKind::KeyCompromised),
    ("/hashcommons.v1.AdminService/ReleaseMember", EventKind::WalkCleared),
    ("/hashcommons.v1.AdminService/SetQuota", EventKind::QuotaSet),
    ("/hashcommons.v1.AdminService/RevokeKey", EventKind::KeyRevoked),
    ("/hashcommons.v1.IncidentService/OpenIncident", EventKind::IncidentChanged),
    ("/hashcommons.v1.IncidentService/ExtendIncident", EventKind::IncidentChanged),
    ("/hashcommons.v1.IncidentService/CloseIncident", EventKind::IncidentChanged),
    ("/hashcommons.v1.ReviewService/DelistEntity", EventKind::EntityDelisted),
    ("/hashcommons.v1.PolicyService/SetPolicy", EventKind::PolicySet),
    ("/hashcommons.v1.RetentionService/PlaceHold", EventKind::HoldPlaced),
    ("/hashcommons.v1.RetentionService/LiftHold", EventKind::HoldLifted),
];

/// What the method at `path` asks of its caller; `None` for a method that is not in the table.
pub fn access(path: &str) -> Option<Access> {
    TABLE.iter().find(|(method, _)| *method == path).map(|(_, access)| *access)
}

/// Puts the check before every service.
#[derive(Clone)]
pub struct AccessLayer(pub(super) Desk);

impl<S> Layer<S> for AccessLayer {
    type Service = AccessService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AccessService { desk: self.0.clone(), inner }
    }
}

/// A service behind the check.
#[derive(Clone)]
pub struct AccessService<S> {
    desk: Desk,
    inner: S,
}

impl<S, B> Service<http::Request<B>> for AccessService<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        let mut id = None;
        let (place, answer) = match self.admit(&mut request, &mut id) {
            Ok(place) => (place, Either::Left(self.inner.call(request))),
            Err(denied) => (None, Either::Right(deny(self.desk.clone(), denied))),
        };
        // At the level of errors, so that whatever is logged of the request has its id.
        let span = id.as_ref().map_or_else(Span::none, |id| tracing::error_span!("request", %id));
        let answer = async move {
            // Until the answer, or its stream of answers, begins.
            let _place = place;
            let mut answer = answer.await;
            if let (Ok(answer), Some(id)) = (&mut answer, &id) {
                request_id::answer(answer.headers_mut(), id);
            }
            answer
        };
        Box::pin(answer.instrument(span))
    }
}

/// Why a request does not pass.
enum Denied {
    Status(Status),
    /// A live key's, for which it has not the role: worth knowing where it would have changed members or keys.
    Role {
        principal: Box<Principal>,
        refused: Refused,
        change: Option<EventKind>,
    },
}

impl From<Status> for Denied {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

/// Says that a request does not pass, once that is noted where it has to be.
async fn deny<E>(desk: Desk, denied: Denied) -> Result<http::Response<Body>, E> {
    let status = match denied {
        Denied::Status(status) => status,
        Denied::Role { principal, refused, change } => {
            if let (Some(change), Ok(use_cases)) = (change, desk.use_cases()) {
                use_cases.refuse.run(&principal, change, &refused).await;
            }
            refused.into_status()
        }
    };
    Ok(status.into_http())
}

impl<S> AccessService<S> {
    /// Lets the request pass, with its principal attached and a place to be worked on, or says why not. Puts its id into `id` as
    /// soon as it has one.
    fn admit<B>(&self, request: &mut http::Request<B>, id: &mut Option<CallId>) -> Result<Option<Held>, Denied> {
        let path = request.uri().path();
        let (operation, roles) = match access(path) {
            None => return Err(Status::unimplemented("no such method").into()),
            Some(Access::Open) => return Ok(None),
            Some(Access::Operation { name, roles, .. }) => (name, roles),
        };
        let places = match path.starts_with(ADMIN) {
            true if operation == operation::Administer::NAME => None,
            true => Some(&self.desk.reading_places),
            false => Some(&self.desk.places),
        };
        let use_cases = self.desk.use_cases()?;
        let gate = &use_cases.gate;
        // The transport puts it there: nobody comes from nowhere.
        let peer = *request.extensions().get::<Peer>().ok_or_else(|| Status::internal("the request has no peer"))?;
        let sent = request_id::sent(request.headers())?;
        let made = || request_id::made(&*use_cases.entropy);
        *id = Some(sent.map_or_else(made, Ok)?);
        let key = match bearer(request.headers()) {
            Ok(key) => Some(key),
            Err(NoKey::None) if peer.certificate.is_some() => None,
            Err(problem) => {
                gate.came_without_key(&peer).map_err(IntoStatus::into_status)?;
                return Err(Status::unauthenticated(format!("authorization: {problem}")).into());
            }
        };
        let principal = gate.authenticate(key.as_ref(), &peer).map_err(IntoStatus::into_status)?;
        if let Err(refused) = principal.may(operation, roles) {
            let change = CHANGES.iter().find(|(method, _)| *method == path).map(|(_, change)| *change);
            if change.is_some() {
                // It goes into the ledger, and the words of those who may not write there do not.
                *id = Some(made()?);
            }
            let principal = Box::new(Principal { request: id.clone(), ..principal });
            return Err(Denied::Role { principal, refused, change });
        }
        let place = places.map(|places| places.take(principal.member, 1).map_err(|full| overload(places, full)));
        let place = place.transpose()?;
        request.extensions_mut().insert(Principal { request: id.clone(), ..principal });
        Ok(place)
    }
}

fn overload(places: &Places, full: Full) -> Status {
    match full {
        Full::ForAll => busy(&"the hub has as many requests as it can work on: send it again in a moment"),
        Full::ForOne => {
            let own = places.of_one();
            busy(&format_args!("this member has {own} requests on their way: wait for answers before sending more"))
        }
    }
}

/// Why a request has no API key.
#[derive(Debug, thiserror::Error)]
enum NoKey {
    #[error("must be sent once, as `Bearer hck_…`")]
    None,
    #[error("must be sent once, as `Bearer hck_…`")]
    Several,
    #[error("must be `Bearer hck_…`")]
    Form,
    #[error(transparent)]
    Key(#[from] ApiKeyError),
}

/// The API key of a request.
fn bearer(headers: &http::HeaderMap) -> Result<ApiKey, NoKey> {
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value,
        (None, _) => return Err(NoKey::None),
        (Some(_), Some(_)) => return Err(NoKey::Several),
    };
    let text = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).ok_or(NoKey::Form)?;
    Ok(text.parse()?)
}
