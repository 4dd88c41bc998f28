//! The stream over a real Apache Kafka: what is published, once and in order, whatever happens to the
//! broker and to the publisher; who may read and write; what is refused. Without Java and the broker's
//! classes the tests are told, and counted as ignored.

mod backpressure;
mod brokers;
mod delivery;
mod exchange;
mod fencing;
mod program;
mod public;
mod publishers;
mod reading;
mod security;
mod speed;
mod topics;

use libtest_mimic::{Arguments, Trial};
use std::{
    process::ExitCode,
    sync::{Mutex, PoisonError},
};
use stream::KafkaOptions;
use tests::kafka::{self, Broker};

const TESTS: &[(&str, fn())] = &[
    ("a_broker_killed_frozen_and_stopped_gets_everything_once_and_in_order", brokers::hurt_while_producing),
    ("a_publisher_killed_again_and_again_leaves_no_gap_and_no_repeat", publishers::killed),
    ("a_reader_goes_on_from_any_position", reading::from_any_position),
    ("a_command_larger_than_a_record_is_read_whole", reading::of_a_large_command),
    ("a_reader_ahead_of_the_log_is_told_so", reading::ahead_of_the_log),
    ("an_unknown_version_stops_a_reader", reading::unknown_version),
    ("records_of_a_replaced_engine_are_refused", fencing::by_readers),
    ("a_replaced_engine_does_not_publish", fencing::by_the_publisher),
    ("an_event_log_behind_the_topic_is_not_published", fencing::of_a_lost_journal),
    ("the_public_topics_tell_everything_once_and_in_order", public::tell_everything),
    ("a_server_killed_and_ended_publishes_what_it_answered", program::publishes_what_it_answered),
    ("a_broker_that_is_away_stops_new_orders_at_the_bound_alone", backpressure::up_to_the_bound),
    ("no_record_leaves_before_its_sync_has_returned", delivery::waits_for_the_sync),
    ("topics_are_made_as_they_must_be", topics::made),
    ("a_topic_that_would_lose_order_or_events_is_refused", topics::refused),
    ("publishing_and_reading_beside_raw_clients_leave_each_byte_once", speed::beside_raw_clients),
    ("tls_and_a_password_let_in_who_should_be", security::lets_in),
    ("a_wrong_password_or_certificate_is_told", security::keeps_out),
];

/// The broker of all tests that do it no harm; each has topics of its own.
static SHARED: Mutex<Option<Broker>> = Mutex::new(None);

/// A broker that runs, with topics that are called after a test.
fn shared_broker(name: &str) -> KafkaOptions {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let broker = shared.get_or_insert_with(Broker::start);
    KafkaOptions { topic_prefix: format!("{name}-"), ..KafkaOptions::plaintext(broker.servers()) }
}

fn main() -> ExitCode {
    if exchange::run_as_child() {
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let missing = kafka::missing();
    if let Some(reason) = &missing {
        println!("the tests with Kafka are skipped: {reason}");
    }
    let trials = TESTS.iter().map(|(name, test)| {
        let trial = Trial::test(*name, || {
            test();
            Ok(())
        });
        trial.with_ignored_flag(missing.is_some())
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    drop(SHARED.lock().unwrap_or_else(PoisonError::into_inner).take());
    conclusion.exit_code()
}
