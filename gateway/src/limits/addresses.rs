//! What each address has used, in a table that does not grow with the addresses there are: when it is
//! full, those that have used nothing lately make room, and newcomers beyond that share counts with a
//! few others. Refuses to know what the limits are.

use super::{
    Exceeded,
    window::{FIVE_MINUTES, MINUTE, Window},
};
use protocol::Time;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

/// The most addresses counted apart: about 15 MB.
const ADDRESSES_MAX: usize = 100_000;
/// Counts for the addresses beyond; each stands for those whose hash, which nobody can foresee, falls
/// on it.
const SHARED_COUNTS: usize = 4_096;
/// Between two looks for entries that may go, in nanoseconds.
const SWEEP_INTERVAL: u64 = 10_000_000_000;
/// The first ban; the next is twice as long, and so on.
const BAN_FIRST: Duration = Duration::from_mins(2);
/// The longest ban.
const BAN_LONGEST: Duration = Duration::from_hours(72);
/// How long after a ban the next one counts as another one, in nanoseconds: a day.
const BAN_MEMORY: u64 = 86_400_000_000_000;

/// What one address has used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    pub(super) weight: Window,
    pub(super) raw: Window,
    pub(super) connections: [Window; 2],
    refusals: Window,
    banned_until: Time,
    bans: u32,
    /// Several addresses share it: not to be banned for what one of them does.
    shared: bool,
}

impl Usage {
    /// Refuses an address that is banned.
    pub(super) fn not_banned(&self, now: Time) -> Result<(), Exceeded> {
        if now < self.banned_until { Err(Exceeded::Banned { until: self.banned_until }) } else { Ok(()) }
    }

    /// Refuses a request, and bans the address if it has been refused too often.
    pub(super) fn refuse(&mut self, bearable: u32, now: Time, why: Exceeded) -> Result<(), Exceeded> {
        if self.shared || self.refusals.add(MINUTE, now, 1) <= bearable {
            return Err(why);
        }
        if now.0.saturating_sub(self.banned_until.0) > BAN_MEMORY {
            self.bans = 0;
        }
        let length = BAN_FIRST.saturating_mul(2_u32.saturating_pow(self.bans)).min(BAN_LONGEST);
        self.bans += 1;
        self.refusals = Window::default();
        // At most 72 hours: 64 bits of nanoseconds hold it.
        self.banned_until = Time(now.0.saturating_add(length.as_nanos() as u64));
        Err(Exceeded::Banned { until: self.banned_until })
    }

    /// Whether nothing would be lost but the memory of old bans.
    fn is_idle(&self, now: Time) -> bool {
        let quiet = |window: &Window| window.count(FIVE_MINUTES, now) == 0;
        self.weight.count(MINUTE, now) == 0
            && quiet(&self.raw)
            && self.connections.iter().all(quiet)
            && self.not_banned(now).is_ok()
    }
}

/// Every address's use.
#[derive(Debug)]
pub(super) struct Addresses {
    used: HashMap<IpAddr, Usage>,
    shared: Vec<Usage>,
    hash: RandomState,
    swept_at: Time,
}

impl Default for Addresses {
    fn default() -> Self {
        let shared = Usage { shared: true, ..Usage::default() };
        Self {
            used: HashMap::new(),
            shared: vec![shared; SHARED_COUNTS],
            hash: RandomState::new(),
            swept_at: Time(0),
        }
    }
}

impl Addresses {
    /// Does `change` to what an address has used.
    pub(super) fn with<T>(&mut self, address: IpAddr, now: Time, change: impl FnOnce(&mut Usage) -> T) -> T {
        let subject = subject(address);
        if self.used.len() >= ADDRESSES_MAX && !self.used.contains_key(&subject) {
            if now.0.saturating_sub(self.swept_at.0) >= SWEEP_INTERVAL {
                self.swept_at = now;
                self.used.retain(|_, usage| !usage.is_idle(now));
            }
            if self.used.len() >= ADDRESSES_MAX {
                let place = self.hash.hash_one(subject) as usize % SHARED_COUNTS;
                return change(&mut self.shared[place]);
            }
        }
        change(self.used.entry(subject).or_default())
    }
}

/// Who is counted: an IPv4 address; of IPv6 the network of 2^64 addresses that one customer has.
fn subject(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn weigh(addresses: &mut Addresses, address: IpAddr, now: Time) -> u32 {
        addresses.with(address, now, |usage| usage.weight.add(MINUTE, now, 1))
    }

    #[test]
    fn a_network_of_one_customer_is_one_subject() {
        for (one, other, same) in [
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("203.0.113.7", "::ffff:203.0.113.7", true),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            let subject_of = |text: &str| subject(text.parse().unwrap());
            assert_eq!(subject_of(one) == subject_of(other), same, "{one} {other}");
        }
    }

    #[test]
    fn a_flood_of_addresses_does_not_grow_the_table() {
        let mut addresses = Addresses::default();
        let address = |index: u32| IpAddr::from(index.to_be_bytes());
        let flood = 3 * ADDRESSES_MAX as u32;
        for index in 0..flood {
            weigh(&mut addresses, address(index), Time(SECOND));
        }
        assert_eq!(addresses.used.len(), ADDRESSES_MAX);
        assert_eq!(addresses.shared.len(), SHARED_COUNTS);
        assert_eq!(weigh(&mut addresses, address(0), Time(SECOND)), 2, "those inside are counted apart");
        let shared: u32 = addresses.shared.iter().map(|usage| usage.weight.count(MINUTE, Time(SECOND))).sum();
        assert_eq!(shared, flood - ADDRESSES_MAX as u32, "those beyond share");
        // A later minute: the flood is over, and there is room again.
        let later = Time(61 * SECOND);
        assert_eq!(weigh(&mut addresses, address(flood), later), 1);
        assert_eq!(addresses.used.len(), 1);
    }

    #[test]
    fn a_shared_count_is_never_banned() {
        let now = Time(SECOND);
        let why = Exceeded::Weight { limit: 1, until: now };
        let mut usage = Usage { shared: true, ..Usage::default() };
        for _ in 0..100 {
            assert_eq!(usage.refuse(1, now, why), Err(why));
        }
        assert_eq!(usage.not_banned(now), Ok(()));
    }
}
