//! Whom and what a command is about. Refuses to know what it did.

use protocol::{AccountId, InstrumentId, command::Command};

/// The account and the instrument that a command names; a batch or an operation on a hold names none.
pub(super) fn subject(command: &Command) -> (Option<AccountId>, Option<InstrumentId>) {
    let both = |account, instrument| (Some(account), Some(instrument));
    let account = |account| (Some(account), None);
    let instrument = |instrument| (None, Some(instrument));
    let (account, at) = match command {
        Command::PlaceOrder { order, .. } => both(order.account, order.instrument),
        Command::CancelOrder { cancel, .. } => both(cancel.account, cancel.instrument),
        Command::CancelReplace { replace, .. } => both(replace.cancel.account, replace.cancel.instrument),
        Command::AmendOrder { amend, .. } => both(amend.account, amend.instrument),
        Command::CancelAll(cancel) => both(cancel.account, cancel.instrument),
        Command::PlaceOrderList { list, .. } => both(list.account, list.instrument),
        Command::CancelOrderList { cancel, .. } => both(cancel.account, cancel.instrument),
        Command::Ledger(operation) => account(operation.account),
        Command::SuspendAccount(suspend) => account(suspend.account),
        Command::ResumeAccount(resume) => account(resume.account),
        Command::SetLimits(limits) => account(limits.account),
        Command::AssignFeeTier(assign) => account(assign.account),
        Command::SetCancelTimer(set) => account(set.account),
        Command::SetKillSwitch(set) => account(set.account),
        Command::ChangeInstrument(change) => instrument(change.instrument),
        Command::SetFeeTier(tier) => instrument(tier.instrument),
        Command::SetOrderFilters(set) => instrument(set.instrument),
        Command::SetBreaker(set) => instrument(set.instrument),
        Command::DelistInstrument(delist) => instrument(delist.instrument),
        Command::Batch(_)
        | Command::Tick
        | Command::OpenAccount(_)
        | Command::CreateAsset(_)
        | Command::CreateInstrument(_)
        | Command::ActivateRules(_)
        | Command::CloseSession(_)
        | Command::ResumeSource(_) => (None, None),
    };
    // Where a command names neither, it has a zero there.
    (account.filter(|account| account.0 != 0), at.filter(|at| at.0 != 0))
}
