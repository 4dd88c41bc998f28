//! An exchange that publishes, killed again and again.

use crate::{
    exchange::{Market, Part, Publishing, child, runtime},
    reading::{agrees, open, read},
    shared_broker,
};
use protocol::Sequence;
use std::io::{BufRead as _, BufReader};

const KILLS: usize = 8;

pub fn killed() {
    let options = shared_broker("killed");
    let directory = tempfile::tempdir().expect("a temporary directory");
    for kill in 0..KILLS {
        let mut child = child(Part::Trade, &[], &options, directory.path());
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        for _ in 0..=3 + kill * 5 {
            lines.next().expect("the child trades").expect("a line");
        }
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
    }
    // The next opening publishes what is left.
    let mut market = Market::open(directory.path());
    let publishing = Publishing::start(&options, directory.path(), Some(market.published()));
    let last = market.trade(1);
    publishing.wait_for(last);
    publishing.stop().expect("it published");
    market.stop();
    let end = agrees(&options, directory.path());
    assert_eq!(end, last);
    runtime().block_on(async {
        let middle = Sequence(end.0 / 2);
        let seen = read(&mut open(&options, middle).await, middle, end).await;
        assert_eq!(seen.epoch, KILLS as u32 + 1, "each opening is an epoch");
    });
    println!("{KILLS} kills, {end} commands: 0 gaps, 0 effective repeats");
}
