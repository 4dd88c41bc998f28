//! What operators may change: accounts, assets, instruments, fees, stopped sources. Refuses to know who asked; the
//! admin door decides and keeps the audit log.

use crate::{
    Engine,
    books::Books,
    ledger::{Asset, accounts::AccountKind},
    market::Market,
};
use protocol::{
    AssetId, Instrument, InstrumentId, InstrumentStatus, Reject, Side, SourceId, SourceNumber,
    command::{
        AssignFeeTier, ChangeInstrument, CreateAsset, OpenAccount, ResumeAccount, SetFeeTier, SuspendAccount,
        change,
    },
    decimal::SCALE_MAX,
    event::{
        AccountOpened, AccountResumed, AccountSuspended, AssetCreated, EventBuffer, EventKind,
        FeeTierAssigned, FeeTierSet, InstrumentChanged, InstrumentCreated, SourceResumed,
    },
    instrument::FEE_TIERS,
    money::SUPPLY_MAX,
    order::{CloseReason, RestingOrders},
};

/// The most assets, and the most instruments.
const DEFINITIONS_MAX: usize = 16_384;

impl<B: Books> Engine<B> {
    pub(crate) fn open_account(
        &mut self,
        open: &OpenAccount,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let account = self.ledger.accounts.open(AccountKind::Customer, open.trade_group, open.fee_tier)?;
        let opened = AccountOpened {
            account,
            trade_group: open.trade_group,
            fee_tier: open.fee_tier,
            reserved: [0; 7],
        };
        events.push(EventKind::AccountOpened, &opened);
        Ok(u64::from(account.0))
    }

    pub(crate) fn suspend_account(
        &mut self,
        suspend: &SuspendAccount,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let account = suspend.account;
        self.ledger.accounts.customer(account)?.suspended = true;
        let suspended =
            AccountSuspended { account, resting_orders: suspend.resting_orders, reserved: [0; 3] };
        events.push(EventKind::AccountSuspended, &suspended);
        Ok(match suspend.resting_orders {
            RestingOrders::Keep => 0,
            RestingOrders::Cancel => {
                self.close_all(account, InstrumentId(0), CloseReason::AccountSuspended, events)
            }
        })
    }

    pub(crate) fn resume_account(
        &mut self,
        resume: &ResumeAccount,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let account = self.ledger.accounts.customer(resume.account)?;
        if !account.suspended {
            return Err(Reject::AccountNotSuspended);
        }
        account.suspended = false;
        events.push(EventKind::AccountResumed, &AccountResumed { account: resume.account, reserved: 0 });
        Ok(0)
    }

    pub(crate) fn create_asset(
        &mut self,
        create: &CreateAsset,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        if create.scale > SCALE_MAX || !(1..=SUPPLY_MAX).contains(&create.max_supply) {
            return Err(Reject::BadDefinition);
        }
        if self.ledger.assets().any(|(_, asset)| asset.name == create.name) {
            return Err(Reject::NameTaken);
        }
        if self.ledger.assets().count() >= DEFINITIONS_MAX {
            return Err(Reject::TooMany);
        }
        let external = self.ledger.accounts.open(AccountKind::External, 0, 0)?;
        let CreateAsset { name, scale, max_supply, .. } = *create;
        let asset = self.ledger.add_asset(Asset { name, scale, external, max_supply });
        events.push(
            EventKind::AssetCreated,
            &AssetCreated { asset, scale, reserved: 0, external, name, max_supply },
        );
        Ok(u64::from(asset.0))
    }

    pub(crate) fn create_instrument(
        &mut self,
        definition: &Instrument,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let scale =
            |asset: AssetId| self.ledger.asset(asset).map(|asset| asset.scale).ok_or(Reject::UnknownAsset);
        let checked = definition.checked(scale(definition.base)?, scale(definition.quote)?);
        let mut instrument = checked.map_err(|_| Reject::BadDefinition)?;
        if self.markets.iter().any(|market| market.instrument.symbol == instrument.symbol) {
            return Err(Reject::NameTaken);
        }
        if self.markets.len() >= DEFINITIONS_MAX {
            return Err(Reject::TooMany);
        }
        instrument.id = InstrumentId(self.markets.len() as u16 + 1);
        self.markets.push(Market::new(instrument));
        self.books.open_instrument(instrument.id);
        events.push(EventKind::InstrumentCreated, &InstrumentCreated { instrument });
        Ok(u64::from(instrument.id.0))
    }

