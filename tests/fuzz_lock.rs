//! The fuzz targets are a workspace with a lock file of its own: what they have in common with the service must be the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Versions by package; some packages are there twice.
fn locked(file: &str) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let lock: toml::Table = text.parse().unwrap();
    let mut versions = BTreeMap::<_, Vec<_>>::new();
    for package in lock["package"].as_array().unwrap() {
        let field = |name: &str| package[name].as_str().unwrap().to_owned();
        versions.entry(field("name")).or_default().push(field("version"));
    }
    versions
}

#[test]
fn the_fuzz_targets_are_built_with_the_versions_that_the_service_is_built_with() {
    let (service, targets) = (locked("Cargo.lock"), locked("fuzz/Cargo.lock"));
    let others: Vec<_> = targets
        .iter()
        .filter_map(|(name, versions)| {
            let own = service.get(name)?;
            let strange: Vec<_> = versions.iter().filter(|version| !own.contains(version)).collect();
            (!strange.is_empty()).then(|| format!("{name}: {strange:?} in fuzz/Cargo.lock, {own:?} in Cargo.lock"))
        })
        .collect();
    assert!(targets.contains_key("image"), "it is not the lock file of the fuzz targets");
    assert!(others.is_empty(), "{}", others.join("\n"));
}
