//! A small synthetic market, so that a newcomer sees prices move: one account that quotes around a
//! slow random walk and trades now and then, through the same door as everyone. Refuses to know the
//! engine.

use crate::demo::{ACTOR, new_key, open_account};
use crate::process::now;
use crate::rest_client::{RestClient, TraderKey};
use accounts::{NewCredential, Revealed, Scopes};
use anyhow::bail;
use gateway::{admin::Administration, views::Views};
use hyper::Method;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};

const ACCOUNT: &str = "demo-market";
/// Ample: it pays fees on both sides of its own trades.
const FUNDS: [(&str, &str); 3] = [("USDT", "1000000000"), ("BTC", "20000"), ("ETH", "300000")];
/// One request after each: even if all were orders, below 100 in 10 seconds.
const REQUEST_INTERVAL: Duration = Duration::from_millis(110);
/// How long it waits after it could not go on.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);
/// Orders it keeps on each side.
const LEVELS: u64 = 20;
/// It trades once there are so many on each side.
const LEVELS_TO_TRADE: usize = 4;
/// Of so many turns, one is a trade.
const TURNS_PER_TRADE: u64 = 6;
/// The walk is the same at every start.
const SEED: u64 = 7;

/// A market in whole units of its price and quantity.
struct Market {
    symbol: &'static str,
    price_scale: u32,
    quantity_scale: u32,
    reference: u64,
    middle: u64,
    /// Between two levels.
    step: u64,
    /// The largest quantity of an order.
    quantity: u64,
    /// Own orders, oldest first: bids, then asks.
    orders: [VecDeque<String>; 2],
}

impl Market {
    const fn new(symbol: &'static str, scales: (u32, u32), reference: u64, step: u64, quantity: u64) -> Self {
        let (price_scale, quantity_scale) = scales;
        let orders = [VecDeque::new(), VecDeque::new()];
        Self { symbol, price_scale, quantity_scale, reference, middle: reference, step, quantity, orders }
    }
}

/// A key for the market's account, which is opened and funded if need be. Keys of earlier starts stop
/// working: nobody has them any more.
pub(crate) async fn account(administration: &Administration, views: &Views) -> anyhow::Result<TraderKey> {
    let account = open_account(administration, views, ACCOUNT, &FUNDS).await?;
    for old in administration.accounts().keys().await? {
        if old.account_id == account && old.enabled {
            administration.accounts().revoke_key(ACTOR, &old.api_key, now()).await?;
        }
    }
    let key =
        new_key(administration, account, NewCredential::Hmac, Scopes::READ | Scopes::TRADE, ACCOUNT).await?;
    let Revealed::HmacSecret(secret) = key.revealed else { bail!("an HMAC key has a secret") };
    Ok(TraderKey { api_key: key.api_key.as_str().to_owned(), secret })
}

/// Makes the market until it is dropped.
pub(crate) async fn run(address: SocketAddr, key: TraderKey) {
    let mut random = Random(SEED);
    loop {
        let key = TraderKey { api_key: key.api_key.clone(), secret: key.secret.clone() };
        if let Err(error) = trade(address, key, &mut random).await {
            tracing::debug!(%error, "the demo market pauses");
        }
        sleep(RETRY_INTERVAL).await;
    }
}

async fn trade(address: SocketAddr, key: TraderKey, random: &mut Random) -> anyhow::Result<()> {
    let mut client = RestClient::connect(address, key).await?;
    let mut markets = [
        Market::new("BTCUSDT", (2, 5), 5_000_000, 500, 20_000),
        Market::new("ETHUSDT", (2, 4), 300_000, 50, 20_000),
        Market::new("ETHBTC", (5, 3), 6_000, 2, 2_000),
    ];
    let mut ticks = interval(REQUEST_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // What an earlier start left; an error says that there was nothing.
    for market in &markets {
        ticks.tick().await;
        client.signed(Method::DELETE, "/api/v3/openOrders", &format!("symbol={}", market.symbol)).await?;
    }
    for turn in 0_usize.. {
        ticks.tick().await;
        let market = &mut markets[turn % 3];
        let (method, parameters) = market.next(random, turn);
        let (status, body) = client.signed(method, "/api/v3/order", &parameters).await?;
        // A quote that would have traded, or an order that is gone: the next one is about another.
        if status.is_server_error() || status.as_u16() == 429 || status.as_u16() == 418 {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
    }
    Ok(())
}

impl Market {
    /// The next request: fills up the side that lacks most, else takes out the oldest order, or trades.
    fn next(&mut self, random: &mut Random, turn: usize) -> (Method, String) {
        self.walk(random);
        let side = usize::from(random.below(2) == 1);
        let side_name = ["BUY", "SELL"][side];
        let symbol = self.symbol;
        if self.orders[side].len() as u64 > LEVELS
            && let Some(oldest) = self.orders[side].pop_front()
        {
            return (Method::DELETE, format!("symbol={symbol}&origClientOrderId={oldest}"));
        }
        let quantity =
            self.decimal(1 + self.quantity / 2 + random.below(self.quantity / 2), self.quantity_scale);
        let is_full = self.orders.iter().all(|orders| orders.len() as u64 >= LEVELS);
        let may_trade = self.orders.iter().all(|orders| orders.len() >= LEVELS_TO_TRADE);
        if may_trade && random.below(TURNS_PER_TRADE) == 0 {
            // Through the nearest levels, with what is left cancelled.
            let price = self.price(1 - side, 3);
            return (
                Method::POST,
                format!(
                    "symbol={symbol}&side={side_name}&type=LIMIT&timeInForce=IOC&quantity={quantity}&price={price}"
                ),
            );
        }
        let level = if is_full { random.below(LEVELS) } else { self.orders[side].len() as u64 };
        let price = self.price(side, level);
        let name = format!("market-{turn}-{}", random.below(1 << 30));
        self.orders[side].push_back(name.clone());
        (
            Method::POST,
            format!(
                "symbol={symbol}&side={side_name}&type=LIMIT_MAKER&quantity={quantity}&price={price}&newClientOrderId={name}"
            ),
        )
    }

    /// Moves the middle by up to one step, and rather back than far away.
    fn walk(&mut self, random: &mut Random) {
        let step = random.below(self.step + 1);
        let back = self.middle.abs_diff(self.reference) * 20 / self.reference;
        let up = random.below(20)
            < if self.middle < self.reference { 10 + back } else { 10_u64.saturating_sub(back) };
        self.middle =
            if up { self.middle + step } else { self.middle.saturating_sub(step).max(self.step * 100) };
    }

    /// The price of a level: 0 is the nearest to the middle.
    fn price(&self, side: usize, level: u64) -> String {
        let distance = (level + 1) * self.step;
        let price =
            if side == 0 { self.middle.saturating_sub(distance).max(1) } else { self.middle + distance };
        self.decimal(price, self.price_scale)
    }

    #[expect(clippy::unused_self, reason = "reads as the market's own way to write numbers")]
    fn decimal(&self, units: u64, scale: u32) -> String {
        let one = 10_u64.pow(scale);
        format!("{}.{:0width$}", units / one, units % one, width = scale as usize)
    }
}

/// splitmix64: small, seeded, and good enough to look at.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}
