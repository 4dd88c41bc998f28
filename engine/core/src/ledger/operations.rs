//! The ledger's operations: transfer, hold, capture, release, extend, and batches of them that
//! happen whole or not at all (requirements §10.1). Refuses to know orders.

use super::{Ledger, accounts::AccountKind, holds::Hold};
use protocol::{
    AccountId, AssetId, HoldId, Reject, Time,
    command::{BATCH_OPERATIONS_MAX, LedgerOperation, LedgerOperationKind},
    event::{EventBuffer, EventKind, HoldCaptured, HoldExtended, HoldOpened, HoldReleased, Transferred},
    money::SUPPLY_MAX,
};

/// What an operation did, as its event says it; enough to undo it.
#[derive(Clone, Copy, Debug)]
enum Done {
    Transferred(Transferred),
    Opened(HoldOpened),
    /// With the hold as it was.
    Captured(HoldCaptured, Hold),
    Released(HoldReleased, Hold),
    Extended(HoldExtended, Hold),
}

impl Ledger {
    /// Does one operation; returns the id of the hold it opened, or 0.
    pub(crate) fn operate(
        &mut self,
        operation: &LedgerOperation,
        time: Time,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let done = self.execute(operation, time)?;
        push(&done, events);
        Ok(opened_hold(&done))
    }

    /// Does all of the operations or none; returns the id of the first hold opened, or 0.
    pub(crate) fn operate_batch(
        &mut self,
        operations: &[LedgerOperation],
        time: Time,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        if operations.is_empty() || operations.len() > BATCH_OPERATIONS_MAX {
            return Err(Reject::EmptyBatch);
        }
        let mut all_done = Vec::with_capacity(operations.len());
        for operation in operations {
            match self.execute(operation, time) {
                Ok(done) => all_done.push(done),
                Err(reject) => {
                    all_done.iter().rev().for_each(|done| self.undo(done));
                    return Err(reject);
                }
            }
        }
        for done in &all_done {
            push(done, events);
        }
        Ok(all_done.iter().map(opened_hold).find(|id| *id != 0).unwrap_or(0))
    }

    fn execute(&mut self, operation: &LedgerOperation, time: Time) -> Result<Done, Reject> {
        match operation.kind {
            LedgerOperationKind::Transfer => self.transfer(operation),
            LedgerOperationKind::Hold => self.open_hold(operation, time),
            LedgerOperationKind::Capture => self.capture_hold(operation),
            LedgerOperationKind::Release => self.release_hold(operation),
            LedgerOperationKind::ExtendHold => self.extend_hold(operation, time),
        }
    }

    fn transfer(&mut self, operation: &LedgerOperation) -> Result<Done, Reject> {
        let LedgerOperation { account, to, asset, amount, reference, .. } = *operation;
        check_amount(amount)?;
        self.check_receiver(to, asset)?;
        self.check_sender(account, asset, amount)?;
        if account == to {
            return Err(Reject::BadCombination);
        }
        self.take(account, asset, amount);
        self.balances.of(to, asset).credit(amount);
        Ok(Done::Transferred(Transferred { account, to, asset, reserved: [0; 6], amount, reference }))
    }

    fn open_hold(&mut self, operation: &LedgerOperation, time: Time) -> Result<Done, Reject> {
        let LedgerOperation { account, asset, amount, purpose, expires_at, reference, .. } = *operation;
        check_amount(amount)?;
        check_expiry(expires_at, time)?;
        self.check_sender(account, asset, amount)?;
        if self.accounts.known(account).kind == AccountKind::External {
            return Err(Reject::NotAllowedForSystemAccount);
        }
        self.balances.of(account, asset).hold(amount);
        let hold = Hold { account, asset, rest: amount, purpose, expires_at, reference };
        let hold_id = self.holds.open(hold);
        let reserved = [0; 6];
        Ok(Done::Opened(HoldOpened {
            hold_id,
            account,
            purpose,
            amount,
            expires_at,
            reference,
            asset,
            reserved,
        }))
    }

    fn capture_hold(&mut self, operation: &LedgerOperation) -> Result<Done, Reject> {
        let LedgerOperation { hold_id, to, last, reference, .. } = *operation;
        let hold = *self.holds.get(hold_id).ok_or(Reject::UnknownHold)?;
        let all = operation.amount == 0 && last == 1;
        let amount = if all { hold.rest } else { operation.amount };
        check_amount(amount)?;
        self.check_receiver(to, hold.asset)?;
        if last > 1 {
            return Err(Reject::BadCombination);
        }
        if amount > hold.rest {
            return Err(Reject::AmountOutOfRange);
        }
        let left = hold.rest - amount;
        let released = if last == 1 { left } else { 0 };
        self.balances.of(hold.account, hold.asset).capture(amount);
        self.balances.of(to, hold.asset).credit(amount);
        self.balances.of(hold.account, hold.asset).release(released);
        self.holds.set_rest(hold_id, left - released);
        let captured = HoldCaptured {
            hold_id,
            account: hold.account,
            to,
            amount,
            released,
            reference,
            asset: hold.asset,
            closed: u8::from(left == released),
            reserved: [0; 5],
        };
        Ok(Done::Captured(captured, hold))
    }

    fn release_hold(&mut self, operation: &LedgerOperation) -> Result<Done, Reject> {
        let hold = *self.holds.get(operation.hold_id).ok_or(Reject::UnknownHold)?;
        let amount = if operation.amount == 0 { hold.rest } else { operation.amount };
        check_amount(amount)?;
        if amount > hold.rest {
            return Err(Reject::AmountOutOfRange);
        }
        Ok(Done::Released(self.release(operation.hold_id, &hold, amount, operation.reference, false), hold))
    }

