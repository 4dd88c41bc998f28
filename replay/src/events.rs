//! What happened: every event of the journal as one JSON object. Refuses to keep them.

use crate::{ReplayError, Watch, describe, history::replay};
use protocol::{
    AccountId, Sequence,
    event::{ChunkHeader, EventChunk},
    reject::Outcome,
};
use serde_json::{Map, Value};
use std::path::Path;

/// Which events are wanted; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// From this command on.
    pub from: Option<Sequence>,
    /// Up to this command.
    pub to: Option<Sequence>,
    /// That concern this account.
    pub account: Option<AccountId>,
    /// In the instrument of this symbol.
    pub instrument: Option<String>,
}

impl EventFilter {
    fn wants(&self, fields: &Map<String, Value>) -> bool {
        let is = |key: &str, id: u32| fields.get(key).and_then(Value::as_u64) == Some(u64::from(id));
        let concerns = |account: AccountId| {
            ["account", "to", "maker_account", "taker_account"].iter().any(|key| is(key, account.0))
        };
        let symbol = fields.get("instrument").and_then(Value::as_str);
        self.account.is_none_or(concerns)
            && self.instrument.as_deref().is_none_or(|wanted| symbol == Some(wanted))
    }
}

/// Shows each event that is wanted to `see`: `sequence`, `index` (its place in its command), `time`
/// (nanoseconds), `source`, `number`, `command`, `event`, and what the event says. A refused command
/// is the event `CommandRefused`; it concerns no account.
///
/// # Errors
/// When the journal cannot be read, or `see` says so.
pub fn events(
    directory: &Path,
    filter: &EventFilter,
    watch: Watch<'_>,
    mut see: impl FnMut(&Value) -> Result<(), ReplayError>,
) -> Result<(), ReplayError> {
    replay(directory, filter.to, watch, |engine, sequence, chunks| {
        if filter.from.is_some_and(|from| sequence < from) {
            return Ok(());
        }
        let unreadable = |source| ReplayError::Record { sequence, source };
        let mut index = 0;
        for chunk in EventChunk::all(chunks) {
            let chunk = chunk.map_err(unreadable)?;
            for event in chunk.events() {
                let (name, fields) = describe::event(engine, &event.map_err(unreadable)?);
                if filter.wants(&fields) {
                    see(&line(&chunk.header, index, name, fields))?;
                }
                index += 1;
            }
            if let Some(Outcome::Refused(reject)) = chunk.header.outcome() {
                let mut fields = Map::new();
                fields.insert("reject".into(), reject.name().into());
                if filter.wants(&fields) {
                    see(&line(&chunk.header, index, "CommandRefused", fields))?;
                }
            }
        }
        Ok(())
    })
    .map(|_| ())
}

fn line(header: &ChunkHeader, index: u64, name: &str, fields: Map<String, Value>) -> Value {
    let mut line = Map::new();
    line.insert("sequence".into(), header.sequence.0.into());
    line.insert("index".into(), index.into());
    line.insert("time".into(), header.time.0.into());
    line.insert("source".into(), header.source.0.into());
    line.insert("number".into(), header.number.0.into());
    line.insert("command".into(), format!("{:?}", header.kind).into());
    line.insert("event".into(), name.into());
    line.extend(fields);
    Value::Object(line)
}
