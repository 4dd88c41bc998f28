//! What events do to assets, instruments and accounts. Refuses to know money and orders.

use super::{Moment, Projection};
use protocol::{
    AccountId, Instrument, InstrumentId, Time,
    event::{AssetCreated, Event},
    terms::KillSwitch,
};

/// An instrument, and since when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    pub(super) instrument: Instrument,
    pub(super) created_at: Time,
}

/// An account that a command opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AccountState {
    pub(super) trade_group: u32,
    pub(super) fee_tier: u8,
    pub(super) is_suspended: bool,
    pub(super) kill_switch: bool,
    pub(super) opened_at: Time,
    pub(super) updated_at: Time,
    pub(super) is_changed: bool,
}

impl Projection {
    pub(super) fn listing(&self, instrument: InstrumentId) -> Option<&Listing> {
        self.listings.get(usize::from(instrument.0).wrapping_sub(1))?.as_ref()
    }

    pub(super) fn set_listing(&mut self, listing: Listing) {
        let place = usize::from(listing.instrument.id.0).saturating_sub(1);
        if self.listings.len() <= place {
            self.listings.resize(place + 1, None);
        }
        self.listings[place] = Some(listing);
    }

    pub(super) fn change_directory(&mut self, event: &Event, at: Moment) {
        match event {
            Event::AssetCreated(created) => self.add_asset(created, at),
            Event::InstrumentCreated(created) => self.set_instrument(created.instrument, at),
            Event::InstrumentChanged(changed) => self.set_instrument(changed.instrument, at),
            Event::AccountOpened(opened) => {
                let state = AccountState {
                    trade_group: opened.trade_group,
                    fee_tier: opened.fee_tier,
                    is_suspended: false,
                    kill_switch: false,
                    opened_at: at.time,
                    updated_at: at.time,
                    is_changed: true,
                };
                self.accounts.insert(opened.account, state);
                self.changed_accounts.push(opened.account);
            }
            Event::AccountSuspended(one) => {
                self.change_account(one.account, at, |account| account.is_suspended = true);
            }
            Event::AccountResumed(one) => {
                self.change_account(one.account, at, |account| account.is_suspended = false);
            }
            Event::FeeTierAssigned(one) => {
                self.change_account(one.account, at, |account| account.fee_tier = one.tier);
            }
            Event::KillSwitchSet(one) => {
                let is_on = one.switch == KillSwitch::On;
                self.change_account(one.account, at, |account| account.kill_switch = is_on);
            }
            // What is left has no table: it says nothing of money, orders or trades. A halt is followed by
            // its instrument's change.
            _ => {}
        }
    }

    fn add_asset(&mut self, created: &AssetCreated, at: Moment) {
        self.tables
            .assets
            .add()
            .integer(created.asset.0.into())
            .text(created.name.as_str().to_owned())
            .integer(created.scale.into())
            .integer(created.external.0.into())
            .integer(created.max_supply)
            .integer(at.time.0 as i64)
            .end();
    }

    fn set_instrument(&mut self, instrument: Instrument, at: Moment) {
        let created_at = self.listing(instrument.id).map_or(at.time, |listing| listing.created_at);
        self.set_listing(Listing { instrument, created_at });
        self.changed_listings.insert(instrument.id, at.time);
    }

    fn change_account(&mut self, account: AccountId, at: Moment, change: impl FnOnce(&mut AccountState)) {
        let Some(state) = self.accounts.get_mut(&account) else { return };
        change(state);
        state.updated_at = at.time;
        if !std::mem::replace(&mut state.is_changed, true) {
            self.changed_accounts.push(account);
        }
    }

    pub(super) fn take_directory(&mut self) {
        for (id, updated_at) in std::mem::take(&mut self.changed_listings) {
            let Some(Listing { instrument, created_at }) = self.listing(id).copied() else { continue };
            // A struct of whole numbers and short texts.
            let definition = serde_json::to_string(&instrument).expect("an instrument is JSON");
            self.tables
                .instruments
                .add()
                .integer(instrument.id.0.into())
                .text(instrument.symbol.as_str().to_owned())
                .integer(instrument.base.0.into())
                .integer(instrument.quote.0.into())
                .integer(instrument.price_scale.into())
                .integer(instrument.quantity_scale.into())
                .integer(instrument.quote_per_unit)
                .integer(instrument.base_per_unit)
                .integer(instrument.status as i64)
                .text(definition)
                .integer(created_at.0 as i64)
                .integer(updated_at.0 as i64)
                .end();
        }
        for account in self.changed_accounts.drain(..) {
            let Some(state) = self.accounts.get_mut(&account) else { continue };
            state.is_changed = false;
            self.tables
                .accounts
                .add()
                .integer(account.0.into())
                .integer(state.trade_group.into())
                .integer(state.fee_tier.into())
                .integer(state.is_suspended.into())
                .integer(state.kill_switch.into())
                .integer(state.opened_at.0 as i64)
                .integer(state.updated_at.0 as i64)
                .end();
        }
    }
}
