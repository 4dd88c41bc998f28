//! Hands each account's own events to its subscriptions, in order, encoded once. A subscription
//! that does not read is ended, never sent a history with a hole. Refuses to know keys: whoever
//! subscribes has been let in by the door.

use super::{
    TimeUnit,
    locks::lock,
    outbox::{Full, Outbox, Place, Waiting},
};
use protocol::AccountId;
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// What an event takes besides its text, about.
const OVERHEAD_BYTES: usize = 32;

/// No event stands in for another.
impl Waiting for Arc<str> {
    type Key = Infallible;

    fn bytes(&self) -> usize {
        OVERHEAD_BYTES + self.len()
    }

    fn place(&self) -> Place<Infallible> {
        Place::Own
    }

    fn join(&mut self, later: Self) {
        *self = later;
    }
}

/// Who listens to which account.
#[derive(Debug)]
pub struct UserFeed {
    /// Bytes that may wait for one subscription.
    queue_bytes: usize,
    /// How many subscriptions there are, so that nobody's absence costs nothing.
    listeners: AtomicUsize,
    /// The most bytes that ever waited for one subscription.
    most_queued: AtomicUsize,
    /// Whether someone waits to be let in.
    is_awaited: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    accounts: HashMap<AccountId, Vec<Listener>>,
    /// Let in at the next command, so that nobody hears the end of one without its beginning.
    coming: Vec<(AccountId, Listener)>,
}

#[derive(Debug)]
struct Listener {
    subscription: u64,
    unit: TimeUnit,
    outbox: Arc<Outbox<Arc<str>>>,
}

impl UserFeed {
    pub(super) fn new(queue_bytes: usize) -> Self {
        Self {
            queue_bytes,
            listeners: AtomicUsize::new(0),
            most_queued: AtomicUsize::new(0),
            is_awaited: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Listens to an account from the next command on. Times are sent in `unit`.
    pub fn subscribe(self: &Arc<Self>, account: AccountId, unit: TimeUnit) -> UserSubscription {
        let outbox = Arc::new(Outbox::new(self.queue_bytes));
        let mut state = lock(&self.state);
        state.next += 1;
        let subscription = state.next;
        let own = Arc::clone(&outbox);
        state.coming.push((account, Listener { subscription, unit, outbox: own }));
        self.is_awaited.store(true, Ordering::Release);
        UserSubscription { feed: Arc::clone(self), account, subscription, outbox }
    }

    /// The most bytes that ever waited for one subscription.
    pub fn most_queued_bytes(&self) -> usize {
        self.most_queued.load(Ordering::Relaxed)
    }

    /// A command begins: who subscribed before it hears of it.
    pub(super) fn begin_command(&self) {
        if self.is_awaited.load(Ordering::Acquire) {
            let state = &mut *lock(&self.state);
            self.is_awaited.store(false, Ordering::Release);
            self.listeners.fetch_add(state.coming.len(), Ordering::Release);
            for (account, listener) in state.coming.drain(..) {
                state.accounts.entry(account).or_default().push(listener);
            }
        }
    }

    /// Whether anyone listens to an account.
    pub(super) fn has(&self, account: AccountId) -> bool {
        self.listeners.load(Ordering::Acquire) > 0 && lock(&self.state).accounts.contains_key(&account)
    }

    /// Sends an event to everyone who listens to `account`. `encode` is called once for each unit
    /// of time that someone wants, and not at all when nobody listens.
    pub(super) fn publish(&self, account: AccountId, encode: impl Fn(TimeUnit) -> String) {
        if self.listeners.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut state = lock(&self.state);
        let Some(listeners) = state.accounts.get(&account) else { return };
        let mut too_slow = Vec::new();
        for unit in [TimeUnit::Millisecond, TimeUnit::Microsecond] {
            let mut json: Option<Arc<str>> = None;
            for listener in listeners.iter().filter(|listener| listener.unit == unit) {
                let json = json.get_or_insert_with(|| encode(unit).into());
                match listener.outbox.push(Arc::clone(json)) {
                    Ok(bytes) => {
                        self.most_queued.fetch_max(bytes, Ordering::Relaxed);
                    }
                    Err(Full) => too_slow.push(listener.subscription),
                }
            }
        }
        for subscription in too_slow {
            self.remove(&mut state, account, subscription);
        }
    }

    fn remove(&self, state: &mut State, account: AccountId, subscription: u64) {
        state.coming.retain(|(_, listener)| listener.subscription != subscription);
        if let Some(listeners) = state.accounts.get_mut(&account) {
            let before = listeners.len();
            listeners.retain(|listener| listener.subscription != subscription);
            self.listeners.fetch_sub(before - listeners.len(), Ordering::Release);
            if listeners.is_empty() {
                state.accounts.remove(&account);
            }
        }
    }
}

/// One subscription to an account's events. Dropping it unsubscribes.
#[derive(Debug)]
pub struct UserSubscription {
    feed: Arc<UserFeed>,
    account: AccountId,
    subscription: u64,
    outbox: Arc<Outbox<Arc<str>>>,
}

impl UserSubscription {
    /// Whose.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// The next event as JSON text (the `event` of the dialect's frame), in order. `None`, after
    /// what was queued, once the reader was found too slow: close the connection. Cancel-safe.
    pub async fn receive(&mut self) -> Option<Arc<str>> {
        self.outbox.receive().await
    }

    /// The next event if one is there already.
    pub fn try_receive(&mut self) -> Option<Arc<str>> {
        self.outbox.try_receive()
    }
}

impl Drop for UserSubscription {
    fn drop(&mut self) {
        self.feed.remove(&mut lock(&self.feed.state), self.account, self.subscription);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: AccountId = AccountId(3);

    #[tokio::test]
    async fn a_reader_gets_every_event_or_an_end() {
        let feed = Arc::new(UserFeed::new(2 * (OVERHEAD_BYTES + 12)));
        let mut slow = feed.subscribe(ACCOUNT, TimeUnit::Millisecond);
        let mut quick = feed.subscribe(ACCOUNT, TimeUnit::Microsecond);
        feed.publish(ACCOUNT, |_| unreachable!("a command that began before is not heard of"));
        feed.begin_command();
        assert!(feed.has(ACCOUNT) && !feed.has(AccountId(4)));
        feed.publish(AccountId(4), |_| unreachable!("nobody listens"));
        for event in 1..=3 {
            feed.publish(ACCOUNT, |unit| format!("{event}{unit:?}"));
            assert_eq!(quick.receive().await.as_deref(), Some(format!("{event}Microsecond").as_str()));
        }
        assert_eq!(slow.receive().await.as_deref(), Some("1Millisecond"));
        assert_eq!(slow.receive().await.as_deref(), Some("2Millisecond"));
        assert_eq!(slow.receive().await, None);
        drop(quick);
        assert!(!feed.has(ACCOUNT));
        drop(slow);
        assert_eq!(feed.listeners.load(Ordering::Relaxed), 0);
    }
}
