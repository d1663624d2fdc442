//! `TaxonomyService`.

use tonic::{Request, Response, Status};

use super::{Desk, permit};
use crate::policy::operation;
use crate::wire;
use crate::wire::v1::{self, taxonomy_service_server::TaxonomyService};

pub(super) struct Service(pub(super) Desk);

#[tonic::async_trait]
impl TaxonomyService for Service {
    #[tracing::instrument(name = "taxonomy", level = "debug", skip_all)]
    async fn get_taxonomy(&self, request: Request<v1::GetTaxonomyRequest>) -> Result<Response<v1::Taxonomy>, Status> {
        let taxonomies = &self.0.use_cases()?.taxonomies;
        permit::<operation::ReadTaxonomy, _>(&request)?;
        let taxonomy = match request.get_ref().version {
            None => taxonomies.current(),
            Some(version) => taxonomies
                .version(version)
                .ok_or_else(|| Status::not_found(format!("version: no taxonomy has version {version}")))?,
        };
        Ok(Response::new(wire::taxonomy(taxonomy)))
    }
}
