//! Hands each account's own events to its subscriptions, in order, encoded once. A subscription
//! that does not read is closed, never sent a history with a hole. Refuses to know keys: whoever
//! subscribes has been let in by the door.

use super::TimeUnit;
use protocol::AccountId;
use std::sync::Arc;

/// Who listens to which account.
#[derive(Debug)]
pub struct UserFeed {}

impl UserFeed {
    /// Listens to an account from now on. Times are sent in `unit`.
    pub fn subscribe(self: &Arc<Self>, account: AccountId, unit: TimeUnit) -> UserSubscription {
        todo!("{account} {unit:?}")
    }
}

/// One subscription to an account's events. Dropping it unsubscribes.
#[derive(Debug)]
pub struct UserSubscription {}

impl UserSubscription {
    /// Whose.
    pub const fn account(&self) -> AccountId {
        todo!()
    }

    /// The next event as JSON text (the `event` of the dialect's frame), in order. `None`, after
    /// what was queued, once the reader was found too slow: close the connection. Cancel-safe.
    #[expect(clippy::unused_async, reason = "being built")]
    pub async fn receive(&mut self) -> Option<Arc<str>> {
        todo!()
    }
}
