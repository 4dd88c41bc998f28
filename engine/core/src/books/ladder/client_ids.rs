//! The names clients give their orders: found by (account, name), one hash each. Orders without a
//! name cost nothing here. Refuses to know whether a name may be used.

use super::{NAMED, slab::Slab};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use protocol::{AccountId, ClientOrderId};
use std::hash::BuildHasher as _;

/// Names of resting orders.
#[derive(Debug)]
pub(super) struct ClientIds {
    /// Slots, by the hash of their account and name. Never iterated.
    table: HashTable<u32>,
    pub(super) names: Vec<ClientOrderId>,
    free: Vec<u32>,
    hasher: FixedState,
}

impl ClientIds {
    pub(super) fn new(seed: u64) -> Self {
        let hasher = FixedState::with_seed(seed);
        Self { table: HashTable::new(), names: Vec::new(), free: Vec::new(), hasher }
    }

    fn hash(hasher: &FixedState, account: AccountId, id: &ClientOrderId) -> u64 {
        hasher.hash_one((account.0, id.words()))
    }

    /// The slot's name, if it has one.
    pub(super) fn get(&self, slot: u32, slab: &Slab) -> Option<ClientOrderId> {
        let named = slab.order(slot).flags & NAMED != 0;
        named.then(|| self.names[slab.rare[slot as usize].name as usize])
    }

    pub(super) fn insert(&mut self, slot: u32, id: &ClientOrderId, slab: &mut Slab) {
        let name = if let Some(name) = self.free.pop() {
            self.names[name as usize] = *id;
            name
        } else {
            self.names.push(*id);
            self.names.len() as u32 - 1
        };
        slab.rare[slot as usize].name = name;
        slab.orders[slot as usize].flags |= NAMED;
        let Self { table, names, hasher, .. } = self;
        let rehash = |slot: &u32| {
            let name = slab.rare[*slot as usize].name;
            Self::hash(hasher, slab.order(*slot).account, &names[name as usize])
        };
        table.insert_unique(rehash(&slot), slot, rehash);
    }

    pub(super) fn find(&self, account: AccountId, id: &ClientOrderId, slab: &Slab) -> Option<u32> {
        let same = |slot: &u32| {
            let name = slab.rare[*slot as usize].name;
            slab.order(*slot).account == account && self.names[name as usize] == *id
        };
        self.table.find(Self::hash(&self.hasher, account, id), same).copied()
    }

    /// Forgets the slot's name, if it has one.
    pub(super) fn remove(&mut self, slot: u32, slab: &mut Slab) {
        let Some(id) = self.get(slot, slab) else { return };
        let hash = Self::hash(&self.hasher, slab.order(slot).account, &id);
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == slot) {
            entry.remove();
        }
        slab.orders[slot as usize].flags &= !NAMED;
        self.free.push(slab.rare[slot as usize].name);
    }
}

/// The hashes of these names of one account.
#[cfg(test)]
pub(super) fn hashes(
    seed: u64,
    account: AccountId,
    names: impl Iterator<Item = ClientOrderId>,
) -> std::collections::BTreeSet<u64> {
    let hasher = FixedState::with_seed(seed);
    names.map(|name| ClientIds::hash(&hasher, account, &name)).collect()
}
