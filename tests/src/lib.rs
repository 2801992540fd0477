//! What the tests share: a local AWS with the real stack deployed on it.

pub use inlet_simulation::conformance;

pub mod consumer;
pub mod downstream;
pub mod files;
pub mod functions;
pub mod local_aws;
pub mod sam;
pub mod stack;
pub mod venv;
pub mod wait;

use std::path::{Path, PathBuf};

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// Why the support code could not do what a test asked of it: a text for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What AWS said to a call: its own code and message, else why it could not be reached.
pub fn refused<E, R>(error: SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    match error.as_service_error() {
        Some(answer) => {
            let code = answer.code().unwrap_or("an error without a code");
            format!("{code}: {}", answer.message().unwrap_or_default()).into()
        }
        None => DisplayErrorContext(&error).to_string().into(),
    }
}

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the repository")
}

/// Cargo's target directory, for all that the tests write.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => std::path::absolute(directory).expect("the current directory is known"),
        None => repository().join("target"),
    }
}

/// The end of a long text, where tools say what went wrong.
fn tail(text: &str) -> &str {
    let lines = text.trim_end();
    let start = lines.rmatch_indices('\n').nth(40).map_or(0, |(at, _)| at + 1);
    &lines[start..]
}
