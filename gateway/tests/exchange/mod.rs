//! An exchange in one process for the gateway's tests: the real core, views, accounts database, and
//! both routers, in a temporary directory. Commands are applied as they are submitted; the journal and
//! the threads between are the engine's own tests' matter.
#![allow(dead_code, unused_imports, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "what cannot be here is a test's failure")]

mod client;
mod core;
pub mod schema;
mod socket;

pub use client::{Key, Reply, Signer};
pub use socket::Socket;

use accounts::{Accounts, MasterKeySource};
use axum::Router;
use core::{Core, CorePort, CoreSnapshots, CoreStatus};
use database::Database;
use gateway::{
    Gateway, RateLimits,
    admin::{self, Administration, Outcomes},
    views::{Bounds, Views},
};
use protocol::{SourceId, command::Command, reject::Outcome};
use secrecy::SecretString;
use serde_json::{Value, json};
use services::CommandPort as _;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// The admin token of every test exchange.
pub const TOKEN: &str = "a-token-for-tests";
const ADMINISTRATION: SourceId = SourceId(2);

/// The wall clock in milliseconds.
pub fn now_millis() -> u64 {
    client::now().millis()
}

/// More than any test uses that is not about limits.
fn ample() -> RateLimits {
    RateLimits {
        request_weight_per_minute: 100_000_000,
        raw_requests_per_5_minutes: 100_000_000,
        connections_per_5_minutes: 100_000,
        orders_per_10_seconds: 1_000_000,
        orders_per_day: 100_000_000,
        ..RateLimits::default()
    }
}

/// A running exchange.
pub struct Exchange {
    pub traders: Router,
    pub admin: Router,
    pub gateway: Gateway,
    pub views: Views,
    pub administration: Arc<Administration>,
    core: Arc<Mutex<Core>>,
    directory: TempDir,
}

impl Exchange {
    /// An exchange without anything in it.
    pub async fn empty() -> Self {
        Self::empty_with(ample()).await
    }

    /// An exchange without anything in it, that lets its clients use so much.
    pub async fn empty_with(limits: RateLimits) -> Self {
        Self::start(TempDir::new().unwrap(), Arc::new(Mutex::new(Core::new())), limits).await
    }

    /// The same exchange after a stop: views and outcomes are made again from the event log, accounts
    /// are read from their database.
    pub async fn restart(self) -> Self {
        let Self { core, directory, .. } = self;
        Self::start(directory, core, ample()).await
    }

    async fn start(directory: TempDir, core: Arc<Mutex<Core>>, limits: RateLimits) -> Self {
        let database = Database::open_sqlite(&directory.path().join("accounts.db")).await.unwrap();
        let master_key = MasterKeySource::new(None, directory.path().join("master.key"));
        let accounts = Arc::new(Accounts::open(database, &master_key).await.unwrap());
        let (views, projection) = Views::new(Bounds::default());
        let (outcomes, recorder) = Outcomes::recorded_from(ADMINISTRATION);
        core.lock().unwrap().start(vec![Box::new(projection), Box::new(recorder)]);
        let traders_port = Arc::new(CorePort::new(&core, SourceId(1)));
        let admin_port = Arc::new(CorePort::new(&core, ADMINISTRATION));
        let status = Arc::new(CoreStatus::new(&core));
        let gateway = Gateway::new(traders_port, status, views.clone(), Arc::clone(&accounts), limits);
        let administration =
            Arc::new(Administration::new(accounts, admin_port, views.clone(), ADMINISTRATION, outcomes));
        let token = SecretString::from(TOKEN);
        let snapshots = Arc::new(CoreSnapshots::new(&core));
        Self {
            traders: gateway::router(gateway.clone()),
            admin: admin::router(Arc::clone(&administration), gateway.clone(), snapshots, Vec::new(), &token),
            gateway,
            views,
            administration,
            core,
            directory,
        }
    }

    /// An exchange with BTC and USDT, BTCUSDT (tick 0.01, lot 0.00001, least notional 5, fees 0.1 %,
    /// percent-price by a factor of 5 around 50,000), and accounts `alice` and `bob` with 1,000,000 USDT
    /// and 100 BTC each.
    pub async fn open() -> Self {
        Self::open_with(ample()).await
    }

