//! Why money moved: each posting of an event, taken apart until every part has one reason (what a
//! fill brought, and its fee), with that reason in words. Refuses to keep balances, and to decide
//! which event moves which money: that is [`protocol::posting`] alone.

mod parts;
mod words;

pub(crate) use parts::movements;
pub(crate) use words::{Named, words};

use protocol::{AccountId, AssetId, OrderId};

/// The reason of a movement; sums are made by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// From the world outside.
    Deposit,
    /// To the world outside.
    Withdrawal,
    /// From another account.
    TransferIn,
    /// To another account.
    TransferOut,
    /// Base received in a fill, before the fee.
    Bought,
    /// Quote given in a fill.
    Paid,
    /// Base given in a fill.
    Sold,
    /// Quote received in a fill, before the fee.
    Proceeds,
    /// What a fill cost.
    Fee,
    /// What a fill brought beside its proceeds: a negative fee.
    Rebate,
    /// Another account's fee, received.
    FeeEarned,
    /// Another account's rebate, given.
    RebateGiven,
    /// Set aside for an order.
    OrderHeld,
    /// Given back by an order.
    OrderReleased,
    /// Set aside by a hold.
    HoldOpened,
    /// Given back by a hold.
    HoldReleased,
    /// Taken from a hold by another account.
    Captured,
    /// Received from another account's hold.
    CaptureReceived,
}

impl MovementKind {
    /// Every reason, in the order in which sums are told.
    pub const ALL: [Self; 18] = [
        Self::Deposit,
        Self::Withdrawal,
        Self::TransferIn,
        Self::TransferOut,
        Self::Bought,
        Self::Paid,
        Self::Sold,
        Self::Proceeds,
        Self::Fee,
        Self::Rebate,
        Self::FeeEarned,
        Self::RebateGiven,
        Self::OrderHeld,
        Self::OrderReleased,
        Self::HoldOpened,
        Self::HoldReleased,
        Self::Captured,
        Self::CaptureReceived,
    ];

    /// As JSON and tables have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::TransferIn => "transfer_in",
            Self::TransferOut => "transfer_out",
            Self::Bought => "bought",
            Self::Paid => "paid",
            Self::Sold => "sold",
            Self::Proceeds => "proceeds",
            Self::Fee => "fee",
            Self::Rebate => "rebate",
            Self::FeeEarned => "fee_earned",
            Self::RebateGiven => "rebate_given",
            Self::OrderHeld => "order_held",
            Self::OrderReleased => "order_released",
            Self::HoldOpened => "hold_opened",
            Self::HoldReleased => "hold_released",
            Self::Captured => "captured",
            Self::CaptureReceived => "capture_received",
        }
    }
}

/// One account's change in one asset, for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) account: AccountId,
    pub(crate) asset: AssetId,
    pub(crate) kind: MovementKind,
    /// Ledger units more that may be spent.
    pub(crate) available: i64,
    /// Ledger units more that are set aside.
    pub(crate) held: i64,
    /// The account's part in a fill, where it is one.
    pub(crate) role: Option<Role>,
}

/// On which side of a fill an account stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) is_maker: bool,
    pub(crate) order_id: OrderId,
    /// The order it traded with.
    pub(crate) counterparty: OrderId,
}

/// The account's own order behind a movement; none where there is none.
pub(crate) fn order_of(event: &protocol::event::Event, movement: &Movement) -> Option<OrderId> {
    use protocol::event::Event;
    match event {
        Event::OrderAccepted(order, ..) => Some(order.order_id),
        Event::OrderRested(order) => Some(order.order_id),
        Event::OrderClosed(order, _) => Some(order.order_id),
        Event::OrderAmended(order, _) => Some(order.order_id),
        Event::OrderTriggered(order) => Some(order.order_id),
        Event::OrderActivated(order) => Some(order.order_id),
        Event::ReserveChanged(order) => Some(order.order_id),
        Event::TradePrevented(prevented) => Some(prevented.maker_order_id),
        _ => movement.role.map(|role| role.order_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_called_the_same_everywhere_and_none_is_forgotten() {
        for kind in MovementKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        let mut all = MovementKind::ALL.to_vec();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), MovementKind::ALL.len());
    }
}
