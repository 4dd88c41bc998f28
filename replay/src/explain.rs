//! Why a balance is what it is: every command that moved it, in order, and the balance after each.
//! Adds up what the events say and holds it, command by command, to the engine's own balance.
//! Refuses to leave anything out, and to know who asks.

use crate::{
    ReplayError, Watch,
    begin::{self, Begin},
    describe,
    history::{Step, go_on, storage},
    movement::{Movement, MovementKind, Named, Role, movements, order_of, words},
};
use engine_core::{Engine, ledger::balances::Balance};
use protocol::{AccountId, AssetId, Sequence, event::Event, instrument::Name};
use serde::Serialize;
use std::path::Path;

/// Which balance is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Whose.
    pub account: AccountId,
    /// Of what, by its name.
    pub asset: String,
    /// After which command; after the last one without it.
    pub at: Option<Sequence>,
}

/// A command that moved the balance. Amounts are decimals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The command's sequence.
    pub sequence: u64,
    /// Its time, in nanoseconds since 1970.
    pub time: u64,
    /// The same in words, UTC.
    pub time_iso: String,
    /// What kind of command it was; what is due ends at any command.
    pub command: String,
    /// Who sent it.
    pub source: u32,
    /// The sender's number.
    pub number: u64,
    /// What it did, one reason each, in order.
    pub changes: Vec<Change>,
    /// All changes of what may be spent.
    pub available_change: String,
    /// All changes of what is set aside.
    pub held_change: String,
    /// What may be spent after it.
    pub available: String,
    /// What is set aside after it.
    pub held: String,
}

/// One movement, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The reason.
    pub kind: MovementKind,
    /// What happened, in words.
    pub text: String,
    /// Change of what may be spent.
    pub available_change: String,
    /// Change of what is set aside.
    pub held_change: String,
    /// What may be spent after it.
    pub available: String,
    /// What is set aside after it.
    pub held: String,
    /// The account's own order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<u64>,
    /// The order it traded with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counterparty_order_id: Option<u64>,
    /// The trade, consecutive within its instrument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade_id: Option<u64>,
    /// Where it traded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// `maker` or `taker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liquidity: Option<&'static str>,
}

/// What one reason comes to over all commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SumRow {
    /// The reason.
    pub kind: MovementKind,
    /// How many movements.
    pub count: u64,
    /// Of what may be spent.
    pub available_change: String,
    /// Of what is set aside.
    pub held_change: String,
}

/// A balance by a snapshot, because the commands up to it are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BroughtForward {
    /// The last command that is gone.
    pub sequence: u64,
    /// What could be spent after it.
    pub available: String,
    /// What was set aside after it.
    pub held: String,
}

/// Where the balance ended, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainReport {
    /// Whose.
    pub account: u32,
    /// Of what.
    pub asset: String,
    /// The last command looked at.
    pub sequence: u64,
    /// That command's time, in nanoseconds since 1970.
    pub time: u64,
    /// What was there before the first command that is left; none when all commands are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brought_forward: Option<BroughtForward>,
    /// How many commands moved the balance.
    pub commands: u64,
    /// By reason; those that never were are left out.
    pub sums: Vec<SumRow>,
    /// What may be spent.
    pub available: String,
    /// What is set aside.
    pub held: String,
    /// Whether the engine's own balance was the same after every command.
    pub equal: bool,
    /// The first command after which it was not, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
}

/// Shows each command that moved the balance to `see`, in order; then says what it comes to. What
/// does not add up ends it at that command, and the report says so.
///
/// # Errors
/// When the journal cannot be read or ends before the sequence asked for, when there is no such
/// account or asset, or when `see` says so.
pub fn explain(
    directory: &Path,
    asked: &Explained,
    watch: Watch<'_>,
    mut see: impl FnMut(&Entry) -> Result<(), ReplayError>,
) -> Result<ExplainReport, ReplayError> {
    let storage = storage(directory)?;
    let before = begin::engine(&storage, Begin::First)?;
    let mut account = Running::new(asked, &before);
    let engine = go_on(storage, before, asked.at, watch, |step| {
        if account.difference.is_none()
            && let Some(entry) = account.follow(step)?
        {
            see(&entry)?;
        }
        Ok(())
    })?;
    account.report(&engine, asked)
}

