//! The command line: what it answers, and how it says no.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;

use backup::{BackupError, Command, Verdict};
use clap::{FromArgMatches as _, Subcommand as _};
use support::{GATEWAY, Place, open, set_up};

/// Runs `rialto backup` with these words, in which `@` stands for the test's directory.
fn run(place: &Place, words: &str) -> Result<Verdict, BackupError> {
    let root = place.path("").display().to_string();
    let words = words.split_whitespace().map(|word| word.replace('@', root.trim_end_matches('/')));
    let command = Command::augment_subcommands(clap::Command::new("backup").no_binary_name(true));
    Command::from_arg_matches(&command.try_get_matches_from(words).unwrap()).unwrap().run()
}

#[test]
fn it_makes_checks_lists_restores_and_prunes_and_says_no_to_what_is_damaged() {
    let place = Place::new();
    let exchange = open(&place.data());
    set_up(&exchange.port(GATEWAY));
    exchange.stop();
    let good = |words: &str| assert_eq!(run(&place, words).unwrap(), Verdict::Good, "{words}");
    good("create @/data --to @/backups --key-file @/key");
    good("create @/data --to @/backups --key-file @/key --kind incremental --without-state-hash --json");
    good("list @/backups");
    good("list @/backups --json");
    good("verify @/backups --key-file @/key");
    good("restore --from @/backups --to @/restored --key-file @/key --at 3");
    good("prune @/backups --dry-run");
    good("prune @/backups --daily 1 --weekly 1 --monthly 1 --json");
    assert_eq!(open(&place.path("restored")).recovered().0, 3);

    let full = backup::Catalogue::read(&place.backups()).unwrap().backups()[0].id.clone();
    fs::write(place.backups().join(&full).join("000000.blob"), "something else").unwrap();
    assert_eq!(run(&place, "verify @/backups --key-file @/key").unwrap(), Verdict::Bad);
    fs::write(place.backups().join(&full).join("manifest.json"), "{").unwrap();
    assert_eq!(run(&place, "list @/backups").unwrap(), Verdict::Bad);
    assert_eq!(run(&place, "verify @/backups --key-file @/key").unwrap(), Verdict::Bad);
    for words in [
        "restore --from @/backups --to @/again --key-file @/key",
        "verify @/nowhere --key-file @/key",
        "create @/backups --to @/backups --key-file @/key",
        "list @/key",
    ] {
        assert!(run(&place, words).is_err(), "{words}");
    }
}
