//! `rialto audit`: shows what administration did, and follows the chain of hashes over it. Reads the
//! database of a stopped or a running exchange as it is. Refuses to judge what was done.

use crate::{
    command_line::{AuditCommand, AuditPlace, ConfigFlags},
    config::Config,
};
use accounts::audit::{AuditError, AuditHead, AuditLog};
use anyhow::{Context as _, bail};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use data_encoding::HEXLOWER_PERMISSIVE;
use database::{Database, DatabaseLocation, TableGroup};
use serde_json::{Value, json};
use std::path::Path;

/// Does it; false when the log was changed.
pub(crate) fn run(command: &AuditCommand) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            AuditCommand::Verify { place, known, json } => {
                let known = known.as_deref().map(head).transpose()?;
                let (database, log) = open(place).await?;
                let verified = log.verify(known).await;
                database.close().await;
                told(verified, *json)
            }
            AuditCommand::List { place, after, limit, json } => {
                let (database, log) = open(place).await?;
                let entries = log.entries(*after, *limit).await;
                database.close().await;
                let rows = entries?.into_iter().map(|entry| {
                    json!({
                        "id": entry.id,
                        "time": entry.time.0,
                        "actor": entry.actor,
                        "action": entry.action,
                        "details": serde_json::from_str(&entry.details).unwrap_or(Value::String(entry.details)),
                        "hash": HEXLOWER_PERMISSIVE.encode(&entry.hash),
                    })
                });
                show(rows.collect(), *json);
                Ok(true)
            }
        }
    })
}

async fn open(place: &AuditPlace) -> anyhow::Result<(Database, AuditLog)> {
    let database = if let Some(directory) = &place.directory {
        open_file(&directory.join("accounts.sqlite")).await?
    } else {
        let (config, database) = (place.config.clone(), place.database.clone());
        let config = Config::of(&ConfigFlags { config, database, ..ConfigFlags::default() })?;
        match config.database(TableGroup::Accounts)? {
            DatabaseLocation::Sqlite(path) => open_file(&path).await?,
            location @ DatabaseLocation::Postgres { .. } => {
                Database::open(&location, TableGroup::Accounts).await?
            }
        }
    };
    Ok((database.clone(), AuditLog::new(database)))
}

async fn open_file(path: &Path) -> anyhow::Result<Database> {
    if !path.exists() {
        bail!("there is no {}; give the data directory of an exchange", path.display());
    }
    Ok(Database::open_sqlite_as_it_is(path).await?)
}

/// An end noted before, as `verify` prints it: `ID:HASH`.
fn head(text: &str) -> anyhow::Result<AuditHead> {
    let parts = text.split_once(':').and_then(|(id, hash)| {
        let hash = HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).ok()?;
        Some(AuditHead { id: id.parse().ok()?, hash: hash.try_into().ok()? })
    });
    parts.with_context(|| {
        format!("`{text}` is no end of an audit log; give ID:HASH as `rialto audit verify` printed it")
    })
}

fn told(verified: Result<AuditHead, AuditError>, as_json: bool) -> anyhow::Result<bool> {
    let (answer, words) = match verified {
        Ok(head) => {
            let hash = HEXLOWER_PERMISSIVE.encode(&head.hash);
            let words = format!(
                "{} rows, a whole chain; its end, to be noted elsewhere and given as --known next time:\n{}:{hash}",
                head.id, head.id
            );
            (json!({"whole": true, "rows": head.id, "hash": hash}), words)
        }
        Err(AuditError::Tampered { id, what }) => {
            let words = AuditError::Tampered { id, what }.to_string();
            (json!({"whole": false, "row": id, "what": what}), words)
        }
        Err(error) => return Err(error.into()),
    };
    if as_json {
        println!("{answer}");
    } else {
        println!("{words}");
    }
    Ok(answer["whole"] == true)
}

fn show(rows: Vec<Value>, as_json: bool) {
    if as_json {
        println!("{}", Value::Array(rows));
        return;
    }
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header(["row", "time (ns)", "who", "what", "to what"]);
    for row in rows {
        let text = |key: &str| row[key].as_str().map_or_else(|| row[key].to_string(), str::to_owned);
        table.add_row(["id", "time", "actor", "action", "details"].map(text));
    }
    println!("{table}");
}
