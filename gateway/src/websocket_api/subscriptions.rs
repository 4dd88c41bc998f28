//! The user data streams of one connection: whose they are, and their events in one queue. Refuses to
//! know who may subscribe.

use super::frame;
use crate::views::{TimeUnit, UserFeed, UserSubscription};
use accounts::ApiKeyId;
use protocol::AccountId;
use std::sync::Arc;
use tokio::{sync::mpsc, task::AbortHandle};

/// The most subscriptions of one connection.
pub(super) const SUBSCRIPTIONS_MAX: usize = 32;
/// Events taken out of the feed ahead of the socket. What waits beyond it waits in the feed, which is
/// bounded and ends a subscription that is not read.
const QUEUE: usize = 64;

/// An event of a subscription; `None` when it ended because it was not read.
type Queued = (u64, Option<Arc<str>>);

/// A subscription that is open.
#[derive(Debug)]
pub(super) struct Open {
    /// Its number on this connection.
    pub(super) id: u64,
    /// Whose events.
    pub(super) account: AccountId,
    /// The key that subscribed.
    pub(super) key: ApiKeyId,
    /// Whether the key had logged on, or signed the subscription itself.
    pub(super) by_session: bool,
    forwarder: AbortHandle,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.forwarder.abort();
    }
}

/// All subscriptions of a connection.
#[derive(Debug)]
pub(super) struct Subscriptions {
    open: Vec<Open>,
    next_id: u64,
    sender: mpsc::Sender<Queued>,
    receiver: mpsc::Receiver<Queued>,
}

impl Default for Subscriptions {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        Self { open: Vec::new(), next_id: 0, sender, receiver }
    }
}

impl Subscriptions {
    /// Those that are open.
    pub(super) fn open(&self) -> &[Open] {
        &self.open
    }

    /// Opens one and gives its number.
    pub(super) fn add(
        &mut self,
        feed: &Arc<UserFeed>,
        account: AccountId,
        unit: TimeUnit,
        key: ApiKeyId,
        by_session: bool,
    ) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let subscription = feed.subscribe(account, unit);
        let forwarder = tokio::spawn(forward(id, subscription, self.sender.clone())).abort_handle();
        self.open.push(Open { id, account, key, by_session, forwarder });
        id
    }

    /// Closes those that `which` says, and gives their numbers.
    pub(super) fn remove(&mut self, which: impl Fn(&Open) -> bool) -> Vec<u64> {
        let ids = self.open.iter().filter(|open| which(open)).map(|open| open.id).collect();
        self.open.retain(|open| !which(open));
        ids
    }

    /// The next event as a frame, in order; `None` when a subscription was not read fast enough.
    /// Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            let (id, event) = self.receiver.recv().await?;
            if self.is_open(id) {
                return event.map(|event| frame::event(id, &event));
            }
        }
    }

    fn is_open(&self, id: u64) -> bool {
        self.open.iter().any(|open| open.id == id)
    }
}

/// Moves a subscription's events into the connection's queue, in order, until either ends.
async fn forward(id: u64, mut subscription: UserSubscription, queue: mpsc::Sender<Queued>) {
    loop {
        let event = subscription.receive().await;
        let ended = event.is_none();
        if queue.send((id, event)).await.is_err() || ended {
            return;
        }
    }
}