    /// As [`open`](Self::open), with limits of its own.
    pub async fn open_with(limits: RateLimits) -> Self {
        let exchange = Self::empty_with(limits).await;
        for name in ["BTC", "USDT"] {
            exchange.admin("POST", "/admin/assets", json!({"name": name, "scale": 8})).await.ok();
        }
        let instrument = json!({
            "symbol": "BTCUSDT", "base": "BTC", "quote": "USDT", "price_scale": 2, "quantity_scale": 5,
            "fees": {"maker": "0.001", "taker": "0.001"}, "reference_price": "50000",
            "default_self_trade_prevention": "NONE",
            "filters": {
                "max_price": "1000000", "max_quantity": "9000", "min_notional": "5",
                "max_notional": "9000000", "bid_multiplier_up": "5", "bid_multiplier_down": "0.2",
                "ask_multiplier_up": "5", "ask_multiplier_down": "0.2", "max_account_orders": 200,
            },
        });
        exchange.admin("POST", "/admin/instruments", instrument).await.ok();
        for name in ["alice", "bob"] {
            exchange.admin("POST", "/admin/accounts", json!({"name": name})).await.ok();
            for (asset, amount) in [("USDT", "1000000"), ("BTC", "100")] {
                let body = json!({"asset": asset, "amount": amount});
                exchange.admin("POST", &format!("/admin/accounts/{name}/credit"), body).await.ok();
            }
        }
        exchange
    }

    /// A new key of an account.
    pub async fn key(&self, account: &str, wanted: Value) -> Key {
        let made = self.admin("POST", &format!("/admin/accounts/{account}/keys"), wanted).await.ok();
        Key::made(&made)
    }

    /// A new HMAC key that may read and trade.
    pub async fn hmac(&self, account: &str) -> Key {
        self.key(account, json!({"key_type": "HMAC"})).await
    }

    /// Asks the admin API.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Reply {
        client::admin(&self.admin, method, path, &body).await
    }

    /// Asks the admin API with any authorization.
    pub async fn admin_with(&self, authorization: Option<&str>, path: &str) -> Reply {
        let headers: Vec<_> = authorization.iter().map(|value| ("authorization", *value)).collect();
        client::send(&self.admin, "GET", path, &headers, String::new()).await
    }

    /// Sends a command as administration does, and forgets the answer.
    pub async fn submit_as_administration(&self, command: &Command, trace: u64) {
        CorePort::new(&self.core, ADMINISTRATION).submit(command, trace).unwrap().await.unwrap();
    }

    /// Sends the record of a command under any source and number, and gives how it ended.
    pub fn submit_record(&self, record: &[u8]) -> Outcome {
        self.core.lock().unwrap().apply(record).outcome
    }

    /// Asks the traders' API, unsigned.
    pub async fn public(&self, path_and_query: &str) -> Reply {
        client::send(&self.traders, "GET", path_and_query, &[], String::new()).await
    }

    /// Asks the traders' API with any text.
    pub async fn raw(
        &self,
        method: &str,
        path_and_query: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Reply {
        client::send(&self.traders, method, path_and_query, headers, body).await
    }

    /// Asks the traders' API with any bytes.
    pub async fn bytes(
        &self,
        method: &str,
        path_and_query: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Reply {
        client::send(&self.traders, method, path_and_query, headers, body).await
    }

    /// Asks the traders' API, signed by `key`: POST sends a form, as ccxt does, the others a query.
    pub async fn signed(&self, key: &Key, method: &str, path: &str, parameters: &str) -> Reply {
        client::signed(&self.traders, key, method, path, parameters).await
    }

    /// The core's whole state as a hash.
    pub fn state_hash(&self) -> String {
        self.core.lock().unwrap().state_hash()
    }

    /// Sends what market data is due.
    pub fn tick(&self) {
        self.views.tick(client::now());
    }

    /// Serves the traders' port; gives where.
    pub async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = self.traders.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        address
    }
}
