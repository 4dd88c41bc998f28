//! The questions that history is asked, with random arguments, and how long each answer takes. The
//! statements are those that the books' reading side uses, or plainer. Refuses to judge the answers.

use super::Market;
use database::{Database, DatabaseError, Value};
use std::time::{Duration, Instant};

/// A page of a client's call.
const LIMIT: i64 = 500;

/// How one question was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What was asked.
    pub question: &'static str,
    /// Its statement.
    pub statement: &'static str,
    /// Rows of an answer, on average.
    pub rows: u64,
    /// Half of the answers were faster.
    pub median: Duration,
    /// All but one in a hundred were.
    pub p99: Duration,
}

/// What a statement's arguments are drawn from.
#[derive(Clone, Copy)]
enum Draw {
    Account,
    Instrument,
    Order,
    Trade,
    Aggregate,
    Time,
    Minute,
    Limit,
    Asset,
}

const QUESTIONS: &[(&str, &str, &[Draw])] = &[
    (
        "orders of an account, the last",
        "SELECT * FROM orders WHERE account = $1 AND instrument = $2 ORDER BY order_id DESC LIMIT $3",
        &[Draw::Account, Draw::Instrument, Draw::Limit],
    ),
    (
        "orders of an account from an id",
        "SELECT * FROM orders WHERE account = $1 AND instrument = $2 AND order_id >= $3 ORDER BY order_id LIMIT $4",
        &[Draw::Account, Draw::Instrument, Draw::Order, Draw::Limit],
    ),
    (
        "orders of an account from a time",
        "SELECT * FROM orders WHERE account = $1 AND instrument = $2 AND order_id >= \
         (SELECT order_id FROM orders WHERE created_at >= $3 ORDER BY created_at, order_id LIMIT 1) \
         ORDER BY order_id LIMIT $4",
        &[Draw::Account, Draw::Instrument, Draw::Time, Draw::Limit],
    ),
    ("an order by its id", "SELECT * FROM orders WHERE order_id = $1", &[Draw::Order]),
    (
        "an account's trades as taker, from an id",
        "SELECT * FROM trades WHERE taker_account = $1 AND instrument = $2 AND trade_id >= $3 ORDER BY trade_id LIMIT $4",
        &[Draw::Account, Draw::Instrument, Draw::Trade, Draw::Limit],
    ),
    (
        "an account's trades as maker, the last",
        "SELECT * FROM trades WHERE maker_account = $1 AND instrument = $2 ORDER BY trade_id DESC LIMIT $3",
        &[Draw::Account, Draw::Instrument, Draw::Limit],
    ),
    (
        "an order's trades",
        "SELECT * FROM trades WHERE maker_order_id = $1 OR taker_order_id = $1",
        &[Draw::Order],
    ),
    (
        "trades of an instrument from an id",
        "SELECT * FROM trades WHERE instrument = $1 AND trade_id >= $2 ORDER BY trade_id LIMIT $3",
        &[Draw::Instrument, Draw::Trade, Draw::Limit],
    ),
    (
        "trades behind aggregates, from an id",
        "SELECT * FROM trades WHERE instrument = $1 AND aggregate_id >= $2 ORDER BY instrument, aggregate_id LIMIT $3",
        &[Draw::Instrument, Draw::Aggregate, Draw::Limit],
    ),
    (
        "candles of a minute from a time",
        "SELECT * FROM candles WHERE instrument = $1 AND interval_number = 1 AND open_time >= $2 ORDER BY open_time LIMIT $3",
        &[Draw::Instrument, Draw::Minute, Draw::Limit],
    ),
    (
        "postings of an account from a time",
        "SELECT * FROM postings WHERE account = $1 AND asset = $2 AND time >= $3 \
         ORDER BY account, asset, time, sequence, event_index, leg LIMIT $4",
        &[Draw::Account, Draw::Asset, Draw::Time, Draw::Limit],
    ),
    (
        "a balance at a time",
        "SELECT available_after, held_after FROM postings WHERE account = $1 AND asset = $2 AND time < $3 \
         ORDER BY account DESC, asset DESC, time DESC, sequence DESC, event_index DESC, leg DESC LIMIT 1",
        &[Draw::Account, Draw::Asset, Draw::Time],
    ),
];

/// What there is to ask for.
struct Bounds {
    accounts: u64,
    orders: u64,
    trades: u64,
    aggregates: u64,
    times: (u64, u64),
}

/// Asks each question `times` times, and how the database means to answer it.
///
/// # Errors
/// The database's.
pub async fn ask_all(
    database: &Database,
    market: &Market,
    accounts: u32,
    times: usize,
) -> Result<Vec<Answered>, DatabaseError> {
    let one = async |statement| Ok::<_, DatabaseError>(database.rows(statement, &[]).await?.remove(0));
    let orders = one("SELECT MAX(order_id) AS number FROM orders").await?.integer("number")? as u64;
    let trades = one("SELECT MAX(trade_id) AS number FROM trades").await?.integer("number")? as u64;
    let aggregates = one("SELECT MAX(aggregate_id) AS number FROM trades").await?.integer("number")? as u64;
    let span =
        one("SELECT MIN(open_time) AS first, MAX(end_time) AS last FROM candles WHERE interval_number = 1")
            .await?;
    let times_of = (span.integer("first")? as u64, span.integer("last")? as u64);
    let bounds = Bounds { accounts: accounts.into(), orders, trades, aggregates, times: times_of };
    let mut random = 7_u64;
    let mut answered = Vec::new();
    for (question, statement, draws) in QUESTIONS.iter().copied() {
        let (mut taken, mut rows) = (Vec::with_capacity(times), 0);
        for _ in 0..times {
            let values: Vec<Value<'_>> =
                draws.iter().map(|draw| Value::Integer(drawn(*draw, market, &bounds, &mut random))).collect();
            let start = Instant::now();
            rows += database.rows(statement, &values).await?.len();
            taken.push(start.elapsed());
        }
        taken.sort_unstable();
        let (median, p99) = (taken[times / 2], taken[times * 99 / 100]);
        answered.push(Answered { question, statement, rows: (rows / times) as u64, median, p99 });
    }
    Ok(answered)
}

fn drawn(draw: Draw, market: &Market, bounds: &Bounds, random: &mut u64) -> i64 {
    *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let below = |bound: u64| (*random >> 33) % bound.max(1);
    let (first, last) = bounds.times;
    // Whole milliseconds: 31 random bits are enough for them.
    let time = first + below((last - first) / 1_000_000) * 1_000_000;
    match draw {
        Draw::Account => market.account(below(bounds.accounts) as u32).0.into(),
        Draw::Instrument => 1 + below(4) as i64,
        Draw::Asset => 1 + below(5) as i64,
        Draw::Order => 1 + below(bounds.orders) as i64,
        Draw::Trade => 1 + below(bounds.trades) as i64,
        Draw::Aggregate => 1 + below(bounds.aggregates) as i64,
        Draw::Time => time as i64,
        Draw::Minute => (time / 60_000_000_000 * 60_000_000_000) as i64,
        Draw::Limit => LIMIT,
    }
}
