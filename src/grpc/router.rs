//! All services behind one access check, with every limit of the transport set.

use std::time::Duration;

use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic_health::pb::health_server::{Health, HealthServer};
use tower::layer::util::{Identity, Stack};

use super::access::AccessLayer;
use super::{Desk, admin, check, contribute, ledger, review, taxonomy};
use crate::wire::DESCRIPTORS;
use crate::wire::v1::admin_service_server::AdminServiceServer;
use crate::wire::v1::check_service_server::CheckServiceServer;
use crate::wire::v1::contribute_service_server::ContributeServiceServer;
use crate::wire::v1::ledger_service_server::LedgerServiceServer;
use crate::wire::v1::review_service_server::ReviewServiceServer;
use crate::wire::v1::taxonomy_service_server::TaxonomyServiceServer;

/// The largest message of any method. Sixteen signals and all their provenance take a few KiB, a piece of a picture 64 KiB;
/// a decoder may make tens of times as much of it in memory before anything can be counted.
pub const MESSAGE_BYTES_MAX: usize = 128 << 10;

/// What one connection may cost.
#[derive(Clone, Copy, Debug)]
pub struct TransportLimits {
    pub streams_per_connection_max: u32,
    pub header_bytes_max: u32,
    pub keepalive_interval: Duration,
    pub keepalive_timeout: Duration,
}

impl Default for TransportLimits {
    fn default() -> Self {
        Self {
            streams_per_connection_max: 256,
            header_bytes_max: 16 << 10,
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(20),
        }
    }
}

/// A server with `limits` and the access check, to which [`router`] adds the services.
pub fn server(limits: TransportLimits, desk: Desk) -> Server<Stack<AccessLayer, Identity>> {
    // tonic's own defaults leave concurrent streams unlimited and lift hyper's cap on resets.
    Server::builder()
        .max_concurrent_streams(limits.streams_per_connection_max)
        .http2_max_header_list_size(limits.header_bytes_max)
        .http2_max_pending_accept_reset_streams(Some(20))
        .http2_max_local_error_reset_streams(Some(1_024))
        .http2_keepalive_interval(Some(limits.keepalive_interval))
        .http2_keepalive_timeout(Some(limits.keepalive_timeout))
        .tcp_nodelay(true)
        .layer(AccessLayer(desk))
}

/// Adds every service to `server`.
///
/// # Errors
/// The compiled protobuf files cannot be read: the program is broken.
pub fn router(
    server: &mut Server<Stack<AccessLayer, Identity>>,
    desk: &Desk,
    health: HealthServer<impl Health>,
) -> Result<Router<Stack<AccessLayer, Identity>>, tonic_reflection::server::Error> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let check = CheckServiceServer::new(check::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let contribute =
        ContributeServiceServer::new(contribute::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let review = ReviewServiceServer::new(review::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let ledger = LedgerServiceServer::new(ledger::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let admin = AdminServiceServer::new(admin::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let taxonomy =
        TaxonomyServiceServer::new(taxonomy::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    Ok(server
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .add_service(check)
        .add_service(contribute)
        .add_service(review)
        .add_service(ledger)
        .add_service(admin)
        .add_service(taxonomy))
}