/// A balance as the events make it.
struct Running {
    account: AccountId,
    name: Option<Name>,
    /// Once the asset is there.
    asset: Option<AssetId>,
    balance: Balance,
    /// The last command that is gone and what the balance was after it, by a snapshot.
    brought: Option<(Sequence, Balance)>,
    commands: u64,
    sums: [(u64, Balance); MovementKind::ALL.len()],
    named: Named,
    difference: Option<String>,
}

impl Running {
    /// Begins with what the balance was in `before`: nothing, but for a snapshot.
    fn new(asked: &Explained, before: &Engine) -> Self {
        let name = Name::parse(&asked.asset);
        let asset = find_asset(before, name);
        let kept = |asset| before.ledger().balances.get(asked.account, asset);
        let balance = asset.map(kept).unwrap_or_default();
        let sequence = before.sequence();
        Self {
            account: asked.account,
            name,
            asset,
            balance,
            brought: (sequence.0 > 0).then_some((sequence, balance)),
            commands: 0,
            sums: Default::default(),
            named: Named::default(),
            difference: None,
        }
    }

    /// What the command did to the balance; nothing where it did nothing.
    fn follow(&mut self, step: &Step<'_>) -> Result<Option<Entry>, ReplayError> {
        if self.asset.is_none() {
            self.asset = find_asset(step.engine, self.name);
        }
        let Some(asset) = self.asset else { return Ok(None) };
        let before = self.balance;
        let mut changes = Vec::new();
        // Fees are the one thing that moves without the account's id in the event.
        if self.account == AccountId::FEES || names(step.chunks, self.account) {
            self.named.clear();
            step.events(|_, event| {
                self.named.note(step.engine, event);
                movements(step.engine, event, |movement| {
                    if movement.account == self.account && movement.asset == asset {
                        changes.push(self.change(step.engine, event, &movement));
                    }
                });
                Ok(())
            })?;
        }
        let kept = step.engine.ledger().balances.get(self.account, asset);
        if kept != self.balance {
            let show = |balance: Balance| describe::balance(step.engine, asset, balance);
            self.difference = Some(format!(
                "after command {} the events make {}, the engine has {}",
                step.sequence,
                show(self.balance),
                show(kept)
            ));
        }
        if changes.is_empty() {
            return Ok(None);
        }
        self.commands += 1;
        let amount = |units| describe::amount(step.engine, asset, units);
        let header = step.record.header;
        Ok(Some(Entry {
            sequence: step.sequence.0,
            time: header.time.0,
            time_iso: describe::iso(header.time),
            command: format!("{:?}", header.kind),
            source: header.source.0,
            number: header.number.0,
            changes,
            available_change: amount(self.balance.available - before.available),
            held_change: amount(self.balance.held - before.held),
            available: amount(self.balance.available),
            held: amount(self.balance.held),
        }))
    }

    fn change(&mut self, engine: &Engine, event: &Event, movement: &Movement) -> Change {
        let Movement { kind, available, held, .. } = *movement;
        self.balance.available += available;
        self.balance.held += held;
        let (count, sum) = &mut self.sums[kind as usize];
        *count += 1;
        sum.available += available;
        sum.held += held;
        let amount = |units| describe::amount(engine, movement.asset, units);
        let trade = match event {
            Event::Trade(trade) => Some(trade),
            Event::AuctionTrade(auction) => Some(&auction.trade),
            _ => None,
        };
        let liquidity = |role: Role| if role.is_maker { "maker" } else { "taker" };
        Change {
            kind,
            text: words(engine, event, movement, &self.named),
            available_change: amount(available),
            held_change: amount(held),
            available: amount(self.balance.available),
            held: amount(self.balance.held),
            order_id: order_of(event, movement).map(|id| id.0),
            counterparty_order_id: movement.role.map(|role| role.counterparty.0),
            trade_id: trade.map(|trade| trade.trade_id.0),
            instrument: trade.map(|trade| describe::symbol(engine, trade.instrument)),
            liquidity: movement.role.map(liquidity),
        }
    }

