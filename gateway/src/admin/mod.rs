//! Administration, on a port of its own that only this machine reaches: health, metrics, and every
//! change of assets, instruments, accounts, keys, money, fees and limits. Each change is a journaled
//! command of administration's own source, promised in its outbox before it is sent, and a line in the
//! audit log. Refuses to know traders' requests.
//!
//! Authentication: `Authorization: Bearer TOKEN` on everything under `/admin`, the token being the one
//! in the data directory's `admin-token`. `X-Rialto-Actor: NAME` says who asks, for the audit log
//! (default `admin`). Bodies and answers are JSON; a refusal is `{"error": "what to do"}`, and
//! `"reject"` names the engine's own. Amounts, prices and rates are decimal strings.
//!
//! | call | body |
//! | --- | --- |
//! | `GET /healthz`, `/readyz`, `/metrics` | no token |
//! | `GET /admin/status` | |
//! | `GET`, `POST /admin/assets` | `name`, `scale` (0 to 8), `max_supply`? |
//! | `GET`, `POST /admin/instruments` | `symbol`, `base`, `quote`, `price_scale`, `quantity_scale`, `status`?, `filters`?, `fees`?, `reference_price`?, `default_self_trade_prevention`? |
//! | `GET`, `PATCH /admin/instruments/{symbol}` | `status`?, `filters`?, `fees`?, `reference_price`?, `auction`?: whether a call auction comes before it opens |
//! | `PUT /admin/instruments/{symbol}/order-filters` | `max_algo_orders`?, `max_iceberg_orders`?, `max_order_lists`?, `max_order_amends`?, `min_trailing_above`? … `max_trailing_below`?, `max_position`? |
//! | `PUT /admin/instruments/{symbol}/breaker` | `band` (`"0.05"`; `"0"`: none), `window_seconds`, `halt_seconds` |
//! | `POST /admin/instruments/{symbol}/delist` | |
//! | `GET`, `POST /admin/accounts` | `name`, `fee_tier`?, `trade_group`? |
//! | `GET /admin/accounts/{name}` | |
//! | `POST /admin/accounts/{name}/credit`, `debit` | `asset`, `amount`, `note`? |
//! | `POST /admin/accounts/{name}/suspend` | `resting_orders`?: `KEEP` or `CANCEL` |
//! | `POST /admin/accounts/{name}/resume` | |
//! | `PUT /admin/accounts/{name}/kill-switch` | `on` |
//! | `PUT /admin/accounts/{name}/cancel-timer` | `seconds` (0: none) |
//! | `PUT /admin/accounts/{name}/fee-tier` | `tier` |
//! | `PUT /admin/accounts/{name}/limits` | `asset`, `max_open_orders`?, `max_order_notional`?, `max_open_notional`? |
//! | `GET`, `POST /admin/accounts/{name}/keys` | `key_type`? (`HMAC`, `ED25519`, `RSA`; a public key says it itself), `scopes`? (`READ,TRADE`; also `WITHDRAW`, `KEYS`), `ip_allow_list`?, `label`?, `public_key`? (PEM; an RSA key needs it) |
//! | `PATCH /admin/keys/{api_key}` | `enabled`?, `ip_allow_list`?, `label`? |
//! | `DELETE /admin/keys/{api_key}` | revokes it, for ever |
//! | `PUT /admin/fee-tiers/{tier}` | `maker`, `taker`, `instrument`? (absent: all) |
//! | `POST /admin/sources/{id}/resume` | |
//! | `POST /admin/snapshots` | makes a snapshot of the state, beside the engine's work |
//! | `GET /admin/audit?after=N&limit=N` | |

mod accounts;
mod administration;
mod assets;
mod controls;
mod error;
mod health;
mod instruments;
mod keys;
mod money;
mod outcomes;
mod received;
mod snapshots;
mod sources;

pub use administration::{Administration, AdministrationError, ReconcileError};
pub use outcomes::{OutcomeRecorder, Outcomes};

