//! Searches that are guided by coverage, by libFuzzer.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::Target;

/// The panic that was last.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Makes a program of a target.
#[macro_export]
macro_rules! search {
    ($name:expr) => {
        libfuzzer_sys::fuzz_target!(init: $crate::guided::begin($name), |data: &[u8]| {
            $crate::guided::one($name, data)
        });
    };
}

/// Takes the hook for panics back, with which libFuzzer ends at the first one: some are caught by the
/// readers, as the crates behind them promise nothing. Writes the seeds where the environment says so.
///
/// # Panics
///
/// If the seeds cannot be written.
pub fn begin(name: &str) {
    let _libfuzzers = take_hook();
    set_hook(Box::new(|panic| {
        let trace = std::backtrace::Backtrace::capture();
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("{panic}\n{trace}");
    }));
    let Some(folder) = std::env::var_os("INLET_FUZZ_SEEDS") else { return };
    let target = Target::named(name).expect("a target of this name");
    for seed in target.seeds() {
        let name = format!("seed-{:08x}", crc32fast::hash(&seed));
        std::fs::write(Path::new(&folder).join(name), seed).expect("a seed can be written");
    }
}

/// The name of the target that the environment asks for.
///
/// # Panics
///
/// If it asks for none.
pub fn asked_for() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        std::env::var("INLET_FUZZ_TARGET").expect("INLET_FUZZ_TARGET names a target")
    })
}

/// Tries one input. A panic that nobody caught ends the program.
pub fn one(name: &str, data: &[u8]) {
    let target = Target::named(name).expect("a target of this name");
    if catch_unwind(AssertUnwindSafe(|| target.try_with(data))).is_err() {
        eprintln!("{}", PANIC.lock().unwrap_or_else(PoisonError::into_inner));
        std::process::abort();
    }
}
