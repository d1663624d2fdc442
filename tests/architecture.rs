//! The direction of dependencies between the modules, which a single crate gets no help with from the compiler: every file of
//! `src/` is read, and what it names is compared with where it stands.

#[path = "support/source.rs"]
mod source;

use std::path::Path;

use source::{Source, read_tree};

/// From the ground up. A module may name those of lower levels and itself; not those beside it.
const LEVELS: &[&[&str]] = &[
    &["domain"],
    &["media", "index", "ledger", "policy"],
    &["store", "worker"],
    &["hub"],
    &["wire"],
    // `client` names `policy` for one thing, the API key that it sends: a lower level, so no exception is needed.
    &["grpc", "rest", "console", "peer", "replica", "client"],
    &["serve"],
    &["cli"],
    &["lib", "main"],
];

/// Crates and words that only these files may name. A folder stands for all that is below it.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("rocksdb", &["store/"]),
    ("anyhow", &["cli/"]),
    ("clap", &["cli/"]),
    ("indicatif", &["cli/"]),
    // Where generated types come from: the API's, and the stored records'.
    ("include_proto", &["wire/mod.rs"]),
    ("include", &["ledger/record.rs", "wire/mod.rs"]),
    // Who reads and writes their bytes. `hub` sees records as bytes and values of the domain.
    ("prost", &["ledger/record.rs", "ledger/record/", "store/", "wire/", "client/", "cli/output.rs"]),
    ("prost_types", &["wire/", "cli/output.rs"]),
    ("prost_reflect", &["client/"]),
    ("tonic", &["wire/", "grpc/", "client/", "serve/", "cli/"]),
    ("tonic_types", &["wire/status.rs"]),
    // The processes that decode, and what locks them in; and how many files the hub may open.
    ("rustix", &["worker/", "cli/hash/hasher.rs", "serve/mod.rs"]),
    ("landlock", &["worker/sandbox/"]),
    ("seccompiler", &["worker/sandbox/"]),
    ("libc", &["worker/sandbox/"]),
    ("tokio", &["worker/", "hub/", "grpc/", "client/", "serve/", "cli/"]),
    // What is below tonic.
    ("hyper", &["serve/"]),
    ("hyper_util", &["serve/"]),
    ("rustls", &["serve/"]),
    ("tokio_rustls", &["serve/"]),
    ("img_hash", &["media/"]),
    ("image", &["media/", "cli/demo/"]),
    ("re_rav1d", &["media/decode/avif/av1.rs"]),
    ("tikv_jemallocator", &["main.rs"]),
    ("ed25519_dalek", &["ledger/"]),
    ("arc_swap", &["index/", "hub/"]),
    // Huge pages; and a page that can be executed, which the sandbox must not give.
    ("memmap2", &["index/table.rs", "worker/sandbox/tests.rs"]),
    ("bytemuck", &["index/table.rs", "index/simd.rs", "media/pdq/simd/avx2.rs"]),
    // What the lint would otherwise refuse, and what it is for.
    ("unsafe_code", &["index/simd.rs", "media/pdq/simd/avx2.rs"]),
    ("unsafe", &["index/simd.rs", "media/pdq/simd/avx2.rs"]),
    ("x86_64", &["index/simd.rs", "media/pdq/simd/avx2.rs"]),
];

/// Files of more lines than this say at their top why they are long.
const LINES_MAX: usize = 500;
/// How they say it.
const LONG_BECAUSE: &str = "Long because ";

/// Everything that is not as the architecture has it.
fn violations(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .flat_map(|source| [wrong_directions(source), wrong_words(source), too_long(source)].concat())
        .collect()
}

fn level(module: &str) -> Option<usize> {
    LEVELS.iter().position(|level| level.contains(&module))
}

fn wrong_directions(source: &Source) -> Vec<String> {
    let own = source.module();
    let Some(height) = level(own) else { return vec![format!("{}: `{own}` is on no level", source.path)] };
    let mut wrong = Vec::new();
    for (named, line) in source.named_modules() {
        let Some(other) = level(&named) else { continue };
        if named != own && other >= height {
            let relation = if other == height { "stands beside" } else { "is above" };
            wrong.push(format!("{}:{line}: names `{named}`, which {relation} `{own}`", source.path));
        }
    }
    wrong
}