    pub(crate) fn change_instrument(
        &mut self,
        change: &ChangeInstrument,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let place = usize::from(change.instrument.0).wrapping_sub(1);
        let mut changed = self.markets.get(place).ok_or(Reject::UnknownInstrument)?.instrument;
        let definition = &change.definition;
        if changed.status == InstrumentStatus::Delisted {
            return Err(Reject::InstrumentDelisted);
        }
        if change.parts & change::STATUS != 0 {
            changed.status = definition.status;
        }
        if change.parts & change::FILTERS != 0 {
            let reference_price = changed.filters.reference_price;
            changed.filters = definition.filters;
            changed.filters.reference_price = reference_price;
        }
        if change.parts & change::FEES != 0 {
            changed.fees = definition.fees;
            changed.default_self_trade_prevention = definition.default_self_trade_prevention;
        }
        if change.parts & change::REFERENCE_PRICE != 0 {
            changed.filters.reference_price = definition.filters.reference_price;
        }
        let opens = changed.status.matches() && !self.markets[place].instrument.status.matches();
        let valid = changed.filters.check().is_ok()
            && changed.fees.check().is_ok()
            && changed.status != InstrumentStatus::Delisted;
        if !valid {
            return Err(Reject::BadDefinition);
        }
        let leave_crossed = change.parts & change::LEAVE_CROSSED != 0;
        if opens && change.parts & change::AUCTION != 0 {
            self.hold_auction(change.instrument, events);
        }
        if opens && !leave_crossed && self.is_crossed(change.instrument) {
            return Err(Reject::BookCrossed);
        }
        let market = &mut self.markets[place];
        market.left_crossed |= opens && leave_crossed;
        market.instrument = changed;
        market.fees[0] = changed.fees;
        market.average.set_minutes(changed.filters.average_minutes);
        events.push(EventKind::InstrumentChanged, &InstrumentChanged { instrument: changed });
        if change.parts & change::STATUS != 0 {
            self.set_by_hand(change.instrument);
        }
        Ok(u64::from(change.instrument.0))
    }

    /// Whether the best buy is at or above the best sell, as it may be before the opening.
    pub(crate) fn is_crossed(&self, instrument: InstrumentId) -> bool {
        let best = |side| self.books.front(instrument, side).map(|handle| self.books.order(handle).price);
        match (best(Side::Buy), best(Side::Sell)) {
            (Some(bid), Some(ask)) => bid >= ask,
            _ => false,
        }
    }

    pub(crate) fn set_fee_tier(&mut self, set: &SetFeeTier, events: &mut EventBuffer) -> Result<u64, Reject> {
        let tier = usize::from(set.tier);
        if tier >= FEE_TIERS || set.rates.check().is_err() {
            return Err(Reject::BadDefinition);
        }
        if set.instrument.0 != 0 && self.market(set.instrument).is_none() {
            return Err(Reject::UnknownInstrument);
        }
        for market in &mut self.markets {
            if set.instrument.0 == 0 || set.instrument == market.instrument.id {
                market.fees[tier] = set.rates;
                if tier == 0 {
                    market.instrument.fees = set.rates;
                }
            }
        }
        let SetFeeTier { instrument, tier, rates, .. } = *set;
        let event = FeeTierSet { instrument, tier, reserved: 0, rates, reserved_2: 0 };
        events.push(EventKind::FeeTierSet, &event);
        Ok(0)
    }

    pub(crate) fn assign_fee_tier(
        &mut self,
        assign: &AssignFeeTier,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let account = self.ledger.accounts.customer(assign.account)?;
        if usize::from(assign.tier) >= FEE_TIERS {
            return Err(Reject::BadDefinition);
        }
        account.fee_tier = assign.tier;
        let event = FeeTierAssigned { account: assign.account, tier: assign.tier, reserved: [0; 3] };
        events.push(EventKind::FeeTierAssigned, &event);
        Ok(0)
    }

    pub(crate) fn resume_source(
        &mut self,
        source: SourceId,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let Some(next) = self.sources.resume(source)? else { return Ok(0) };
        let resumed = SourceResumed { source, reserved: 0, next: SourceNumber(next) };
        events.push(EventKind::SourceResumed, &resumed);
        Ok(next)
    }
}
