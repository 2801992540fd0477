//! Thousands of histories: no promise is broken, whatever goes wrong.
//!
//! `INLET_SEED=123` plays one history and tells it; `INLET_SEEDS=100000` plays so many.

use inlet_simulation::play;
use inlet_simulation::seeds::play_all;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

/// Plays it once more, and tells all of it.
fn tell(seed: u64) {
    let verdict = play(seed, None, true);
    println!("{}", verdict.history);
    println!("seed {seed}:");
    for what in &verdict.broken {
        println!("  {what}");
    }
    assert!(
        verdict.broken.is_empty(),
        "seed {seed} breaks a promise; again: \
         INLET_SEED={seed} cargo test -p inlet-simulation --test seeds -- --nocapture"
    );
}

#[test]
fn whatever_goes_wrong_downstream_ends_as_the_bucket() {
    if let Some(seed) = number("INLET_SEED") {
        return tell(seed);
    }
    let first = number("INLET_FIRST_SEED").unwrap_or(0);
    let summary = play_all(first, number("INLET_SEEDS").unwrap_or(2_000), None, 20);
    println!("{}", summary.show());
    if let Some((seed, _)) = summary.broken.first() {
        tell(*seed);
    }
    assert!(summary.broken.is_empty());
}

#[test]
fn a_seed_tells_the_same_history_each_time() {
    for seed in 0..20 {
        let (one, two) = (play(seed, None, true), play(seed, None, true));
        assert!(one.history == two.history, "seed {seed}");
        assert!(one.history.len() > 100, "seed {seed} tells something");
    }
}
