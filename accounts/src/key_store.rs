//! Every enabled key, in memory, for the request path: no SQL, no lock. Refuses to decide anything: it
//! finds the key, and [`ApiKey`] knows what it may do.

use crate::{ApiKey, ApiKeyId};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::Arc;

/// A table of keys that is swapped whole when it changes, which is rare.
#[derive(Debug, Default)]
pub struct KeyStore {
    // Keys are random and chosen by us: the standard hasher's protection costs little and stays.
    keys: ArcSwap<HashMap<ApiKeyId, Arc<ApiKey>>>,
}

impl FromIterator<ApiKey> for KeyStore {
    /// A table of these keys, all enabled.
    fn from_iter<T: IntoIterator<Item = ApiKey>>(keys: T) -> Self {
        let store = Self::default();
        store.change(None, keys);
        store
    }
}

impl KeyStore {
    /// The enabled key of this name. A session that outlives one request looks it up again on the next,
    /// so that a disabled key stops at once.
    pub fn lookup(&self, id: &ApiKeyId) -> Option<Arc<ApiKey>> {
        self.keys.load().get(id).cloned()
    }

    /// How many keys are enabled.
    pub fn len(&self) -> usize {
        self.keys.load().len()
    }

    /// Whether no key is enabled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every enabled key, as of now.
    pub(crate) fn snapshot(&self) -> Vec<Arc<ApiKey>> {
        self.keys.load().values().cloned().collect()
    }

    /// Takes `removed` out and puts `added` in, to stay there only if it is said to. Changes of the
    /// table are made while their transaction holds the database, so that they come in its order; what
    /// is not committed, or given up half-way, is then gone.
    pub(crate) fn change_for_now(&self, removed: Option<&ApiKeyId>, added: ApiKey) -> ForNow<'_> {
        let id = added.id;
        self.change(removed, [added]);
        ForNow { store: self, id, kept: false }
    }

    /// Puts these keys, all that are enabled, in the place of those there are. One that is the same stays,
    /// with the uses noted of it. Called while the caller's transaction holds the database, as every
    /// change is.
    pub(crate) fn replace(&self, keys: Vec<ApiKey>) {
        let before = self.keys.load();
        let known = |key: &ApiKey| before.get(&key.id).filter(|known| known.is_same(key)).cloned();
        let keys = keys.into_iter().map(|key| (key.id, known(&key).unwrap_or_else(|| Arc::new(key))));
        self.keys.store(Arc::new(keys.collect()));
    }

    /// Takes `removed` out and puts `added` in, both at once.
    pub(crate) fn change(&self, removed: Option<&ApiKeyId>, added: impl IntoIterator<Item = ApiKey>) {
        let added: Vec<Arc<ApiKey>> = added.into_iter().map(Arc::new).collect();
        self.keys.rcu(|keys| {
            let mut keys = HashMap::clone(keys);
            if let Some(id) = removed {
                keys.remove(id);
            }
            keys.extend(added.iter().map(|key| (key.id, Arc::clone(key))));
            keys
        });
    }
}

/// A key that leaves the table again unless it is kept.
#[derive(Debug)]
pub(crate) struct ForNow<'a> {
    store: &'a KeyStore,
    id: ApiKeyId,
    kept: bool,
}

impl ForNow<'_> {
    /// The key stays.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for ForNow<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.store.change(Some(&self.id), []);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credential, IpAllowList, Scopes};
    use protocol::AccountId;

    fn key(character: &str) -> ApiKey {
        let id = ApiKeyId::parse(&character.repeat(64)).unwrap();
        let credential = Credential::Hmac("secret".into());
        ApiKey::new(id, AccountId(3), credential, Scopes::READ, IpAllowList::default(), String::new())
    }

    #[test]
    fn a_change_is_seen_whole() {
        let store = KeyStore::default();
        let (first, second) = (key("a").id, key("b").id);
        assert!(store.lookup(&first).is_none() && store.is_empty());
        let store: KeyStore = [key("a")].into_iter().collect();
        let held = store.lookup(&first).unwrap();
        store.change(Some(&first), [key("b")]);
        assert!(store.lookup(&first).is_none());
        assert_eq!(store.lookup(&second).unwrap().id, second);
        assert_eq!(store.len(), 1);
        assert_eq!(held.id, first, "who holds a key keeps it");
        drop(store.change_for_now(Some(&second), key("a")));
        assert!(store.is_empty(), "the one is out, the other was not kept");
        store.change_for_now(None, key("b")).keep();
        assert!(store.lookup(&second).is_some());
    }

    #[test]
    fn replaced_whole_a_key_that_is_the_same_keeps_its_uses() {
        let store: KeyStore = [key("a"), key("b")].into_iter().collect();
        for name in ["a", "b"] {
            store.lookup(&key(name).id).unwrap().mark_used(protocol::Time(7));
        }
        let mut relabelled = key("b");
        relabelled.label = "desk".to_owned();
        store.replace(vec![key("a"), relabelled, key("c")]);
        assert_eq!(store.len(), 3);
        let used = |name| store.lookup(&key(name).id).unwrap().last_used();
        assert_eq!(used("a"), Some(protocol::Time(7)), "it is the same");
        assert_eq!((used("b"), used("c")), (None, None));
        assert_eq!(store.lookup(&key("b").id).unwrap().label, "desk");
        store.replace(vec![key("c")]);
        assert!(store.lookup(&key("a").id).is_none() && store.lookup(&key("c").id).is_some());
    }
}
