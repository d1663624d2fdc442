//! Encrypted, or not at all where others could listen.

use crate::process::{HubProcess, Ran, program};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

fn fixture(name: &str) -> String {
    format!("{FIXTURES}/{name}")
}

#[test]
fn a_hub_with_a_certificate_is_reached_over_https_with_its_authority_and_not_without() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("hub");
    let hub = HubProcess::start_with(&data_dir, |command| {
        command.args(["--tls-cert", &fixture("localhost.pem"), "--tls-key", &fixture("localhost.key")]);
    });
    let port = hub.address.rsplit(':').next().unwrap();
    let key = data_dir.join("admin.key");
    let ask = |url: &str, more: &[&str]| -> Ran {
        let mut command = program();
        command.args(["member", "list", "--json", "--hub", url, "--key-file"]).arg(&key).args(more);
        command.output().unwrap().into()
    };
    let authority = fixture("authority.pem");
    for host in ["localhost", "127.0.0.1"] {
        let ran = ask(&format!("https://{host}:{port}"), &["--ca-cert", &authority]);
        assert_eq!((ran.code, ran.json().len()), (0, 1), "{ran:?}");
    }
    let ran = ask(&format!("https://localhost:{port}"), &[]);
    assert!(ran.code == 2 && ran.stderr.contains("ertificate"), "{ran:?}");
    let ran = ask(&format!("http://127.0.0.1:{port}"), &[]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let ran = ask(&format!("https://localhost:{port}"), &["--ca-cert", "absent.pem"]);
    assert!(ran.code == 2 && ran.stderr.contains("certificate file"), "{ran:?}");
    hub.stop();
}

#[test]
fn a_certificate_file_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let nonsense = folder.path().join("nonsense.pem");
    std::fs::write(&nonsense, "nonsense").unwrap();
    let nonsense = nonsense.to_str().unwrap();
    let (certificate, key) = (fixture("localhost.pem"), fixture("localhost.key"));
    for (tls, named) in [
        (["--tls-cert", "absent.pem", "--tls-key", &key], "absent.pem"),
        (["--tls-cert", &certificate, "--tls-key", "absent.key"], "absent.key"),
        (["--tls-cert", nonsense, "--tls-key", &key], nonsense),
        (["--tls-cert", &certificate, "--tls-key", nonsense], nonsense),
    ] {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path().join("hub")).args(tls);
        let ran: Ran = command.output().unwrap().into();
        assert!(ran.code == 2 && ran.stderr.contains(named), "{tls:?}: {ran:?}");
    }
}

#[test]
fn a_key_is_never_sent_in_the_clear_to_an_address_that_others_can_reach() {
    let folder = tempfile::tempdir().unwrap();
    let hub = HubProcess::start(&folder.path().join("hub"));
    for url in ["http://192.0.2.1:7420", "http://hub.example:7420", "http://127.0.0.1.example:7420"] {
        let mut command = program();
        command.args(["member", "list", "--hub", url, "--key-file"]).arg(folder.path().join("hub/admin.key"));
        let ran: Ran = command.output().unwrap().into();
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("refusing to send a key") && ran.stderr.contains("https://"), "{ran:?}");
    }
    hub.stop();
}

#[test]
fn a_client_certificate_is_a_key_until_that_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("hub");
    let hub = HubProcess::start_with(&data_dir, |command| {
        command.args(["--tls-cert", &fixture("localhost.pem"), "--tls-key", &fixture("localhost.key")]);
        command.args(["--tls-client-ca", &fixture("authority.pem")]);
    });
    let url = format!("https://localhost:{}", hub.address.rsplit(':').next().unwrap());
    let (authority, certificate, private) = (fixture("authority.pem"), fixture("client.pem"), fixture("client.key"));
    let ask = |arguments: &[&str]| -> Ran {
        let mut command = program();
        command.args(arguments).args(["--json", "--hub", &url, "--ca-cert", &authority]);
        command.output().unwrap().into()
    };
    let admin = data_dir.join("admin.key");
    let admin = ["--key-file", admin.to_str().unwrap()];
    let enrol = ["member", "enrol", "--name", "Desk", "--jurisdiction", "NZ", "--duty", "auditor"];
    let enrolled = ask(&[&enrol[..], &admin].concat());
    let member = enrolled.json()[0]["member_id"].as_str().unwrap().to_owned();
    let shown = ["--client-cert", &certificate, "--client-key", &private];
    let list = |more: &[&str]| ask(&[&["member", "list"], more].concat());
    // Signed by the hub's authority, and still nobody's.
    let ran = list(&shown);
    assert!(ran.code == 2 && ran.stderr.contains("unknown, revoked, expired or not for this address"), "{ran:?}");

    let issued = ask(&[&["key", "issue", &member, "--certificate", &certificate], &admin[..]].concat());
    let (facts, fingerprint) = (&issued.json()[0], std::fs::read_to_string(fixture("client.fingerprint")).unwrap());
    assert_eq!(facts["key"]["certificate"], fingerprint.trim(), "{issued:?}");
    assert!(facts["secret"].as_str().is_none_or(str::is_empty), "{facts}");
    let ran = list(&shown);
    assert_eq!((ran.code, ran.json().len()), (0, 1), "{ran:?}");
    // One key a certificate; and none that could be rotated.
    let ran = ask(&[&["key", "issue", &member, "--certificate", &certificate], &admin[..]].concat());
    assert!(ran.code == 2 && ran.stderr.contains("certificate: is that of another live key"), "{ran:?}");
    let id = facts["key"]["key_id"].as_str().unwrap();
    let ran = ask(&[&["key", "rotate", id], &admin[..]].concat());
    assert!(ran.code == 2 && ran.stderr.contains("is a certificate's"), "{ran:?}");
    // With somebody else's API key it opens nothing; without the certificate that does.
    assert_eq!((list(&[&shown[..], &admin].concat()).code, list(&admin).code), (2, 0));

    assert_eq!(ask(&[&["key", "revoke", id], &admin[..]].concat()).code, 0);
    assert_eq!(list(&shown).code, 2);
    let ran = ask(&[&["key", "issue", &member, "--certificate", &fixture("client.key")], &admin[..]].concat());
    assert!(ran.code == 2 && ran.stderr.contains("--certificate") && ran.stderr.contains("client.key"), "{ran:?}");
    hub.stop();
}
