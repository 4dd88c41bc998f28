//! How the exchange is: alive, ready, and a few counts in Prometheus' text form. Refuses to judge.

use super::{
    Admin,
    error::{Answered, json_response},
};
use crate::Gateway;
use axum::{
    extract::{FromRef, State},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use serde_json::{Value, json};
use services::{EngineState, EngineStatus, Metric, MetricSource};
use std::{
    fmt::Write as _,
    sync::{Arc, atomic::Ordering},
};

/// What is asked after.
#[derive(Clone, Debug)]
pub(super) struct Health {
    pub(super) gateway: Gateway,
    /// Printed beside the gateway's own.
    pub(super) metrics: Arc<[Arc<dyn MetricSource>]>,
}

impl FromRef<Admin> for Health {
    fn from_ref(admin: &Admin) -> Self {
        Self { gateway: admin.gateway.clone(), metrics: Arc::clone(&admin.metrics) }
    }
}

/// The process answers.
pub(super) async fn alive() -> Answered {
    Answered(json!({"status": "ALIVE"}))
}

/// 200 only when trading is open.
pub(super) async fn ready(State(Health { gateway, .. }): State<Health>) -> Response {
    let (status, mut body) = readiness(&*gateway.engine);
    body["views_sequence"] = gateway.views.position().0.0.into();
    json_response(status, &body)
}

/// The same before there is anything but the engine's status.
pub(super) async fn ready_early(State(engine): State<Arc<dyn EngineStatus>>) -> Response {
    let (status, body) = readiness(&*engine);
    json_response(status, &body)
}

fn readiness(engine: &dyn EngineStatus) -> (StatusCode, Value) {
    let state = engine.state();
    let mut body = json!({
        "status": name(&state),
        "sequence": engine.core_sequence().0,
        "durable_sequence": engine.durable_sequence().0,
        "recovering": matches!(state, EngineState::Recovering { .. }),
    });
    match &state {
        EngineState::Recovering { done, total } => {
            body["recovered_commands"] = (*done).into();
            body["total_commands"] = (*total).into();
        }
        EngineState::Halted(reason) => body["reason"] = reason.to_string().into(),
        EngineState::Open | EngineState::NoRoom | EngineState::Stopping | EngineState::Unreachable => {}
    }
    let status = if state == EngineState::Open { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, body)
}

const fn name(state: &EngineState) -> &'static str {
    match state {
        EngineState::Recovering { .. } => "RECOVERING",
        EngineState::Open => "OPEN",
        EngineState::NoRoom => "NO_ROOM",
        EngineState::Stopping => "STOPPING",
        EngineState::Halted(_) => "HALTED",
        EngineState::Unreachable => "UNREACHABLE",
    }
}

pub(super) async fn metrics(State(Health { gateway, metrics: others }): State<Health>) -> Response {
    let engine = &gateway.engine;
    let counters = &gateway.counters;
    let state = engine.state();
    let mut metrics = vec![
        Metric::gauge("engine_open", "1 when trading is open", u64::from(state == EngineState::Open)),
        Metric::counter("engine_core_sequence", "the last command applied", engine.core_sequence().0),
        Metric::counter("engine_durable_sequence", "the last command on disk", engine.durable_sequence().0),
        Metric::counter("views_sequence", "the last command in the views", gateway.views.position().0.0),
        Metric::counter(
            "rest_requests_total",
            "REST requests answered",
            counters.rest_requests.load(Ordering::Relaxed),
        ),
        Metric::counter(
            "rest_errors_total",
            "REST requests answered with an error",
            counters.rest_errors.load(Ordering::Relaxed),
        ),
        Metric::counter(
            "websocket_requests_total",
            "WebSocket API requests answered",
            counters.websocket_requests.load(Ordering::Relaxed),
        ),
        Metric::counter(
            "websocket_errors_total",
            "WebSocket API requests answered with an error",
            counters.websocket_errors.load(Ordering::Relaxed),
        ),
        Metric::gauge(
            "stream_connections",
            "market-stream connections open",
            counters.stream_connections.load(Ordering::Relaxed) as u64,
        ),
        Metric::gauge(
            "websocket_connections",
            "WebSocket API connections open",
            counters.websocket_connections.load(Ordering::Relaxed) as u64,
        ),
        Metric::counter(
            "limited_total",
            "requests, frames and connections refused because their client asked for too much",
            gateway.limiter.refused(),
        ),
        Metric::counter(
            "slow_connections_total",
            "connections closed because their client did not read",
            counters.slow_connections.load(Ordering::Relaxed),
        ),
    ];
    metrics.extend(others.iter().flat_map(|source| source.metrics()));
    let mut text = String::with_capacity(4_096);
    for metric in metrics {
        // Writing to a String cannot fail.
        let _ = write!(text, "{metric}");
    }
    let mut response = Response::new(text.into());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
