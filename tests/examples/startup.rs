//! From the start of a process to its first request for work: the ingest function beside the least
//! function with the same clients (`minimal`), taking turns.
//!
//! `cargo run --release -p inlet-tests --example startup [ROUNDS]`; exit 1 if the ingest function takes
//! more than twice as long.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let rounds = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(40);
    build(&["--package", "inlet-ingest"]);
    build(&["--package", "inlet-tests", "--example", "minimal"]);
    let release = inlet_tests::target().join("release");
    let programs: [PathBuf; 2] = [release.join("ingest"), release.join("examples/minimal")];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (program, times) in programs.iter().zip(&mut times) {
            times.push(start(program));
        }
    }
    let [ingest, minimal] = times.map(|mut times| {
        times.sort_unstable();
        (times[times.len() / 2], times[0], times[times.len() - 1])
    });
    println!("from process start to the first request for work, {rounds} starts each");
    for (name, (median, least, most)) in [("ingest", ingest), ("minimal", minimal)] {
        println!("{name:>8}: median {median:?}, least {least:?}, most {most:?}");
    }
    let ratio = ingest.0.as_secs_f64() / minimal.0.as_secs_f64();
    println!("   ratio: {ratio:.2} (at most 2)");
    if ratio <= 2.0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn build(what: &[&str]) {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(cargo).args(["build", "--release"]).args(what).status();
    assert!(status.expect("cargo runs").success(), "the build of {what:?} failed");
}

/// Starts the program with a runtime API of our own, and waits until it asks for work.
fn start(program: &Path) -> Duration {
    let api = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = api.local_addr().expect("an address").to_string();
    let began = Instant::now();
    let mut process = Command::new(program)
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_LAMBDA_FUNCTION_NAME", "ingest")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "none")
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .envs(
            ["LEDGER_TABLE", "CATALOG_TABLE", "NOTICE_QUEUE_URL", "DEAD_LETTER_QUEUE_URL"]
                .map(|name| (format!("INLET_{name}"), "none")),
        )
        .envs(
            ["RECORDS_QUEUE_URL", "STATE_BUCKET", "DROP_BUCKET"]
                .map(|name| (format!("INLET_{name}"), "none")),
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let (mut connection, _) = api.accept().expect("it asks");
    let mut request = [0; 64];
    let read = connection.read(&mut request).expect("its request");
    let took = began.elapsed();
    assert!(request[..read].starts_with(b"GET /2018-06-01/runtime/invocation/next"));
    process.kill().expect("it is ended");
    process.wait().expect("it ends");
    took
}
