//! The simulation's own accounts: what events say was moved, added up, and what that must come to.
//! Refuses to know how the exchange keeps its balances, and to trust them.

use engine_core::Engine;
use engine_core::books::Books;
use protocol::{
    AccountId, AssetId, HoldId, Instrument, InstrumentId,
    event::Event,
    posting::{Posting, postings},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a hold has come to.
#[derive(Clone, Copy, Debug)]
struct Hold {
    opened: i64,
    captured: i64,
    released: i64,
    is_closed: bool,
}

/// Balances, holds and ids, from events alone.
#[derive(Debug, Default)]
pub struct OwnLedger {
    /// Available and held.
    balances: BTreeMap<(AccountId, AssetId), (i128, i128)>,
    externals: BTreeSet<AccountId>,
    instruments: BTreeMap<InstrumentId, Instrument>,
    holds: BTreeMap<HoldId, Hold>,
    /// The last trade of each instrument.
    trades: BTreeMap<InstrumentId, u64>,
    orders: u64,
}

impl OwnLedger {
    /// Adds what the events of one command did; says what is wrong with it.
    pub fn take(&mut self, events: &[Event]) -> Result<(), String> {
        let mut moved: Vec<Posting> = Vec::new();
        for event in events {
            self.note(event)?;
            let instruments = &self.instruments;
            postings(event, |id| instruments.get(&id), |posting| moved.push(posting));
        }
        let mut sums: BTreeMap<AssetId, i128> = BTreeMap::new();
        for posting in &moved {
            let (available, held) = (i128::from(posting.available), i128::from(posting.held));
            *sums.entry(posting.asset).or_default() += available + held;
            let balance = self.balances.entry((posting.account, posting.asset)).or_default();
            balance.0 += available;
            balance.1 += held;
        }
        if let Some((asset, sum)) = sums.iter().find(|(_, sum)| **sum != 0) {
            return Err(format!("invariant 1: a command's moves of asset {asset} sum to {sum}"));
        }
        for Posting { account, asset, .. } in &moved {
            let (available, held) = self.balances[&(*account, *asset)];
            if held < 0 || (available < 0 && !self.externals.contains(account)) {
                return Err(format!(
                    "invariant 3: account {account} has {available} available and {held} held of asset {asset}"
                ));
            }
        }
        Ok(())
    }

    fn note(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::AssetCreated(created) => _ = self.externals.insert(created.external),
            Event::InstrumentCreated(created) => {
                self.instruments.insert(created.instrument.id, created.instrument);
            }
            Event::Trade(trade) => self.note_trade(trade.instrument, trade.trade_id.0)?,
            Event::AuctionTrade(auction) => {
                self.note_trade(auction.trade.instrument, auction.trade.trade_id.0)?;
            }
            Event::OrderAccepted(order, ..) => {
                self.orders += 1;
                if order.order_id.0 != self.orders {
                    return Err(format!("order {} where {} must be", order.order_id, self.orders));
                }
            }
            Event::HoldOpened(hold) => {
                let opened = Hold { opened: hold.amount, captured: 0, released: 0, is_closed: false };
                if self.holds.insert(hold.hold_id, opened).is_some() {
                    return Err(format!("invariant 4: hold {} opens twice", hold.hold_id));
                }
            }
            Event::HoldCaptured(hold) => {
                self.draw(hold.hold_id, hold.amount, hold.released, hold.closed == 1)?;
            }
            Event::HoldReleased(hold) => self.draw(hold.hold_id, 0, hold.amount, hold.closed == 1)?,
            _ => {}
        }
        Ok(())
    }

    fn note_trade(&mut self, instrument: InstrumentId, trade: u64) -> Result<(), String> {
        let last = self.trades.entry(instrument).or_default();
        *last += 1;
        if trade == *last {
            return Ok(());
        }
        Err(format!("trade {trade} of instrument {instrument} where {last} must be"))
    }

    fn draw(&mut self, id: HoldId, captured: i64, released: i64, closes: bool) -> Result<(), String> {
        let hold = self.holds.get_mut(&id).ok_or(format!("invariant 4: hold {id} was never opened"))?;
        if hold.is_closed {
            return Err(format!("invariant 4: hold {id} is drawn on after its close"));
        }
        hold.captured += captured;
        hold.released += released;
        hold.is_closed = closes;
        let rest = hold.opened - hold.captured - hold.released;
        if rest < 0 || (rest == 0) != closes {
            return Err(format!("invariant 4: hold {id} has {rest} left, closed: {closes}"));
        }
        Ok(())
    }

    /// Compares with the balances and the holds of an engine, both ways.
    pub fn compare<B: Books>(&self, engine: &Engine<B>) -> Result<(), String> {
        let ledger = engine.ledger();
        let mut theirs = BTreeMap::new();
        for (asset, account, balance) in ledger.balances.iter() {
            theirs.insert((account, asset), (i128::from(balance.available), i128::from(balance.held)));
        }
        let ours = self.balances.iter().filter(|(_, balance)| **balance != (0, 0));
        let ours: BTreeMap<_, _> = ours.map(|(key, balance)| (*key, *balance)).collect();
        if let Some((account, asset)) =
            ours.keys().chain(theirs.keys()).find(|key| ours.get(key) != theirs.get(key))
        {
            let key = (*account, *asset);
            return Err(format!(
                "account {account} has (available, held) {:?} of asset {asset}; what was done to it comes to {:?}",
                theirs.get(&key),
                ours.get(&key)
            ));
        }
        let open = self.holds.iter().filter(|(_, hold)| !hold.is_closed);
        let ours: Vec<_> =
            open.map(|(id, hold)| (*id, hold.opened - hold.captured - hold.released)).collect();
        let mut theirs: Vec<_> = ledger.holds.iter().map(|(id, hold)| (id, hold.rest)).collect();
        theirs.sort_unstable();
        if ours == theirs { Ok(()) } else { Err(format!("open holds are {theirs:?}, and must be {ours:?}")) }
    }

    /// How many trades there were.
    pub fn trades(&self) -> u64 {
        self.trades.values().sum()
    }
}
