//! The processes of a function on the local AWS: one for each batch that is worked on at a time, kept
//! for later ones. They can be killed, as Lambda's own can die at any moment.

use std::fs;
use std::io;

use rustix::process::{Pid, Signal, kill_process};

use crate::local_aws::LocalAws;
use crate::{Failure, tail};

/// A process of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionProcess {
    pid: Pid,
    /// When it began, in the system's ticks: with the id, the process and no other.
    began: String,
    /// The log stream that it was given, as on AWS one of its own.
    pub log_stream: String,
}

/// What `/proc` says of a process that is alive.
struct Status {
    parent: u32,
    group: u32,
    began: String,
}

impl LocalAws {
    /// The living processes of a function: children of the local AWS in its process group, whose
    /// environment names the function.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn processes(&self, function: &str) -> Result<Vec<FunctionProcess>, Failure> {
        let mut processes = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            let Some(status) = status(pid)? else { continue };
            if status.parent != self.process() || status.group != self.process() {
                continue;
            }
            let environment = present(fs::read(format!("/proc/{pid}/environ")))?;
            let Some(environment) = environment else { continue };
            let variable = |name: &str| {
                let mut lines = environment.split(|byte| *byte == 0);
                let line = lines.find_map(|line| line.strip_prefix(format!("{name}=").as_bytes()));
                line.map(|value| String::from_utf8_lossy(value).into_owned())
            };
            if variable("AWS_LAMBDA_FUNCTION_NAME").as_deref() != Some(function) {
                continue;
            }
            let log_stream = variable("AWS_LAMBDA_LOG_STREAM_NAME");
            let log_stream = log_stream.ok_or("a function without a log stream")?;
            let pid = Pid::from_raw(pid).ok_or("a process without an id")?;
            processes.push(FunctionProcess { pid, began: status.began, log_stream });
        }
        Ok(processes)
    }
}

impl FunctionProcess {
    /// Kills it with SIGKILL; `false` if it was dead already.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&self) -> Result<bool, Failure> {
        match status(self.pid.as_raw_pid())? {
            Some(status) if status.began == self.began => {}
            _ => return Ok(false),
        }
        match kill_process(self.pid, Signal::KILL) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// The status of a process, unless it is dead (and perhaps not buried yet).
fn status(pid: i32) -> Result<Option<Status>, Failure> {
    let Some(text) = present(fs::read_to_string(format!("/proc/{pid}/stat")))? else {
        return Ok(None);
    };
    // `pid (name) state parent group …`, and the name may hold anything.
    let fields: Vec<_> =
        text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let [state, parent, group, ..] = fields[..] else {
        return Err(format!("/proc/{pid}/stat is not understood: {}", tail(&text)).into());
    };
    if matches!(state, "Z" | "X") {
        return Ok(None);
    }
    let began = fields.get(19).ok_or("a process that never began")?;
    let began = (*began).to_owned();
    Ok(Some(Status { parent: parent.parse()?, group: group.parse()?, began }))
}

/// What was read, or nothing if the process has ended or is none of ours.
fn present<T>(read: io::Result<T>) -> Result<Option<T>, Failure> {
    match read {
        Ok(read) => Ok(Some(read)),
        // The second is how a read ends whose process ended after the file was opened.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_dead_process_is_not_killed_again() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("a child");
        let pid = Pid::from_child(&child);
        let began = status(pid.as_raw_pid()).expect("a status").expect("it lives").began;
        let process = FunctionProcess { pid, began, log_stream: String::new() };
        assert!(process.kill().expect("it may be killed"));
        child.wait().expect("its end");
        assert!(!process.kill().expect("nothing to kill"));
    }

    #[test]
    fn a_process_that_took_over_an_id_is_another_one() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("a child");
        let earlier = FunctionProcess {
            pid: Pid::from_child(&child),
            began: "0".to_owned(),
            log_stream: String::new(),
        };
        assert!(!earlier.kill().expect("nothing to kill"));
        assert!(child.try_wait().expect("its state").is_none(), "it lives");
        child.kill().expect("its end");
        child.wait().expect("its end");
    }
}
