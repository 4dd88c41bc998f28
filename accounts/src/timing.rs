//! Whether a request is of now, as a pure function of its two texts and the server's time (dialect
//! §2.3). Refuses to read a clock.

/// `recvWindow` when the client gives none: 5 s, in microseconds.
pub const RECV_WINDOW_DEFAULT_MICROS: u64 = 5_000_000;
/// The largest `recvWindow`: 60 s, in microseconds.
pub const RECV_WINDOW_MAX_MICROS: u64 = 60_000_000;
/// A timestamp this far ahead of the server's time, or further, is refused: 1 s, in microseconds.
pub const AHEAD_LIMIT_MICROS: u64 = 1_000_000;

/// From here on a timestamp counts microseconds: as milliseconds it would be after the year 5138.
const MICROSECONDS_FROM: u64 = 100_000_000_000_000;
/// Decimals that a `recvWindow` in milliseconds may have: a microsecond is the smallest.
const RECV_WINDOW_DECIMALS: usize = 3;

/// A request's own time, found good once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// When the client says it signed, in microseconds since 1970 UTC.
    pub timestamp_micros: u64,
    /// For how long after that the request is good, in microseconds.
    pub recv_window_micros: u64,
}

/// Why a request's timing was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// `timestamp` is not a whole number of at most 64 bits (dialect -1100).
    #[error("the timestamp is not a whole number of milliseconds or microseconds")]
    TimestampMalformed,
    /// `recvWindow` is not a number of at most three decimals (dialect -1100).
    #[error("the recvWindow is not a number of milliseconds with at most three decimals")]
    RecvWindowMalformed,
    /// `recvWindow` is above 60000 (dialect -1131).
    #[error("the recvWindow must be at most 60000 milliseconds")]
    RecvWindowTooLarge,
    /// The request is from the future (dialect -1021, "1000ms ahead").
    #[error("the timestamp is 1000 ms or more ahead of the server's time")]
    Ahead,
    /// The request is too old (dialect -1021, "outside of the recvWindow").
    #[error("the timestamp is outside of the recvWindow")]
    OutsideRecvWindow,
}

/// Checks a request's `timestamp` and `recvWindow` against the server's time.
///
/// `timestamp_text` counts milliseconds, or microseconds from 10^14 on. `recv_window_text` is in
/// milliseconds with up to three decimals; absent, it is 5000.
pub fn check_timing(
    timestamp_text: &str,
    recv_window_text: Option<&str>,
    now_micros: u64,
) -> Result<Timing, TimingError> {
    let timestamp = digits(timestamp_text).ok_or(TimingError::TimestampMalformed)?;
    let timestamp_micros = if timestamp < MICROSECONDS_FROM { timestamp * 1_000 } else { timestamp };
    let recv_window_micros = recv_window_text.map_or(Ok(RECV_WINDOW_DEFAULT_MICROS), recv_window)?;
    let timing = Timing { timestamp_micros, recv_window_micros };
    timing.check_at(now_micros)?;
    Ok(timing)
}

impl Timing {
    /// Checks again at a later time: a request may have waited before it was handed on.
    pub fn check_at(&self, now_micros: u64) -> Result<(), TimingError> {
        if self.timestamp_micros >= now_micros.saturating_add(AHEAD_LIMIT_MICROS) {
            return Err(TimingError::Ahead);
        }
        if now_micros.saturating_sub(self.timestamp_micros) > self.recv_window_micros {
            return Err(TimingError::OutsideRecvWindow);
        }
        Ok(())
    }
}

/// A `recvWindow` in microseconds.
fn recv_window(text: &str) -> Result<u64, TimingError> {
    let (whole, fraction) = match text.split_once('.') {
        None => (text, 0),
        Some((whole, decimals)) if decimals.len() <= RECV_WINDOW_DECIMALS => {
            let value = digits(decimals).ok_or(TimingError::RecvWindowMalformed)?;
            (whole, value * 10_u64.pow((RECV_WINDOW_DECIMALS - decimals.len()) as u32))
        }
        Some(_) => return Err(TimingError::RecvWindowMalformed),
    };
    let millis = digits(whole).ok_or(TimingError::RecvWindowMalformed)?;
    let micros = millis.checked_mul(1_000).and_then(|micros| micros.checked_add(fraction));
    micros.filter(|micros| *micros <= RECV_WINDOW_MAX_MICROS).ok_or(TimingError::RecvWindowTooLarge)
}

