//! How the books of record are, to those who ask from outside: alive, keeping up, and a few numbers.
//! Refuses to judge.

use axum::{
    Router,
    extract::State as Shared,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use services::MetricSource;
use settlement::{State, Status};
use std::fmt::Write as _;
use std::sync::Arc;
use tokio::sync::watch;

/// The consumer's own word of how it is, and the numbers.
pub(crate) struct SettlementHealth {
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) metrics: Vec<Arc<dyn MetricSource>>,
}

/// Health and metrics. Bind it to loopback only.
pub(crate) fn router(health: Arc<SettlementHealth>) -> Router {
    Router::new()
        .route("/healthz", get(async || answer(StatusCode::OK, &json!({"status": "ALIVE"}))))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(async || {
            answer(StatusCode::NOT_FOUND, &json!({"error": "settlement has /healthz, /readyz and /metrics"}))
        })
        .with_state(health)
}

/// 200 while events become rows.
async fn ready(Shared(health): Shared<Arc<SettlementHealth>>) -> Response {
    let status = health.status.borrow().clone();
    let code = if status.state == State::Running { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let name = match status.state {
        State::Opening => "OPENING",
        State::Running => "RUNNING",
        State::Waiting => "WAITING",
        State::Stopped => "STOPPED",
        State::Failed => "FAILED",
    };
    let body = json!({
        "status": name, "sequence": status.position.0, "end": status.end.0, "lag": status.lag(),
        "error": status.last_error,
    });
    answer(code, &body)
}

async fn metrics(Shared(health): Shared<Arc<SettlementHealth>>) -> Response {
    let mut text = String::new();
    for metric in health.metrics.iter().flat_map(|source| source.metrics()) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{metric}");
    }
    ([(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"))], text).into_response()
}

fn answer(code: StatusCode, body: &Value) -> Response {
    let mut response = (code, body.to_string()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
