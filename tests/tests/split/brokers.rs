//! The same with Kafka between the processes: gateways answer from `rialto.events`, and whoever is killed,
//! the brokers among them, nothing acknowledged is lost.

use crate::kills::{audit, caught_up, clients, verify};
use std::sync::atomic::Ordering;
use tests::{
    kafka::{self, Broker},
    load::{Load, Random},
    program,
    split::Split,
};

/// Answers between two kills.
const ANSWERS: u64 = 100;

#[test]
fn over_kafka_each_killed_apart_loses_and_doubles_nothing() {
    if let Some(missing) = kafka::missing() {
        println!("not run: {missing}");
        return;
    }
    let mut broker = Broker::start();
    let mut split = Split::prepare(2, Some(broker.servers()));
    split.start_all();
    let load = Load::new(&split.directory().join("acknowledged")).expect("the log can be made");
    let mut random = Random::new(u64::from(std::process::id()));
    for killed in ["the engine", "a gateway", "the broker"] {
        let traders = clients(&split, 0);
        load.trade(&traders, killed.split(' ').next_back().expect("a word"), &mut random, || {
            let answers = || load.answers.load(Ordering::Relaxed);
            load.wait_for(answers() + ANSWERS);
            match killed {
                "the engine" => {
                    split.engine.kill();
                    split.engine.start();
                }
                "a gateway" => {
                    split.gateways[0].0.kill();
                    split.gateways[0].0.start();
                }
                _ => {
                    broker.kill();
                    broker.start_again();
                }
            }
            if killed == "the engine" {
                load.wait_for(answers() + ANSWERS);
            }
            load.end();
        });
        caught_up(&mut split);
        println!("over Kafka, {killed} killed: {}", audit(&split, &load));
    }
    let configuration = split.directory().join("engine.toml");
    let configuration = configuration.to_str().expect("text");
    let ways = program::run_json(["trace", "--sequence", "30", "--config", configuration, "--json"]);
    let record = &ways[0]["kafka"];
    assert!(record["topic"] == "rialto.events" && record["first"].as_u64() <= Some(30), "{ways}");
    println!("command 30 is in {record}");
    split.engine.terminate();
    verify(&split.data());
}
