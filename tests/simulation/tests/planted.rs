//! Planted bugs: the checker finds each of them.

use inlet_simulation::plant::Bug;
use inlet_simulation::seeds::play_all;

fn found(bug: Bug) {
    let summary = play_all(0, 2_000, Some(bug), 1);
    println!("{bug:?}: {}", summary.show());
    assert!(!summary.broken.is_empty(), "{bug:?} went unnoticed in {} histories", summary.played);
}

#[test]
fn a_completion_without_the_epoch_check_is_found() {
    found(Bug::CompletionWithoutEpoch);
}

#[test]
fn done_before_the_acknowledgement_is_found() {
    found(Bug::DoneBeforeAcknowledged);
}

#[test]
fn a_reversed_sequencer_is_found() {
    found(Bug::SequencerReversed);
}

#[test]
fn a_lease_that_a_takeover_does_not_renew_is_found() {
    found(Bug::LeaseKeptAtTakeover);
}

#[test]
fn an_etag_recorded_at_its_claim_is_found() {
    found(Bug::SeenAtClaim);
}

#[test]
fn counters_that_a_checkpoint_forgets_are_found() {
    found(Bug::CountersForgotten);
}

#[test]
fn a_consumer_without_the_rule_of_generations_goes_wrong() {
    found(Bug::GenerationIgnored);
}