fn wrong_words(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    for (word, places) in ONLY_IN {
        if places.iter().any(|place| source.path.starts_with(place)) {
            continue;
        }
        wrong.extend(source.lines_naming(word).iter().map(|line| format!("{}:{line}: names {word}", source.path)));
    }
    // Generated types of the API need no rule of their own: they are `wire`'s, which those below may not name at all.
    if !source.path.starts_with("ledger/record.rs") && !source.path.starts_with("store/") {
        let names = source.code().lines().any(|line| line.contains("record::") && line.contains("v1"));
        wrong.extend(names.then(|| format!("{}: names generated types of records", source.path)));
    }
    wrong
}

fn too_long(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let long = lines > LINES_MAX && !source.head().contains(LONG_BECAUSE);
    long.then(|| format!("{}: {lines} lines, and its top does not say \"{LONG_BECAUSE}…\"", source.path))
        .into_iter()
        .collect()
}

#[test]
fn every_module_names_only_modules_below_it_and_only_the_crates_that_are_its_business() {
    let sources = read_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 100, "only {} files were read", sources.len());
    assert_eq!(violations(&sources), [""; 0]);
}

#[test]
fn the_reader_sees_the_dependencies_that_are_there() {
    // Without these it would find nothing wrong because it finds nothing.
    let sources = read_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let names = |path: &str| -> Vec<String> {
        let source = sources.iter().find(|source| source.path == path).unwrap_or_else(|| panic!("no {path}"));
        let mut names: Vec<_> = source.named_modules().into_iter().map(|(name, _)| name).collect();
        names.dedup();
        names
    };
    assert_eq!(names("serve/mod.rs"), ["domain", "grpc", "hub"]);
    assert_eq!(names("client/mod.rs"), ["policy", "wire"]);
    assert_eq!(names("hub/fold/mod.rs"), ["domain", "policy", "store"]);
    assert_eq!(names("main.rs"), ["cli"]);
}

#[test]
fn a_made_up_tree_with_each_kind_of_violation_is_reported_line_by_line() {
    let long = format!("//! A module.\n{}", "fn f() {}\n".repeat(LINES_MAX));
    let excused = format!("//! A module.\n//! Long because it is a table.\n{}", "fn f() {}\n".repeat(LINES_MAX));
    let sources = [
        Source::new("domain/mod.rs", "use crate::ledger::Hash;"),
        Source::new("media/mod.rs", "//! use crate::hub;\nfn f() {\n    crate::index::search();\n}"),
        Source::new("policy/access.rs", "fn f() { let _ = \"crate::hub\"; super::super::store::open(); }"),
        Source::new("hub/check.rs", "use crate::{\n    domain::{Code, Date},\n    wire::v1,\n};\nuse rocksdb::DB;"),
        Source::new("hub/fold.rs", "use crate::ledger::record::{self, v1};\nuse prost::Message;"),
        Source::new("grpc/mod.rs", "use crate::client::Client;\nuse crate::hub::Hub;"),
        Source::new("serve.rs", "use crate::cli::Cli;\nfn f() -> anyhow::Result<()> { Ok(()) }"),
        Source::new("index/flat.rs", "use tokio::sync::Mutex;\nfn f() { unsafe { g() } }"),
        Source::new("cli/long.rs", &long),
        Source::new("cli/table.rs", &excused),
        Source::new("helpers/mod.rs", ""),
    ];
    assert_eq!(
        violations(&sources),
        [
            "domain/mod.rs:1: names `ledger`, which is above `domain`",
            "media/mod.rs:3: names `index`, which stands beside `media`",
            "policy/access.rs:1: names `store`, which is above `policy`",
            "hub/check.rs:1: names `wire`, which is above `hub`",
            "hub/check.rs:5: names rocksdb",
            "hub/fold.rs:2: names prost",
            "hub/fold.rs: names generated types of records",
            "grpc/mod.rs:1: names `client`, which stands beside `grpc`",
            "serve.rs:1: names `cli`, which is above `serve`",
            "serve.rs:2: names anyhow",
            "index/flat.rs:1: names tokio",
            "index/flat.rs:2: names unsafe",
            "cli/long.rs: 501 lines, and its top does not say \"Long because …\"",
            "helpers/mod.rs: `helpers` is on no level",
        ]
    );
}
