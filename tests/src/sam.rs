//! The AWS SAM command line, on the template of this repository.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::local_aws::{LocalAws, REGION, ROOT};
use crate::venv::Venv;
use crate::{Failure, repository, tail, target};

/// SAM as a newcomer calls it, apart from where it builds and which AWS it talks to.
#[derive(Debug)]
pub struct Sam<'a> {
    venv: &'a Venv,
}

/// A bucket of its own that a customer's files lie in: the stack may read it.
pub const CUSTOMER_BUCKET: &str = "a-customer-of-ours";

impl<'a> Sam<'a> {
    /// The SAM of `venv`.
    pub fn new(venv: &'a Venv) -> Self {
        Self { venv }
    }

    /// Checks the template, and returns what SAM said of it.
    ///
    /// # Errors
    /// When SAM or its linter finds fault.
    pub fn validate(&self) -> Result<String, Failure> {
        self.run(self.command("validate").arg("--lint").args(["--template-file", "template.yaml"]))
    }

    /// Builds both functions, unoptimised, for the processor of this machine.
    ///
    /// # Errors
    /// When they do not compile.
    pub fn build(&self) -> Result<(), Failure> {
        let mut build = self.command("build");
        build
            .env("SAM_BUILD_MODE", "debug")
            .args(["--template-file", "template.yaml"])
            .arg("--build-dir")
            .arg(build_directory());
        self.run(&mut build).map(drop)
    }

    /// Deploys what was built, as `stack`.
    ///
    /// # Errors
    /// When the deployment fails.
    pub fn deploy(&self, aws: &LocalAws, stack: &str) -> Result<(), Failure> {
        let mut deploy = self.command("deploy");
        deploy
            .env("AWS_ENDPOINT_URL", aws.endpoint())
            .env("AWS_CA_BUNDLE", aws.certificate())
            .arg("--template-file")
            .arg(build_directory().join("template.yaml"))
            .args(["--stack-name", stack]);
        self.run(&mut deploy).map(drop)
    }

    /// A command that takes nothing from the caller's own AWS and SAM configuration, and leaves
    /// nothing there. The rest comes from the `local` part of `samconfig.toml`.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.venv.program("sam"));
        command
            .current_dir(repository())
            .env("PATH", self.venv.search_path())
            .env("SAM_CLI_TELEMETRY", "0")
            .env("SAM_CLI_VERSION_CHECK", "0")
            .env("__SAM_CLI_APP_DIR", target().join("sam-home"))
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .env("AWS_ACCESS_KEY_ID", ROOT.0)
            .env("AWS_SECRET_ACCESS_KEY", ROOT.1)
            .env("AWS_DEFAULT_REGION", REGION)
            .arg(name)
            .arg("--config-file")
            .arg(repository().join("samconfig.toml"))
            .args(["--config-env", "local"]);
        if name != "validate" {
            command.arg("--parameter-overrides").arg(format!("Architecture={}", architecture()));
            command.arg(format!("SourceBucketArns=arn:aws:s3:::{CUSTOMER_BUCKET}"));
        }
        command
    }

    fn run(&self, command: &mut Command) -> Result<String, Failure> {
        let Output { status, stdout, stderr } = command.output()?;
        let said = String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr);
        if status.success() {
            return Ok(said.into_owned());
        }
        let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        Err(format!("sam {} ended with {status}:\n{}", arguments.join(" "), tail(&said)).into())
    }
}

/// The name that Lambda has for the processor of this machine, where the functions will run.
fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

fn build_directory() -> PathBuf {
    target().join("sam/build")
}
