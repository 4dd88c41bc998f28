//! `rialto snapshot`: asks a running exchange for one, lists those of a directory. Refuses to make one
//! by itself.

use crate::{admin_client, command_line::SnapshotCommand};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use data_encoding::HEXLOWER;
use engine_journal::{FileStorage, Snapshots};
use hyper::Method;
use serde_json::{Value, json};
use std::path::Path;

/// Does it; false when a snapshot is damaged.
pub(crate) fn run(command: SnapshotCommand) -> anyhow::Result<bool> {
    match command {
        SnapshotCommand::Now { data, admin_listen, json } => {
            let made = admin_client::ask(&data, admin_listen, Method::POST, "/admin/snapshots", None)?;
            if json {
                println!("{made}");
            } else {
                println!(
                    "the snapshot of command {} is made: {} bytes in {} ms, state {}",
                    made["sequence"],
                    made["bytes"],
                    made["milliseconds"],
                    made["state_hash"].as_str().unwrap_or_default()
                );
            }
            Ok(true)
        }
        SnapshotCommand::List { directory, json } => list(&directory, json),
    }
}

fn list(directory: &Path, as_json: bool) -> anyhow::Result<bool> {
    let snapshots = Snapshots::new(FileStorage::new(directory));
    let mut all_whole = true;
    let mut rows = Vec::new();
    for sequence in snapshots.list()? {
        let row = match snapshots.read(sequence) {
            Ok(snapshot) => json!({
                "sequence": sequence,
                "bytes": snapshot.payload.len(),
                "state_hash": HEXLOWER.encode(&snapshot.info.state_hash),
                "whole": true,
            }),
            Err(error) => {
                all_whole = false;
                json!({"sequence": sequence, "whole": false, "error": error.to_string()})
            }
        };
        rows.push(row);
    }
    if as_json {
        println!("{}", Value::Array(rows));
    } else if rows.is_empty() {
        println!("there are no snapshots in {}", directory.display());
    } else {
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED);
        table.set_header(["command", "bytes", "state, or what is wrong"]);
        for row in &rows {
            let said = row["state_hash"].as_str().or(row["error"].as_str()).unwrap_or_default();
            table.add_row([row["sequence"].to_string(), row["bytes"].to_string(), said.to_owned()]);
        }
        println!("{table}");
    }
    Ok(all_whole)
}
