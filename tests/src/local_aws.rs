//! A whole AWS on this machine, for as long as a test runs.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore, rustls_provider::CryptoMode};
use tempfile::TempDir;

use crate::venv::Venv;
use crate::{Failure, tail, target};

const SERVER: &str = include_str!("local_aws.py");
const START: Duration = Duration::from_secs(60);

/// The only Region there is.
pub const REGION: &str = "us-east-1";
/// The access key of the account's root, which may do everything.
pub(crate) const ROOT: (&str, &str) = ("test", "test");

/// A local AWS (MiniStack) that enforces IAM, reachable by TLS alone. It ends with this value, and
/// also when the test process is killed: then its standard input closes.
#[derive(Debug)]
pub struct LocalAws {
    server: Child,
    endpoint: String,
    log: PathBuf,
    directory: TempDir,
}

impl LocalAws {
    /// Starts it and waits until it serves.
    ///
    /// # Errors
    /// When it does not serve in time, with the end of its log.
    pub fn start(venv: &Venv) -> Result<Self, Failure> {
        fs::create_dir_all(target())?;
        let directory = tempfile::Builder::new().prefix("local-aws-").tempdir_in(target())?;
        let log = target().join("local-aws.log");
        let mut server = Command::new(venv.program("python"))
            .args(["-c", SERVER])
            .arg(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()?;
        let port = reported_port(&mut server);
        let mut aws = Self { server, endpoint: String::new(), log, directory };
        let Some(port) = port else {
            let said = fs::read_to_string(&aws.log)?;
            return Err(format!("the local AWS did not start:\n{}", tail(&said)).into());
        };
        aws.endpoint = format!("https://127.0.0.1:{port}");
        Ok(aws)
    }

    /// Where all its services are.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The certificate authority to trust, as a PEM file.
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// What it logged, with what the functions printed.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The process that serves, whose children the functions are.
    pub(crate) fn process(&self) -> u32 {
        self.server.id()
    }

    /// How the account's root calls it.
    ///
    /// # Errors
    /// When its certificate cannot be read.
    pub fn root(&self) -> Result<SdkConfig, Failure> {
        self.caller(ROOT.0, ROOT.1, None)
    }

    /// How the owner of an access key calls it.
    pub(crate) fn caller(
        &self,
        access_key: &str,
        secret: &str,
        session_token: Option<&str>,
    ) -> Result<SdkConfig, Failure> {
        let authority = fs::read(self.certificate())?;
        let trusted = TrustStore::empty().with_pem_certificate(authority);
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(TlsContext::builder().with_trust_store(trusted).build()?)
            .build_https();
        let session_token = session_token.map(str::to_owned);
        let credentials = Credentials::new(access_key, secret, session_token, None, "test");
        Ok(SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(&self.endpoint)
            .http_client(http)
            .region(Region::from_static(REGION))
            // What is not answered is asked again: now and then the server forgets a request.
            .timeout_config(TimeoutConfig::builder().read_timeout(Duration::from_secs(10)).build())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .build())
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        // It ends when this closes, with every function it started.
        drop(self.server.stdin.take());
        if let Err(error) = self.server.wait() {
            eprintln!("could not wait for the local AWS to end: {error}");
        }
    }
}

/// The line that the server writes when it is ready.
fn reported_port(server: &mut Child) -> Option<u16> {
    let output = server.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    // The thread ends with the server, at the latest.
    std::thread::spawn(move || {
        let mut line = String::new();
        if BufReader::new(output).read_line(&mut line).is_ok() {
            // Nobody listens any more when it came too late.
            sender.send(line).ok();
        }
    });
    receiver.recv_timeout(START).ok()?.trim_end().parse().ok()
}
