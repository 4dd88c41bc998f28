//! What happened: every event of the journal as one JSON object. Refuses to keep them.

use crate::{
    ReplayError, Watch,
    begin::Begin,
    describe::{self, ByQuote},
    history::{Step, replay},
};
use protocol::{AccountId, Sequence, reject::Outcome};
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
    let mut by_quote = ByQuote::default();
    replay(directory, Begin::before(filter.from), filter.to, watch, |step| {
        if filter.from.is_some_and(|from| step.sequence < from) {
            return Ok(());
        }
        let mut count = 0;
        by_quote.begin_command();
        let header = step.events(|index, event| {
            count = index + 1;
            by_quote.note(event);
            let (name, fields) = describe::event(step.engine, event, &by_quote);
            if filter.wants(&fields) { see(&line(step, index, name, fields)) } else { Ok(()) }
        })?;
        if let Some(Outcome::Refused(reject)) = header.outcome() {
            let mut fields = Map::new();
            fields.insert("reject".into(), reject.name().into());
            if filter.wants(&fields) {
                see(&line(step, count, "CommandRefused", fields))?;
            }
        }
        Ok(())
    })
    .map(|_| ())
}

fn line(step: &Step<'_>, index: u64, name: &str, fields: Map<String, Value>) -> Value {
    let header = step.record.header;
    let mut line = Map::new();
    line.insert("sequence".into(), step.sequence.0.into());
    line.insert("index".into(), index.into());
    line.insert("time".into(), header.time.0.into());
    line.insert("source".into(), header.source.0.into());
    line.insert("number".into(), header.number.0.into());
    line.insert("command".into(), format!("{:?}", header.kind).into());
    line.insert("event".into(), name.into());
    line.extend(fields);
    Value::Object(line)
}