    fn release(
        &mut self,
        hold_id: HoldId,
        hold: &Hold,
        amount: i64,
        reference: [u64; 2],
        expired: bool,
    ) -> HoldReleased {
        self.balances.of(hold.account, hold.asset).release(amount);
        self.holds.set_rest(hold_id, hold.rest - amount);
        HoldReleased {
            hold_id,
            account: hold.account,
            asset: hold.asset,
            closed: u8::from(amount == hold.rest),
            expired: u8::from(expired),
            amount,
            reference,
        }
    }

    fn extend_hold(&mut self, operation: &LedgerOperation, time: Time) -> Result<Done, Reject> {
        let LedgerOperation { hold_id, expires_at, .. } = *operation;
        let hold = *self.holds.get(hold_id).ok_or(Reject::UnknownHold)?;
        check_expiry(expires_at, time)?;
        self.holds.set_expiry(hold_id, expires_at);
        Ok(Done::Extended(HoldExtended { hold_id, account: hold.account, reserved: 0, expires_at }, hold))
    }

    /// Releases a hold whose time came.
    pub(crate) fn expire_hold(&mut self, hold_id: HoldId, events: &mut EventBuffer) {
        if let Some(hold) = self.holds.get(hold_id).copied() {
            let released = self.release(hold_id, &hold, hold.rest, [0; 2], true);
            events.push(EventKind::HoldReleased, &released);
        }
    }

    fn undo(&mut self, done: &Done) {
        match done {
            Done::Transferred(moved) => {
                self.take(moved.to, moved.asset, moved.amount);
                self.balances.of(moved.account, moved.asset).credit(moved.amount);
            }
            Done::Opened(opened) => {
                self.balances.of(opened.account, opened.asset).release(opened.amount);
                self.holds.unopen(opened.hold_id);
            }
            Done::Captured(captured, hold) => {
                self.take(captured.to, captured.asset, captured.amount);
                self.balances.of(captured.account, captured.asset).credit(captured.amount);
                self.balances.of(captured.account, captured.asset).hold(captured.amount + captured.released);
                self.holds.close(captured.hold_id);
                self.holds.put_back(captured.hold_id, *hold);
            }
            Done::Released(released, hold) => {
                self.balances.of(released.account, released.asset).hold(released.amount);
                self.holds.close(released.hold_id);
                self.holds.put_back(released.hold_id, *hold);
            }
            Done::Extended(extended, hold) => self.holds.set_expiry(extended.hold_id, hold.expires_at),
        }
    }

    fn take(&mut self, account: AccountId, asset: AssetId, amount: i64) {
        if self.accounts.known(account).kind == AccountKind::External {
            self.balances.of(account, asset).credit(-amount);
        } else {
            self.balances.of(account, asset).debit(amount);
        }
    }

    fn check_receiver(&self, account: AccountId, asset: AssetId) -> Result<(), Reject> {
        self.accounts.get(account).ok_or(Reject::UnknownAccount)?;
        self.check_external(account, asset)
    }

    /// An external account stands for the world in one asset only.
    fn check_external(&self, account: AccountId, asset: AssetId) -> Result<(), Reject> {
        let definition = self.asset(asset).ok_or(Reject::UnknownAsset)?;
        let external = self.accounts.known(account).kind == AccountKind::External;
        if external && definition.external != account {
            Err(Reject::NotAllowedForSystemAccount)
        } else {
            Ok(())
        }
    }

    fn check_sender(&self, account: AccountId, asset: AssetId, amount: i64) -> Result<(), Reject> {
        let sender = self.accounts.get(account).ok_or(Reject::UnknownAccount)?;
        self.check_external(account, asset)?;
        if sender.suspended {
            return Err(Reject::AccountSuspended);
        }
        let available = self.balances.get(account, asset).available;
        if sender.kind == AccountKind::External {
            let max_supply = self.asset(asset).ok_or(Reject::UnknownAsset)?.max_supply;
            // `available` is −supply: the new supply may be twice 2^62, which leaves an i64.
            if i128::from(amount) - i128::from(available) > i128::from(max_supply) {
                Err(Reject::SupplyExceeded)
            } else {
                Ok(())
            }
        } else if amount > available {
            Err(Reject::InsufficientBalance)
        } else {
            Ok(())
        }
    }
}

fn check_amount(amount: i64) -> Result<(), Reject> {
    if (1..=SUPPLY_MAX).contains(&amount) { Ok(()) } else { Err(Reject::AmountOutOfRange) }
}

fn check_expiry(expires_at: Time, now: Time) -> Result<(), Reject> {
    if expires_at == Time::NEVER || expires_at > now { Ok(()) } else { Err(Reject::ExpiryInThePast) }
}

fn opened_hold(done: &Done) -> u64 {
    if let Done::Opened(opened) = done { opened.hold_id.0 } else { 0 }
}

fn push(done: &Done, events: &mut EventBuffer) {
    match done {
        Done::Transferred(event) => events.push(EventKind::Transferred, event),
        Done::Opened(event) => events.push(EventKind::HoldOpened, event),
        Done::Captured(event, _) => events.push(EventKind::HoldCaptured, event),
        Done::Released(event, _) => events.push(EventKind::HoldReleased, event),
        Done::Extended(event, _) => events.push(EventKind::HoldExtended, event),
    }
}
