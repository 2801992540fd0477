//! Damage as transport, tools and people do it: a short run over every target is part of the tests. A long
//! one, on other numbers each time:
//!
//! ```text
//! INLET_FUZZ_SECONDS=1800 cargo test --release -p inlet-fuzz --test damage -- --nocapture
//! ```
//!
//! (`INLET_FUZZ_TARGETS=csv,xls` names some of them.)
//! What it finds it tells by a target and a number, and `INLET_FUZZ_CASE=csv:17` plays that one case.
//! `run.sh` searches far deeper.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use fastrand::Rng;
use inlet_fuzz::{TARGETS, Target};

/// Cases of each target in the short run, besides its seeds.
const CASES: u64 = 150;
/// Bytes of an input at most.
const MOST: usize = 64 << 10;
/// What one input may take. (In a debug build on a busy machine.)
const PATIENCE: Duration = Duration::from_secs(60);

fn damage(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.usize(1..=4) {
        if bytes.is_empty() {
            bytes.extend_from_slice(other);
            continue;
        }
        let at = rng.usize(..bytes.len());
        match rng.u8(..10) {
            0 => bytes[at] ^= 1 << rng.u8(..8),
            1 => bytes[at] = rng.u8(..),
            2 => bytes.truncate(at),
            3 => {
                bytes.remove(at);
            }
            4 => {
                let more = rng.usize(1..40);
                let byte = *rng.choice(b"\"',;\t\n\r{}[]<>&\\\0\xff 0").unwrap_or(&0);
                bytes.splice(at..at, std::iter::repeat_n(byte, more));
            }
            5 => {
                let end = (at + rng.usize(1..200)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = rng.usize(..=bytes.len());
                bytes.splice(to..to, piece);
            }
            6 => {
                let end = (at + rng.usize(1..200)).min(bytes.len());
                bytes.drain(at..end);
            }
            7 if !other.is_empty() => {
                let from = rng.usize(..other.len());
                let end = (from + rng.usize(1..400)).min(other.len());
                bytes.splice(at..at, other[from..end].iter().copied());
            }
            8 => {
                // A length or an offset that is out of all bounds.
                let wrong =
                    *rng.choice(&[0, 1, 0x7fff_ffff, 0xffff_ffff, 1 << 20]).unwrap_or(&0_u32);
                for (byte, value) in bytes[at..].iter_mut().zip(wrong.to_le_bytes()) {
                    *byte = value;
                }
            }
            _ => {
                let end = (at + rng.usize(1..64)).min(bytes.len());
                rng.fill(&mut bytes[at..end]);
            }
        }
    }
    bytes.truncate(MOST);
}

/// The input of a number: first the seeds as they are, then damaged ones.
fn input(number: u64, seeds: &[Vec<u8>]) -> Vec<u8> {
    if let Some(seed) = usize::try_from(number).ok().and_then(|number| seeds.get(number)) {
        return seed.clone();
    }
    let mut rng = Rng::with_seed(number);
    let mut bytes = seeds[rng.usize(..seeds.len())].clone();
    let other = &seeds[rng.usize(..seeds.len())];
    damage(&mut rng, &mut bytes, other);
    bytes
}

fn play(target: &Target, number: u64, seeds: &[Vec<u8>]) {
    let bytes = input(number, seeds);
    let case = format!("INLET_FUZZ_CASE={}:{number}", target.name);
    let began = Instant::now();
    let tried = catch_unwind(AssertUnwindSafe(|| target.try_with(&bytes)));
    tried.unwrap_or_else(|_| panic!("{case}: {}", bytes.escape_ascii()));
    let took = began.elapsed();
    assert!(took < PATIENCE, "{case} took {took:?}");
}

#[test]
fn whatever_is_damaged_all_that_is_promised_holds() {
    let variable = |name: &str| std::env::var(name).ok();
    if let Some(case) = variable("INLET_FUZZ_CASE") {
        let (name, number) = case.split_once(':').expect("INLET_FUZZ_CASE=target:number");
        let target = Target::named(name).expect("a target");
        return play(target, number.parse().expect("a number"), &target.seeds());
    }
    let seconds = variable("INLET_FUZZ_SECONDS").map(|seconds| seconds.parse().expect("seconds"));
    let seconds = seconds.map(Duration::from_secs);
    let began = Instant::now();
    let names = variable("INLET_FUZZ_TARGETS");
    let asked = |target: &&Target| {
        names.as_deref().is_none_or(|names| names.split(',').any(|name| name == target.name))
    };
    let targets: Vec<&Target> = TARGETS.iter().filter(asked).collect();
    let mut found = Vec::new();
    for (at, target) in (1..).zip(&targets) {
        let until = seconds.map(|seconds| began + seconds * at / targets.len() as u32);
        // What is found of one target does not end the search in the others.
        match catch_unwind(|| search(target, until)) {
            Ok(inputs) => {
                let took = began.elapsed().as_secs_f64();
                let held = inlet_fuzz::held();
                println!("{}: {inputs} inputs; {took:.1} s; {held} bytes held", target.name);
            }
            Err(_) => found.push(target.name),
        }
    }
    assert!(found.is_empty(), "something was found of {found:?}: see above");
}

/// The seeds, and damage to them: some cases, or as many as there are until then.
fn search(target: &Target, until: Option<Instant>) -> u64 {
    let seeds = target.seeds();
    let mut inputs = seeds.len() as u64;
    (0..inputs).for_each(|number| play(target, number, &seeds));
    match until {
        None => {
            (inputs..inputs + CASES).for_each(|number| play(target, number, &seeds));
            inputs += CASES;
        }
        Some(until) => {
            let mut rng = Rng::new();
            while Instant::now() < until {
                play(target, rng.u64(..) | 1 << 63, &seeds);
                inputs += 1;
            }
        }
    }
    inputs
}
