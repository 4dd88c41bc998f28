//! Every key of the configuration file, in words. Refuses to know values.

use serde::Serialize;

/// A key of the file, for people.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Key {
    #[serde(rename = "key")]
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) unit: &'static str,
    pub(super) default: &'static str,
    pub(super) environment: Option<&'static str>,
}

const fn key(
    name: &'static str,
    unit: &'static str,
    default: &'static str,
    environment: Option<&'static str>,
    meaning: &'static str,
) -> Key {
    Key { name, meaning, unit, default, environment }
}

/// Every key there is.
pub(crate) const KEYS: [Key; 32] = [
    key(
        "data",
        "path",
        "./data",
        Some("RIALTO_DATA"),
        "the data directory: journal, event log, databases, keys; made if absent, one process at a time",
    ),
    key(
        "listen",
        "address:port",
        "127.0.0.1:8080",
        Some("RIALTO_LISTEN"),
        "where traders connect: REST and WebSocket; with TLS when there is a certificate",
    ),
    key(
        "admin_listen",
        "address:port",
        "127.0.0.1:8081",
        Some("RIALTO_ADMIN_LISTEN"),
        "where administration, health and metrics are served; loopback only",
    ),
    key(
        "insecure",
        "true or false",
        "false",
        None,
        "lets traders' ports be reached from other machines without TLS: signatures are safe then, but orders and balances can be read on the way",
    ),
    key(
        "tls_certificate",
        "path",
        "none",
        None,
        "the certificate of `listen`, in PEM, with those between it and a known authority after it; read again when it changes, or at SIGHUP",
    ),
    key("tls_key", "path", "none", None, "the private key of the certificate, in PEM"),
    key(
        "plain_listen",
        "address:port",
        "none",
        None,
        "a second port for traders, without TLS, beside `listen` with it; loopback only unless `insecure`",
    ),
    key(
        "log",
        "filter",
        "info",
        Some("RIALTO_LOG"),
        "what is logged on standard error, such as `info` or `gateway=debug,info`",
    ),
    key(
        "engine_id",
        "number",
        "1",
        None,
        "the engine's id, written into a new data directory; different for each engine",
    ),
    key(
        "ring_slots",
        "slots of 128 bytes",
        "16384",
        None,
        "commands that may wait for the engine; one that finds no room is refused",
    ),
    key("group_bytes", "bytes", "1048576", None, "the most that one write and one sync take"),
    key("journal_segment_bytes", "bytes", "67108864", None, "the size of a journal file"),
    key("event_segment_bytes", "bytes", "67108864", None, "the size of an event log file"),
    key(
        "reserve_bytes",
        "bytes",
        "67108864",
        None,
        "disk space that the journal leaves free; below it commands are refused",
    ),
    key(
        "snapshot_commands",
        "commands",
        "1000000",
        None,
        "a snapshot of the state is made after so many; 0: never for this reason",
    ),
    key(
        "snapshot_minutes",
        "minutes",
        "60",
        None,
        "a snapshot is made after so long, if there were commands; 0: never for this reason",
    ),
    key("snapshots_kept", "snapshots", "3", None, "the newest snapshots that stay; at least 1"),
    key(
        "journal_segments_kept",
        "files",
        "4",
        None,
        "full journal files that stay though every snapshot and the event log are past them",
    ),
    key(
        "journal_bytes_kept",
        "bytes",
        "1073741824",
        None,
        "as many full journal files as have so many bytes stay too",
    ),
    key(
        "archive",
        "true or false",
        "true",
        None,
        "journal files that leave are compressed into the data directory's `archive` first, where `rialto replay` reads them as if they were there; without, what they hold can be replayed no more",
    ),
    key("clock_bound_seconds", "seconds", "10", None, "a larger jump of the wall clock halts trading"),
    key(
        "wait",
        "park or busy",
        "park",
        None,
        "how the engine's threads wait; busy is faster and needs three processors to spare",
    ),
    key("processors", "three numbers", "none", None, "the processors of sequencer, core and egress"),
    key(
        "request_weight_per_minute",
        "weight",
        "6000",
        None,
        "the request weight that an address may use in a minute",
    ),
    key(
        "raw_requests_per_5_minutes",
        "requests",
        "61000",
        None,
        "the requests that an address may send in 5 minutes, whatever they weigh",
    ),
    key(
        "connections_per_5_minutes",
        "connections",
        "300",
        None,
        "the WebSocket connections that an address may open in 5 minutes, for streams and for the WebSocket API each",
    ),
    key("orders_per_10_seconds", "orders", "100", None, "the orders that an account may place in 10 seconds"),
    key("orders_per_day", "orders", "200000", None, "the orders that an account may place in a day (UTC)"),
    key(
        "stream_messages_per_second",
        "messages",
        "5",
        None,
        "the control messages that a market-stream connection may send in a second, in the long run",
    ),
    key(
        "stream_message_burst",
        "messages",
        "50",
        None,
        "the control messages that a market-stream connection may send at once",
    ),
    key(
        "refusals_before_ban",
        "requests",
        "20",
        None,
        "the requests of one minute that an address may have refused (429) before it is banned (418), for 2 minutes at first and up to 3 days",
    ),
    key(
        "trusted_proxies",
        "list of addresses and networks",
        "[]",
        None,
        "the proxies whose X-Forwarded-For says who the client is",
    ),
];