use crate::Gateway;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::header::AUTHORIZATION,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, patch, post, put},
};
use error::AdminError;
use secrecy::{ExposeSecret, SecretString};
use services::{EngineStatus, MetricSource, SnapshotTaker};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The largest body taken, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What the handlers share.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    pub(crate) administration: Arc<Administration>,
    pub(crate) gateway: Gateway,
    pub(crate) snapshots: Arc<dyn SnapshotTaker>,
    pub(crate) metrics: Arc<[Arc<dyn MetricSource>]>,
}

/// The administration port. Bind it to loopback only. `metrics` are printed beside the gateway's own.
pub fn router(
    administration: Arc<Administration>,
    gateway: Gateway,
    snapshots: Arc<dyn SnapshotTaker>,
    metrics: Vec<Arc<dyn MetricSource>>,
    token: &SecretString,
) -> Router {
    let token = TokenHash::of(token.expose_secret());
    let guarded = Router::new()
        .route("/admin/status", get(health::ready))
        .route("/admin/assets", get(assets::list).post(assets::create))
        .route("/admin/instruments", get(instruments::list).post(instruments::create))
        .route("/admin/instruments/{symbol}", get(instruments::show).merge(patch(instruments::change)))
        .route("/admin/instruments/{symbol}/order-filters", put(controls::set_order_filters))
        .route("/admin/instruments/{symbol}/breaker", put(controls::set_breaker))
        .route("/admin/instruments/{symbol}/delist", post(controls::delist))
        .route("/admin/accounts", get(accounts::list).post(accounts::open))
        .route("/admin/accounts/{name}", get(accounts::show))
        .route("/admin/accounts/{name}/credit", post(money::credit))
        .route("/admin/accounts/{name}/debit", post(money::debit))
        .route("/admin/accounts/{name}/suspend", post(accounts::suspend))
        .route("/admin/accounts/{name}/resume", post(accounts::resume))
        .route("/admin/accounts/{name}/kill-switch", put(controls::set_kill_switch))
        .route("/admin/accounts/{name}/cancel-timer", put(controls::set_cancel_timer))
        .route("/admin/accounts/{name}/fee-tier", put(accounts::assign_fee_tier))
        .route("/admin/accounts/{name}/limits", put(accounts::set_limits))
        .route("/admin/accounts/{name}/keys", get(keys::list).post(keys::create))
        .route("/admin/keys/{api_key}", patch(keys::change).delete(keys::revoke))
        .route("/admin/fee-tiers/{tier}", put(instruments::set_fee_tier))
        .route("/admin/sources/{id}/resume", post(sources::resume))
        .route("/admin/snapshots", post(snapshots::take))
        .route("/admin/audit", get(accounts::audit))
        .route_layer(middleware::from_fn_with_state(token, authorized));
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .merge(guarded)
        .fallback(async || AdminError::not_found("there is no such path; the admin API's page lists them"))
        .method_not_allowed_fallback(async || AdminError::method())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Admin { administration, gateway, snapshots, metrics: metrics.into() })
}

/// What the administration port answers while there is no more than the engine's status: health, and
/// that the rest is to come.
pub fn early_router(engine: Arc<dyn EngineStatus>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready_early))
        .fallback(async || AdminError::starting())
        .with_state(engine)
}

/// The health and metrics of a gateway whose engine, and with it administration, is in another process.
/// Bind it to loopback only.
pub fn health_router(gateway: Gateway, metrics: Vec<Arc<dyn MetricSource>>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(async || AdminError::elsewhere())
        .with_state(health::Health { gateway, metrics: metrics.into() })
}

/// A token's hash: comparing hashes tells an outsider nothing by the time it takes.
#[derive(Clone, PartialEq, Eq)]
struct TokenHash([u8; 32]);

impl TokenHash {
    fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

async fn authorized(State(token): State<TokenHash>, request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = header.and_then(|value| value.strip_prefix("Bearer "));
    if given.is_some_and(|given| TokenHash::of(given.trim()) == token) {
        next.run(request).await
    } else {
        AdminError::token().into_response()
    }
}
