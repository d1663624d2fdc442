//! The `hashcommons` program. Everything is in the library; this starts its command line.

fn main() -> std::process::ExitCode {
    hashcommons::cli::run()
}
