//! Compiles the protobuf files with `protox`, a compiler in Rust: no `protoc` needed.

use std::path::{Path, PathBuf};
use std::{env, error, fs};

use prost::Message as _;

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let api = protos("proto/hashcommons/v1")?;
    let files = protox::compile(&api, ["proto"])?;
    // Server reflection answers from this file.
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("hashcommons_v1.bin"), files.encode_to_vec())?;
    fs::write(out.join("hashcommons_v1_methods.rs"), format!("&{:?}", methods(&files)))?;
    // With their names, so that `--json` can find a message's description.
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure().compile_fds_with_config(files, config)?;

    let records = protox::compile(protos("proto/hashcommons/record/v1")?, ["proto"])?;
    tonic_prost_build::configure().build_client(false).build_server(false).compile_fds(records)?;
    Ok(())
}

/// The path of every method, as in `/package.Service/Method`, sorted.
fn methods(files: &prost_types::FileDescriptorSet) -> Vec<String> {
    let services = files.file.iter().flat_map(|file| file.service.iter().map(move |service| (file, service)));
    let mut methods: Vec<_> = services
        .flat_map(|(file, service)| {
            let path = format!("/{}.{}/", file.package(), service.name());
            service.method.iter().map(move |method| format!("{path}{}", method.name()))
        })
        .collect();
    methods.sort();
    methods
}

/// The `.proto` files of one folder, sorted so that builds repeat.
fn protos(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>, Box<dyn error::Error>> {
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "proto"));
    files.sort();
    Ok(files)
}
