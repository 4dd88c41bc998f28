//! Numbers for those who watch: each room says its own, administration prints them. Refuses to know
//! who scrapes them.

use std::fmt;

/// How a number behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows, until the process ends.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// One number, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// `room_what_unit`, without the house's prefix; a counter ends in `_total` or names a sequence.
    pub name: &'static str,
    /// How it behaves.
    pub kind: MetricKind,
    /// What it says, for people.
    pub help: &'static str,
    /// Its value.
    pub value: u64,
}

impl Metric {
    /// A number that goes up and down.
    pub const fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, kind: MetricKind::Gauge, help, value }
    }

    /// A number that only grows.
    pub const fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, kind: MetricKind::Counter, help, value }
    }
}

impl fmt::Display for Metric {
    /// As Prometheus reads it, with its help and type.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, help, value } = self;
        let kind = match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        write!(formatter, "# HELP rialto_{name} {help}\n# TYPE rialto_{name} {kind}\nrialto_{name} {value}\n")
    }
}

/// A room that has numbers.
pub trait MetricSource: fmt::Debug + Send + Sync {
    /// Its numbers, now: without waiting.
    fn metrics(&self) -> Vec<Metric>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_printed_as_prometheus_reads_it() {
        let lag = Metric::gauge("stream_lag_commands", "commands not published yet", 7);
        assert_eq!(
            lag.to_string(),
            "# HELP rialto_stream_lag_commands commands not published yet\n\
             # TYPE rialto_stream_lag_commands gauge\nrialto_stream_lag_commands 7\n"
        );
    }
}
