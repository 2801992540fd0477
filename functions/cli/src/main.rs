//! `inlet`: the pipeline on one machine, and the operator's commands.
//!
//! Exit codes: 0, 1 something failed (or, of `status`, is not as it should be), 2 usage (wrong arguments
//! or definitions).

/// Writes a line to standard output. Whoever closed it has seen enough, as in `inlet … | head`.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::say(format_args!($($text)*))
    };
}

mod apply;
mod dev;
mod explain;
mod home;
mod preview;
mod read;
mod refresh;
mod replay;
mod show;
mod status;
mod subscribe;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Files that people drop into buckets become records downstream: every file, once, in order.
#[derive(Debug, Parser)]
#[command(name = "inlet", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the pipeline on this machine over a directory (the default command)
    ///
    /// DIR holds connections/, sources/ and buckets/<bucket>/…; events go to DIR/out/<source>/<table>.ndjson
    /// and the state is kept in DIR/.inlet/. Without --once it watches the directory until Ctrl-C.
    ///
    /// Exit code 1 if an object failed.
    Dev {
        /// The directory; by default this one, or `samples` in it
        dir: Option<PathBuf>,
        /// End when everything is settled
        #[arg(long)]
        once: bool,
    },
    /// Print the rows of a file; rejects go to standard error
    Read {
        /// The file, or `-` for standard input
        file: PathBuf,
        /// Read it as this source's definition says
        #[arg(long, value_name = "FILE")]
        source: Option<PathBuf>,
        /// How the rows are written
        #[arg(long, value_enum, default_value_t = To::Ndjson)]
        to: To,
    },
    /// Show what a file was found to be and why, its first records and its first rejects
    Preview {
        /// The file, `-` for standard input, or s3://bucket/key with the caller's own credentials
        file: String,
        /// Read it as this source's definition says
        #[arg(long, value_name = "FILE")]
        source: Option<PathBuf>,
        /// How many records and rejects
        #[arg(long, default_value_t = 5)]
        rows: usize,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Check the definitions in a directory, and list all that is wrong with them
    Validate {
        /// The directory with connections/ and sources/
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Put the definitions in a directory into force in a deployed stack
    Apply {
        /// The directory with connections/ and sources/
        dir: PathBuf,
        /// The CloudFormation stack
        #[arg(long)]
        stack: String,
    },
    /// Let a bucket send its notices to a stack; whatever it sends to others stays as it is
    Subscribe {
        /// The bucket, as s3://bucket or s3://bucket/prefix
        bucket: String,
        /// The CloudFormation stack
        #[arg(long)]
        stack: String,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Tell the whole story of one object: where is my file?
    Explain {
        /// The object, as s3://bucket/key
        object: String,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// Tell how things stand: what is waiting, running, done, parked and failed, and why
    ///
    /// Exit code 1 if an object failed, a dead letter lies there, or (with --check) ledger and bucket
    /// disagree.
    Status {
        /// The source's key; by default all sources
        source: Option<String>,
        /// Compare the ledger with the bucket, too; nothing is ordered
        #[arg(long)]
        check: bool,
        /// As one JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// List what the bucket holds and the ledger does not know, and order it
    Refresh {
        /// The source's key; by default all sources
        source: Option<String>,
        /// Deliver what is unchanged too
        #[arg(long)]
        full: bool,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// Order again what was settled before: objects, a choice from the ledger, or the dead letters
    ///
    /// Objects by name are delivered again whatever became of them, with the ids that they had. Of a
    /// choice, what is done is delivered again, and what is not is taken up until it is. Filters are
    /// combined; at least one is needed.
    Replay {
        #[command(flatten)]
        what: replay::Arguments,
        #[command(flatten)]
        home: HomeArguments,
    },
}

fn say(text: std::fmt::Arguments<'_>) {
    use std::io::Write;
    if writeln!(std::io::stdout().lock(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Which home a command is about.
#[derive(Args, Debug)]
#[group(multiple = false)]
struct HomeArguments {
    /// A directory of `inlet dev`; by default this one, or `samples` in it
    #[arg(long)]
    dir: Option<PathBuf>,
    /// A deployed CloudFormation stack, with the caller's own AWS credentials
    #[arg(long)]
    stack: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// One JSON object a line
    Ndjson,
    /// RFC 4180, the header first
    Csv,
}

/// How a command ends, when not well.
#[derive(Debug)]
enum Ending {
    /// Something failed, and was said; or is said here.
    Failed(Option<String>),
    /// The arguments or definitions are wrong.
    Usage(String),
}

impl<E: std::error::Error> From<E> for Ending {
    fn from(error: E) -> Self {
        Ending::Failed(Some(error.to_string()))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let level = std::env::var("RUST_LOG").ok().and_then(|level| level.parse().ok());
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level.unwrap_or(tracing_subscriber::filter::LevelFilter::WARN))
        .init();
    let command = Arguments::parse().command.unwrap_or(Command::Dev { dir: None, once: false });
    let ended = match command {
        Command::Dev { dir, once } => dev::run(dir, once).await,
        Command::Read { file, source, to } => read::run(&file, source.as_deref(), to),
        Command::Preview { file, source, rows, json } => {
            preview::run(&file, source.as_deref(), rows, json).await
        }
        Command::Validate { dir } => validate::run(&dir),
        Command::Apply { dir, stack } => apply::run(&dir, &stack).await,
        Command::Subscribe { bucket, stack, dry_run } => {
            subscribe::run(&bucket, &stack, dry_run).await
        }
        Command::Explain { object, home } => explain::run(&object, &home).await,
        Command::Status { source, check, json, home } => {
            status::run(source.as_deref(), check, json, &home).await
        }
        Command::Refresh { source, full, home } => {
            refresh::run(source.as_deref(), full, &home).await
        }
        Command::Replay { what, home } => replay::run(&what, &home).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ending::Failed(why)) => {
            if let Some(why) = why {
                eprintln!("inlet: {why}");
            }
            ExitCode::from(1)
        }
        Err(Ending::Usage(why)) => {
            eprintln!("inlet: {why}");
            ExitCode::from(2)
        }
    }
}
