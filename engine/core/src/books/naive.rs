//! The obviously right books: a sorted map of queues. Slow, and the measure of the fast ones.

use super::{Books, RestingOrder};
use crate::Engine;
use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, Price, Quantity, Sequence, Side, Time,
    command::CommandRecord, event::EventBuffer, reject::Outcome,
};
use std::collections::{BTreeMap, VecDeque};

/// Price levels in the order in which they trade: the key grows from the best to the worst.
type Levels = BTreeMap<i64, VecDeque<OrderId>>;

/// An order, what of it has traded, and its name.
#[derive(Debug)]
struct Resting {
    order: RestingOrder,
    executed: Quantity,
    name: Option<ClientOrderId>,
}

/// Books as sorted maps.
#[derive(Debug, Default)]
pub struct NaiveBooks {
    orders: BTreeMap<OrderId, Resting>,
    sides: BTreeMap<(InstrumentId, Side), Levels>,
}

fn key(side: Side, price: Price) -> i64 {
    match side {
        Side::Buy => -i64::from(price.0),
        Side::Sell => i64::from(price.0),
    }
}

impl Books for NaiveBooks {
    type Handle = OrderId;

    fn new(_hash_seed: u64) -> Self {
        Self::default()
    }

    fn apply(
        engine: &mut Engine<Self>,
        command: &CommandRecord<'_>,
        time: Time,
        sequence: Sequence,
        events: &mut EventBuffer,
    ) -> Outcome {
        engine.apply_command(command, time, sequence, events)
    }

    fn open_instrument(&mut self, _instrument: InstrumentId) {}

    fn insert(&mut self, order: RestingOrder, executed: Quantity, client_order_id: Option<&ClientOrderId>) {
        let levels = self.sides.entry((order.instrument, order.side)).or_default();
        levels.entry(key(order.side, order.price)).or_default().push_back(order.order_id);
        self.orders.insert(order.order_id, Resting { order, executed, name: client_order_id.copied() });
    }

    fn insert_beside(&mut self, order: RestingOrder, client_order_id: Option<&ClientOrderId>) {
        let resting = Resting { order, executed: Quantity(0), name: client_order_id.copied() };
        self.orders.insert(order.order_id, resting);
    }

    fn remove_beside(&mut self, handle: OrderId) {
        self.orders.remove(&handle);
    }

    fn change(&mut self, handle: OrderId, change: impl FnOnce(&mut RestingOrder)) {
        if let Some(resting) = self.orders.get_mut(&handle) {
            change(&mut resting.order);
        }
    }

    fn enter(&mut self, handle: OrderId, executed: Quantity) {
        if let Some(Resting { order, name, .. }) = self.orders.remove(&handle) {
            self.insert(order, executed, name.as_ref());
        }
    }

    fn requeue(&mut self, handle: OrderId, leaves: Quantity, executed: Quantity) {
        let (order, name) = (*self.order(handle), self.client_order_id(handle));
        self.remove(handle);
        self.insert(RestingOrder { leaves, ..order }, executed, name.as_ref());
    }

    fn best_price(&self, instrument: InstrumentId, side: Side) -> Option<Price> {
        self.front(instrument, side).map(|handle| self.order(handle).price)
    }

    fn price_after(&self, instrument: InstrumentId, side: Side, price: Price) -> Option<Price> {
        let levels = self.sides.get(&(instrument, side))?;
        let (level, _) = levels.range(key(side, price) + 1..).next()?;
        Some(Price(level.unsigned_abs() as u32)) // a price, signed by its side
    }

    fn front(&self, instrument: InstrumentId, side: Side) -> Option<OrderId> {
        let (_, queue) = self.sides.get(&(instrument, side))?.first_key_value()?;
        queue.front().copied()
    }

    fn after(&self, handle: OrderId) -> Option<OrderId> {
        let order = self.order(handle);
        let levels = &self.sides[&(order.instrument, order.side)];
        let mut rest =
            levels.range(key(order.side, order.price)..).flat_map(|(_, queue)| queue.iter().copied());
        rest.find(|id| *id == handle);
        rest.next()
    }

    fn order(&self, handle: OrderId) -> &RestingOrder {
        &self.orders[&handle].order
    }

    fn executed(&self, handle: OrderId) -> Quantity {
        self.orders[&handle].executed
    }

    fn client_order_id(&self, handle: OrderId) -> Option<ClientOrderId> {
        self.orders[&handle].name
    }

    fn rename(&mut self, handle: OrderId, client_order_id: &ClientOrderId) {
        if let Some(resting) = self.orders.get_mut(&handle) {
            resting.name = Some(*client_order_id);
        }
    }

    fn reduce(&mut self, handle: OrderId, quantity: Quantity, traded: bool) {
        if let Some(resting) = self.orders.get_mut(&handle) {
            resting.order.leaves.0 -= quantity.0;
            if traded {
                resting.executed.0 += quantity.0;
            }
        }
    }

    fn remove(&mut self, handle: OrderId) {
        let Some(Resting { order, .. }) = self.orders.remove(&handle) else { return };
        let Some(levels) = self.sides.get_mut(&(order.instrument, order.side)) else { return };
        let level = key(order.side, order.price);
        if let Some(queue) = levels.get_mut(&level) {
            queue.retain(|id| *id != handle);
            if queue.is_empty() {
                levels.remove(&level);
            }
        }
        if levels.is_empty() {
            self.sides.remove(&(order.instrument, order.side));
        }
    }

    fn find(&self, order_id: OrderId) -> Option<OrderId> {
        self.orders.contains_key(&order_id).then_some(order_id)
    }

    fn find_by_client_order_id(&self, account: AccountId, id: &ClientOrderId) -> Option<OrderId> {
        let named =
            |resting: &&Resting| resting.order.account == account && resting.name.as_ref() == Some(id);
        self.orders.values().find(named).map(|resting| resting.order.order_id)
    }

    fn open_orders(&self, instrument: InstrumentId) -> u32 {
        self.orders.values().filter(|resting| resting.order.instrument == instrument).count() as u32
    }

    fn count(&self, account: AccountId, instrument: InstrumentId) -> u32 {
        let own = |order: &RestingOrder| order.account == account && order.instrument == instrument;
        self.orders.values().filter(|resting| own(&resting.order)).count() as u32
    }

    fn newest(&self, account: AccountId, instrument: InstrumentId) -> Option<OrderId> {
        let own = |order: &RestingOrder| order.account == account && order.instrument == instrument;
        self.orders.values().rev().find(|resting| own(&resting.order)).map(|resting| resting.order.order_id)
    }

    fn older(&self, handle: OrderId) -> Option<OrderId> {
        let RestingOrder { account, instrument, .. } = *self.order(handle);
        let own = |order: &RestingOrder| order.account == account && order.instrument == instrument;
        self.orders.range(..handle).rev().find(|(_, resting)| own(&resting.order)).map(|(id, _)| *id)
    }
}