    fn report(self, engine: &Engine, asked: &Explained) -> Result<ExplainReport, ReplayError> {
        if engine.ledger().accounts.get(self.account).is_none() {
            return Err(ReplayError::UnknownAccount(self.account));
        }
        let asset = self.asset.or_else(|| find_asset(engine, self.name)).ok_or_else(|| {
            let names = engine.ledger().assets().map(|(_, asset)| asset.name.to_string());
            let known = names.collect::<Vec<_>>().join(", ");
            ReplayError::UnknownAsset { name: asked.asset.clone(), known }
        })?;
        let amount = |units| describe::amount(engine, asset, units);
        let sums = MovementKind::ALL.iter().zip(self.sums).filter(|(_, (count, _))| *count > 0);
        Ok(ExplainReport {
            account: self.account.0,
            asset: asked.asset.clone(),
            sequence: engine.sequence().0,
            time: engine.time().0,
            brought_forward: self.brought.map(|(sequence, balance)| BroughtForward {
                sequence: sequence.0,
                available: amount(balance.available),
                held: amount(balance.held),
            }),
            commands: self.commands,
            sums: sums
                .map(|(kind, (count, sum))| SumRow {
                    kind: *kind,
                    count,
                    available_change: amount(sum.available),
                    held_change: amount(sum.held),
                })
                .collect(),
            available: amount(self.balance.available),
            held: amount(self.balance.held),
            equal: self.difference.is_none(),
            difference: self.difference,
        })
    }
}

fn find_asset(engine: &Engine, name: Option<Name>) -> Option<AssetId> {
    engine.ledger().assets().find(|(_, asset)| Some(asset.name) == name).map(|(id, _)| id)
}

/// Whether an account's id stands anywhere in the chunks, where an id may stand. It may also be
/// another number: then the events are read in vain.
fn names(chunks: &[u8], account: AccountId) -> bool {
    let id = account.0.to_le_bytes();
    chunks.chunks_exact(4).any(|word| word == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{
        SourceId, SourceNumber,
        command::{Command, CommandRecord, LedgerOperation, sample},
        event::EventBuffer,
    };

    #[test]
    fn a_balance_that_is_not_the_engines_is_named_by_sequence() {
        let asked = Explained { account: AccountId::FEES, asset: "BTC".to_owned(), at: None };
        let mut engine = Engine::new(0);
        let mut running = Running::new(&asked, &engine);
        let mut events = EventBuffer::growing();
        let credit = LedgerOperation::transfer(AccountId(3), AccountId::FEES, AssetId(1), 5);
        let commands = [Command::CreateAsset(sample::asset("BTC")), Command::Ledger(credit), Command::Tick];
        for (number, command) in (1..).zip(&commands) {
            let bytes = command.encode(SourceId(1), SourceNumber(number), 0);
            let record = CommandRecord::parse(&bytes).unwrap();
            let sequence = engine.sequence().next();
            events.clear();
            engine.apply(&record, record.header.time, sequence, &mut events);
            let step = Step { engine: &engine, sequence, record, chunks: events.bytes() };
            let entry = running.follow(&step).unwrap();
            assert_eq!(entry.is_some(), number == 2);
            assert_eq!(running.difference.is_some(), number == 3);
            if number == 2 {
                running.balance.held += 1; // as if an event had been told wrong
            }
        }
        let report = running.report(&engine, &asked).unwrap();
        let expected = "after command 3 the events make 0.00000005 available and 0.00000001 held, \
                        the engine has 0.00000005 available and 0.00000000 held";
        assert_eq!((report.equal, report.difference.as_deref()), (false, Some(expected)));
    }
}
