//! Settings of `serve`: where they come from, and those that are refused.

use std::process::Stdio;

use crate::process::{HubProcess, Ran, program, wait};

fn serve(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    program().arg("serve").args(arguments).envs(variables.iter().copied()).output().unwrap().into()
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let file = path("hub.toml");
    std::fs::write(&file, format!("data_dir = {:?}\nlisten = '127.0.0.2:0'\nlog_format = 'json'\n", path("file")))
        .unwrap();
    let start = |variables: &[(&str, &str)], flags: &[&str]| {
        // `start_with` gives an address and a directory as flags; here they are what is asked.
        let mut command = program();
        let mut child = command
            .args(["serve", "--config", &file])
            .args(flags)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        let said: Vec<String> = lines.by_ref().map(Result::unwrap).take_while(|line| line != "ready").collect();
        child.kill().unwrap();
        wait(&mut child);
        said.join("\n")
    };
    let said = start(&[], &[]);
    assert!(said.contains("127.0.0.2:") && said.contains(&path("file/admin.key")), "{said}");
    let variables = [("HASHCOMMONS_DATA_DIR", path("variable")), ("HASHCOMMONS_LISTEN", "127.0.0.3:0".to_owned())];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let said = start(&variables, &[]);
    assert!(said.contains("127.0.0.3:") && said.contains(&path("variable/admin.key")), "{said}");
    let said = start(&variables, &["--data-dir", &path("flag"), "--listen", "127.0.0.4:0"]);
    assert!(said.contains("127.0.0.4:") && said.contains(&path("flag/admin.key")), "{said}");
}

#[test]
fn a_settings_file_that_is_not_as_it_must_be_is_refused_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.toml");
    let data_dir = folder.path().join("hub");
    for (text, words) in [
        ("lisen = '127.0.0.1:0'", &["hub.toml", "unknown field `lisen`", "`listen`"][..]),
        ("listen = 'here'", &["hub.toml", "socket address"]),
        ("media_workers = -1", &["hub.toml", "-1"]),
        ("media_bytes_max = 600000000", &["media_bytes_max", "leave too little"]),
        ("log_format = 'xml'", &["hub.toml", "xml", "`json`"]),
        ("tls_cert = 'x.pem'", &["tls_key is not"]),
        ("tls_key = 'x.pem'", &["tls_cert is not"]),
        ("log = '==='", &["log"]),
    ] {
        std::fs::write(&file, text).unwrap();
        let ran = serve(&["--config", file.to_str().unwrap(), "--data-dir", data_dir.to_str().unwrap()], &[]);
        assert_eq!(ran.code, 2, "{text}: {ran:?}");
        for word in words {
            assert!(ran.stderr.contains(word), "`{word}` is not in: {}", ran.stderr);
        }
    }
    assert!(!data_dir.exists());
    assert!(serve(&["--config", "/nonexistent/hub.toml"], &[]).stderr.contains("/nonexistent/hub.toml"));
}

#[test]
fn an_address_that_others_can_reach_needs_tls_or_a_proxy_that_does_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data_dir, file) = (folder.path().join("hub"), folder.path().join("hub.toml"));
    let arguments = ["--listen", "0.0.0.0:0", "--data-dir", data_dir.to_str().unwrap()];
    let refused = serve(&arguments, &[]);
    assert_eq!(refused.code, 2);
    for word in ["without TLS", "--tls-cert", "--behind-tls-proxy", "loopback"] {
        assert!(refused.stderr.contains(word), "{refused:?}");
    }
    assert!(!data_dir.exists());
    std::fs::write(&file, "behind_tls_proxy = true").unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let unset = serve(&[&arguments[..], &config[..]].concat(), &[("HASHCOMMONS_BEHIND_TLS_PROXY", "false")]);
    assert!(unset.code == 2 && unset.stderr.contains("without TLS"), "{unset:?}");
    let hub = HubProcess::start_with(&data_dir, |command| {
        command.arg("--behind-tls-proxy");
    });
    hub.stop();
    let mut child = program()
        .args([&["serve"][..], &arguments, &config].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let said: Vec<String> = lines.map(Result::unwrap).take_while(|line| line != "ready").collect();
    child.kill().unwrap();
    wait(&mut child);
    assert!(said[0].starts_with("listening on 0.0.0.0:"), "{said:?}");
}

#[test]
fn the_first_start_makes_the_operators_key_for_its_owner_alone_and_says_where() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("hub");
    let hub = HubProcess::start(&data_dir);
    let (key, second) = (data_dir.join("admin.key"), data_dir.join("admin-2.key"));
    let mode = |name: &str| std::fs::metadata(data_dir.join(name)).unwrap().permissions().mode() & 0o777;
    assert!(
        hub.said.iter().any(|line| line.contains("first start")
            && [&key, &second].iter().all(|path| line.contains(path.to_str().unwrap())))
    );
    assert_eq!(
        [mode("admin.key"), mode("admin-2.key"), mode("ledger.key"), mode("api-keys.secret"), mode("")],
        [0o600, 0o600, 0o600, 0o600, 0o700]
    );
    hub.stop();
    let kept = std::fs::read(&key).unwrap();
    let hub = HubProcess::start(&data_dir);
    assert!(!hub.said.iter().any(|line| line.contains("first start")), "{:?}", hub.said);
    hub.stop();
    assert_eq!(std::fs::read(&key).unwrap(), kept);
}