/// A number of digits only: no sign, no space, not empty, at most 64 bits.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_700_000_000_000_000;

    #[test]
    fn timestamps_are_held_to_the_limits_exactly() {
        use TimingError::{Ahead, OutsideRecvWindow, RecvWindowTooLarge};
        for (timestamp, window, expected) in [
            // Milliseconds.
            ("1700000000000", None, Ok((NOW, 5_000_000))),
            ("1699999995000", None, Ok((NOW - 5_000_000, 5_000_000))),
            ("1699999994999", None, Err(OutsideRecvWindow)),
            ("1700000000999", None, Ok((NOW + 999_000, 5_000_000))),
            ("1700000001000", None, Err(Ahead)),
            // Microseconds.
            ("1700000000000000", None, Ok((NOW, 5_000_000))),
            ("1699999995000000", None, Ok((NOW - 5_000_000, 5_000_000))),
            ("1699999994999999", None, Err(OutsideRecvWindow)),
            ("1700000000999999", None, Ok((NOW + 999_999, 5_000_000))),
            ("1700000001000000", None, Err(Ahead)),
            // The magnitude decides.
            ("99999999999999", None, Err(Ahead)),
            ("100000000000000", None, Err(OutsideRecvWindow)),
            ("0", None, Err(OutsideRecvWindow)),
            ("18446744073709551615", None, Err(Ahead)),
            // The window.
            ("1699999999999", Some("1"), Ok((NOW - 1_000, 1_000))),
            ("1699999999999", Some("0.999"), Err(OutsideRecvWindow)),
            ("1699999999999999", Some("0.001"), Ok((NOW - 1, 1))),
            ("1699999999999998", Some("0.001"), Err(OutsideRecvWindow)),
            ("1699999999999500", Some("0.5"), Ok((NOW - 500, 500))),
            ("1700000000000", Some("0"), Ok((NOW, 0))),
            ("1699940000000", Some("60000"), Err(OutsideRecvWindow)),
            ("1699999940000", Some("60000"), Ok((NOW - 60_000_000, 60_000_000))),
            ("1699999940000", Some("60000.000"), Ok((NOW - 60_000_000, 60_000_000))),
            ("1699999939999", Some("60000"), Err(OutsideRecvWindow)),
            ("1700000000000", Some("60000.001"), Err(RecvWindowTooLarge)),
            ("1700000000000", Some("60001"), Err(RecvWindowTooLarge)),
            ("1700000000000", Some("18446744073709551615"), Err(RecvWindowTooLarge)),
        ] {
            let timing = check_timing(timestamp, window, NOW)
                .map(|timing| (timing.timestamp_micros, timing.recv_window_micros));
            assert_eq!(timing, expected, "{timestamp} {window:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bad in [
            "",
            " ",
            "-1",
            "+1700000000000",
            "1700000000000 ",
            "1.7e12",
            "1700000000000.0",
            "١",
            "0x1",
            "18446744073709551616",
        ] {
            assert_eq!(check_timing(bad, None, NOW), Err(TimingError::TimestampMalformed), "{bad:?}");
        }
        for bad in ["", "-1", "+5000", "5000.", ".5", "1.0001", "1.-1", "5e3", "5,000", "1.2.3", "NaN"] {
            let timing = check_timing("1700000000000", Some(bad), NOW);
            assert_eq!(timing, Err(TimingError::RecvWindowMalformed), "{bad:?}");
        }
    }

    #[test]
    fn a_request_can_grow_old_while_it_waits() {
        let timing = check_timing("1700000000000", Some("10"), NOW).unwrap();
        assert_eq!(timing.check_at(NOW + 10_000), Ok(()));
        assert_eq!(timing.check_at(NOW + 10_001), Err(TimingError::OutsideRecvWindow));
        // The server's clock may be set back.
        assert_eq!(timing.check_at(NOW - 1_000_000), Err(TimingError::Ahead));
        assert_eq!(timing.check_at(0), Err(TimingError::Ahead));
    }

    proptest! {
        #[test]
        fn any_text_is_answered(timestamp in ".{0,30}", window in proptest::option::of(".{0,30}"), now in any::<u64>()) {
            let _ = check_timing(&timestamp, window.as_deref(), now);
        }

        #[test]
        fn a_good_request_is_within_its_window(
            timestamp in any::<u64>(), window in 0_u64..70_000_000, now in any::<u64>(),
        ) {
            let window_text = format!("{}.{:03}", window / 1_000, window % 1_000);
            if let Ok(timing) = check_timing(&timestamp.to_string(), Some(&window_text), now) {
                prop_assert_eq!(timing.recv_window_micros, window);
                prop_assert!(timing.timestamp_micros < now.saturating_add(1_000_000));
                prop_assert!(now.saturating_sub(timing.timestamp_micros) <= window);
            }
        }
    }
}
