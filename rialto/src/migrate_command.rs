//! `rialto migrate`: brings the configured databases to this build's schema, or takes migrations back.
//! Refuses to take back more than it is told.

use crate::{command_line::MigrateFlags, config::Config};
use anyhow::bail;
use clap::ValueEnum;
use database::{Database, DatabaseLocation, TableGroup};
use serde_json::json;

/// Which tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// Accounts, keys, the audit log, promised commands.
    Accounts,
    /// The books of record.
    Settlement,
}

impl Group {
    const fn tables(self) -> TableGroup {
        match self {
            Self::Accounts => TableGroup::Accounts,
            Self::Settlement => TableGroup::Settlement,
        }
    }
}

/// Does it.
pub(crate) fn run(flags: &MigrateFlags) -> anyhow::Result<()> {
    let config = Config::of(&flags.common)?;
    let groups = flags.group.map_or(TableGroup::ALL.to_vec(), |group| vec![group.tables()]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut answers = serde_json::Map::new();
    for group in groups {
        let location = config.database(group)?;
        if let DatabaseLocation::Sqlite(path) = &location
            && !path.parent().is_some_and(std::path::Path::is_dir)
        {
            bail!("{} is not there; give the data directory of an exchange by --data", path.display());
        }
        let names = runtime.block_on(async {
            match flags.down {
                None => Database::migrate(&location, group).await,
                Some(count) => Database::roll_back(&location, group, count).await,
            }
        })?;
        let (verb, key) = if flags.down.is_some() { ("took back", "took_back") } else { ("ran", "ran") };
        if !flags.json {
            let listed =
                if names.is_empty() { "nothing: it is up to date".to_owned() } else { names.join(", ") };
            println!("{}: {verb} {listed} ({location})", group.name());
        }
        answers.insert(group.name().to_owned(), json!({key: names, "database": location.to_string()}));
    }
    if flags.json {
        println!("{}", serde_json::Value::Object(answers));
    }
    Ok(())
}
