//! TLS: certificates that are renewed while connections live, and certificates of clients.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use hashcommons::client::{Client, TlsOptions};
use hashcommons::policy::ApiKey;
use hashcommons::serve::TlsFiles;
use hashcommons::wire::v1;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::process::HubProcess;
use crate::raw::BOUND;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

pub fn fixture(name: &str) -> PathBuf {
    Path::new(FIXTURES).join(name)
}

/// The files of a hub that asks for client certificates and goes on without.
pub fn files() -> TlsFiles {
    TlsFiles {
        certificate: fixture("localhost.pem"),
        key: fixture("localhost.key"),
        client_ca: Some(fixture("authority.pem")),
        client_cert_required: false,
    }
}

/// A hub as a process, with TLS from files that a test may change.
struct TlsHub {
    process: HubProcess,
    folder: tempfile::TempDir,
    key: ApiKey,
}

impl TlsHub {
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let this = |name: &str| folder.path().join(name);
        for (from, to) in [("localhost.pem", "cert.pem"), ("localhost.key", "key.pem"), ("authority.pem", "ca.pem")] {
            std::fs::copy(fixture(from), this(to)).unwrap();
        }
        let process = HubProcess::start_with(&this("hub"), |command| {
            command.arg("--tls-cert").arg(this("cert.pem")).arg("--tls-key").arg(this("key.pem")).args(more);
            command.env("HASHCOMMONS_LOG", "hashcommons=debug");
        });
        let key = std::fs::read_to_string(this("hub/admin.key")).unwrap().trim().parse().unwrap();
        Self { process, folder, key }
    }

    fn put(&self, from: &str, to: &str) {
        std::fs::copy(fixture(from), self.folder.path().join(to)).unwrap();
    }

    /// Has the hub look at its files.
    fn hang_up(&self) {
        let sent = Command::new("kill").args(["-HUP", &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// A client with this certificate.
    async fn client(&self, certificate: Option<&str>) -> Result<Client, String> {
        let port = self.process.address.rsplit(':').next().unwrap();
        let identity = certificate.map(|name| (fixture(&format!("{name}.pem")), fixture(&format!("{name}.key"))));
        let options = TlsOptions { ca: Some(fixture("authority.pem")), identity };
        let url = format!("https://localhost:{port}");
        let client = Client::connect_with(&url, Some(&self.key), &options).await;
        let client = client.map_err(|error| format!("{error:?}"))?;
        // With TLS 1.3 a client learns only here that its certificate was not good enough.
        ask(&client).await.map_err(|status| format!("{status:?}"))?;
        Ok(client)
    }

    /// The certificate that new connections are shown.
    async fn shown(&self) -> CertificateDer<'static> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(fixture("authority.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(&self.process.address).await.unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
    }

    async fn shows_at_last(&self, name: &str) {
        let expected = CertificateDer::from_pem_file(fixture(name)).unwrap();
        let shown = async {
            while self.shown().await != expected {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(BOUND, shown).await.expect("the other certificate");
    }

    fn stop(mut self) -> String {
        self.process.terminate();
        self.process.wait_for_log()
    }
}

async fn ask(client: &Client) -> Result<(), tonic::Status> {
    client.taxonomy().get_taxonomy(v1::GetTaxonomyRequest::default()).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_to_new_connections_and_the_old_go_on() {
    let hub = TlsHub::start(&[]);
    hub.shows_at_last("localhost.pem").await;
    let client = hub.client(None).await.unwrap();
    let follow = v1::FollowRequest { from: 0, until_now: false, incident_first: false };
    let mut feed = client.ledger().follow(follow).await.unwrap().into_inner();
    feed.message().await.unwrap().unwrap();
    // By itself ...
    hub.put("renewed.pem", "cert.pem");
    hub.put("renewed.key", "key.pem");
    hub.shows_at_last("renewed.pem").await;
    ask(&client).await.unwrap();
    // ... and when told.
    hub.put("localhost.pem", "cert.pem");
    hub.put("localhost.key", "key.pem");
    hub.hang_up();
    hub.shows_at_last("localhost.pem").await;
    ask(&client).await.unwrap();
    feed.message().await.unwrap().unwrap();
    hub.client(None).await.unwrap();
    drop((client, feed));
    let log = hub.stop();
    assert_eq!(log.matches("new connections take them").count(), 2, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_do_not_fit_change_nothing_and_are_named_in_the_log() {
    let hub = TlsHub::start(&[]);
    let client = hub.client(None).await.unwrap();
    // Half of a renewal; nonsense; nothing.
    hub.put("renewed.pem", "cert.pem");
    wait_for_reload(&hub).await;
    hub.shows_at_last("localhost.pem").await;
    std::fs::write(hub.folder.path().join("cert.pem"), "nonsense").unwrap();
    wait_for_reload(&hub).await;
    hub.shows_at_last("localhost.pem").await;
    std::fs::remove_file(hub.folder.path().join("cert.pem")).unwrap();
    wait_for_reload(&hub).await;
    hub.shows_at_last("localhost.pem").await;
    ask(&client).await.unwrap();
    // The other half.
    hub.put("renewed.pem", "cert.pem");
    hub.put("renewed.key", "key.pem");
    hub.shows_at_last("renewed.pem").await;
    ask(&client).await.unwrap();
    drop(client);
    let log = hub.stop();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("the old stay")).collect();
    assert!((3..=4).contains(&warnings.len()), "{warnings:?}");
    assert!(warnings.iter().all(|line| line.contains("cert.pem")), "{warnings:?}");
}

/// Waits until the hub must have looked at its files: it does so every two seconds, and no test can see it not do anything.
async fn wait_for_reload(hub: &TlsHub) {
    hub.hang_up();
    tokio::time::sleep(Duration::from_secs(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_show_a_certificate_and_the_hub_knows_its_fingerprint() {
    let authority = fixture("authority.pem");
    let hub = TlsHub::start(&["--tls-client-ca", authority.to_str().unwrap()]);
    hub.client(None).await.expect("it may do without");
    hub.client(Some("client")).await.unwrap();
    hub.client(Some("stranger")).await.err().expect("not by an authority of the hub's");
    let fingerprint = std::fs::read_to_string(fixture("client.fingerprint")).unwrap();
    let log = hub.stop();
    let seen = log.lines().filter(|line| line.contains("certificate=")).collect::<Vec<_>>();
    assert_eq!(seen.len(), 1, "{log}");
    assert!(seen[0].contains(&format!("certificate={}", fingerprint.trim())), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_certificate_is_required_nobody_gets_in_without() {
    let authority = fixture("authority.pem");
    let hub = TlsHub::start(&["--tls-client-ca", authority.to_str().unwrap(), "--tls-client-cert-required"]);
    hub.client(None).await.err().expect("without a certificate");
    hub.client(Some("stranger")).await.err().expect("not by an authority of the hub's");
    hub.client(Some("client")).await.unwrap();
    // The command line, too.
    let port = hub.process.address.rsplit(':').next().unwrap().to_owned();
    let list = |more: &[&str]| {
        let mut command = crate::process::program();
        command.args(["member", "list", "--json", "--hub", &format!("https://localhost:{port}"), "--key-file"]);
        command.arg(hub.folder.path().join("hub/admin.key")).arg("--ca-cert").arg(&authority).args(more);
        crate::process::Ran::from(command.output().unwrap())
    };
    let (certificate, key) = (fixture("client.pem"), fixture("client.key"));
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    assert_eq!(list(&["--client-cert", certificate, "--client-key", key]).code, 0);
    assert_eq!(list(&[]).code, 2);
    let ran = list(&["--client-cert", certificate]);
    assert!(ran.code == 2 && ran.stderr.contains("client_key"), "{ran:?}");
    hub.stop();
}

#[test]
fn settings_of_client_certificates_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (fixture("localhost.pem"), fixture("localhost.key"));
    let authority = fixture("authority.pem");
    let [certificate, key, authority] = [&certificate, &key, &authority].map(|path| path.to_str().unwrap());
    let nonsense = folder.path().join("nonsense.pem");
    std::fs::write(&nonsense, "nonsense").unwrap();
    for (more, named) in [
        (vec!["--tls-client-ca", authority], "tls_client_ca"),
        (vec!["--tls-cert", certificate, "--tls-key", key, "--tls-client-cert-required"], "tls_client_cert_required"),
        (
            vec!["--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", nonsense.to_str().unwrap()],
            "nonsense.pem",
        ),
        (vec!["--connections-max", "0"], "connections_max"),
    ] {
        let mut command = crate::process::program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path().join("hub")).args(&more);
        let ran = crate::process::Ran::from(command.output().unwrap());
        assert!(ran.code == 2 && ran.stderr.contains(named), "{more:?}: {ran:?}");
    }
}

#[test]
fn sighup_leaves_a_hub_without_tls_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let hub = HubProcess::start(&folder.path().join("hub"));
    let sent = Command::new("kill").args(["-HUP", &hub.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let key = folder.path().join("hub/admin.key");
    let ran = crate::process::run(&["member", "list", "--hub", &hub.url(), "--key-file", key.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    hub.stop();
}
