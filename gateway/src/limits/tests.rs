//! What is refused, for how long, and when a ban follows.

use super::*;
use crate::limits::exceeded::OrderInterval;

const SECOND: u64 = 1_000_000_000;
const ACCOUNT: AccountId = AccountId(3);

fn at(seconds: u64) -> Time {
    Time(seconds * SECOND)
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([203, 0, 113, last])
}

fn limiter() -> Limiter {
    Limiter::new(RateLimits {
        request_weight_per_minute: 10,
        raw_requests_per_5_minutes: 5,
        connections_per_5_minutes: 2,
        orders_per_10_seconds: 3,
        orders_per_day: 5,
        refusals_before_ban: 2,
        ..RateLimits::default()
    })
}

#[test]
fn weight_adds_up_in_a_minute_and_is_refused_above_the_limit() {
    let limiter = limiter();
    let too_much = |minute: u64| Err(Exceeded::Weight { limit: 10, until: at(60 * (minute + 1)) });
    for (last, weight, second, used, admitted) in [
        (1, 4, 0, 4, Ok(())),
        (1, 6, 59, 10, Ok(())),
        (2, 10, 59, 10, Ok(())),
        (1, 1, 59, 11, too_much(0)),
        (1, 10, 60, 10, Ok(())),
        (1, 2, 61, 12, too_much(1)),
        (2, 10, 61, 10, Ok(())),
    ] {
        let charge = limiter.charge(address(last), weight, at(second));
        assert_eq!(charge, Charge { used, admitted }, "{last} at {second}");
    }
}

#[test]
fn requests_and_connections_are_counted_by_five_minutes() {
    let limiter = limiter();
    assert!((0..5).all(|_| limiter.enter(address(1), at(1)).is_ok()));
    assert_eq!(limiter.enter(address(1), at(2)), Err(Exceeded::RawRequests { limit: 5, until: at(300) }));
    assert_eq!(limiter.enter(address(2), at(2)), Ok(()));
    assert_eq!(limiter.enter(address(1), at(300)), Ok(()));
    for door in [Door::Streams, Door::WebSocketApi] {
        assert!((0..2).all(|_| limiter.connect(address(3), door, at(1)).is_ok()), "{door:?}");
        let refused = limiter.connect(address(3), door, at(1));
        assert_eq!(refused, Err(Exceeded::Connections { limit: 2, until: at(300) }), "{door:?}");
    }
}

#[test]
fn whoever_asks_on_is_banned_for_longer_each_time() {
    let limiter = limiter();
    let mut second = 0;
    for minutes in [2, 4, 8, 16] {
        assert!(limiter.charge(address(1), 10, at(second)).admitted.is_ok());
        for _ in 0..2 {
            let refused = limiter.charge(address(1), 1, at(second)).admitted;
            assert!(matches!(refused, Err(Exceeded::Weight { .. })), "{refused:?}");
        }
        let until = at(second + minutes * 60);
        let banned = Err(Exceeded::Banned { until });
        assert_eq!(limiter.charge(address(1), 1, at(second)).admitted, banned);
        assert_eq!(limiter.enter(address(1), at(second + 60)), banned);
        assert_eq!(limiter.charge(address(1), 1, Time(until.0 - 1)).admitted, banned);
        assert_eq!(limiter.enter(address(2), at(second + 60)), Ok(()), "nobody else is");
        second += minutes * 60;
        assert_eq!(limiter.enter(address(1), at(second)), Ok(()));
    }
    // A day later it is forgotten.
    second += 90_000;
    for _ in 0..3 {
        assert!(limiter.charge(address(1), 11, at(second)).admitted.is_err());
    }
    let until = at(second + 120);
    assert_eq!(limiter.enter(address(1), at(second)), Err(Exceeded::Banned { until }));
}

#[test]
fn a_ban_has_a_longest() {
    let limiter = limiter();
    let mut now = at(0);
    let mut longest = 0;
    for _ in 0..40 {
        let mut until = now;
        while until == now {
            if let Err(Exceeded::Banned { until: end }) = limiter.charge(address(1), 11, now).admitted {
                until = end;
            }
        }
        longest = longest.max(until.0 - now.0);
        now = until;
    }
    assert_eq!(longest, 72 * 3_600 * SECOND);
}

#[test]
fn orders_are_counted_by_ten_seconds_and_by_day() {
    let limiter = limiter();
    let refused = |interval, limit, until| Err(Exceeded::Orders { limit, interval, until: at(until) });
    for (second, number, expected, ten_seconds, day) in [
        (0, 2, Ok(()), 2, 2),
        (9, 2, refused(OrderInterval::TenSeconds, 3, 10), 2, 2),
        (9, 1, Ok(()), 3, 3),
        (10, 2, Ok(()), 2, 5),
        (20, 1, refused(OrderInterval::Day, 5, 86_400), 0, 5),
        (86_400, 1, Ok(()), 1, 1),
    ] {
        assert_eq!(limiter.take_orders(ACCOUNT, number, at(second)), expected, "second {second}");
        assert_eq!(limiter.orders_of(ACCOUNT, at(second)), OrderCount { ten_seconds, day });
    }
    assert_eq!(limiter.orders_of(AccountId(4), at(0)), OrderCount::default());
}

#[test]
fn each_refusal_has_its_words_and_says_when_to_come_back() {
    let until = at(90);
    for (exceeded, status, code, text) in [
        (
            Exceeded::Weight { limit: 6_000, until },
            429,
            -1003,
            "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. Please use \
             WebSocket Streams for live updates to avoid polling the API.",
        ),
        (
            Exceeded::Orders { limit: 100, interval: OrderInterval::TenSeconds, until },
            429,
            -1015,
            "Too many new orders; current limit is 100 orders per 10 SECOND.",
        ),
        (
            Exceeded::Orders { limit: 200_000, interval: OrderInterval::Day, until },
            429,
            -1015,
            "Too many new orders; current limit is 200000 orders per 1 DAY.",
        ),
        (
            Exceeded::Connections { limit: 300, until },
            429,
            -1034,
            "Too many connection attempts from IP; current limit is 300 per '5 MINUTE'.",
        ),
        (
            Exceeded::Banned { until },
            418,
            -1003,
            "Way too much request weight used; IP banned until 90000. Please use WebSocket Streams for live \
             updates to avoid bans.",
        ),
    ] {
        let told = exceeded.told(Time(at(60).0 + 1));
        assert_eq!((told.status, told.code, told.message.as_ref()), (status, code, text));
        assert_eq!(told.retry.expect("a time").after_seconds(), 30);
    }
}
