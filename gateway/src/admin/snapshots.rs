//! A snapshot on an operator's word. Refuses to know how it is made.

use super::{
    Admin,
    error::{AdminError, Answered, Result},
    received::actor,
};
use axum::{extract::State, http::HeaderMap};
use serde_json::json;

/// Makes a snapshot of all that is on disk, beside the engine's work, and answers once it is there.
pub(super) async fn take(State(admin): State<Admin>, headers: HeaderMap) -> Result {
    let taken = admin.snapshots.take().await.map_err(|refused| AdminError::unavailable(refused.0))?;
    let said = json!({
        "sequence": taken.sequence.0,
        "state_hash": taken.state_hash,
        "bytes": taken.bytes,
        "milliseconds": taken.elapsed.as_millis() as u64,
    });
    admin.administration.note(&actor(&headers), "snapshot.take", said.clone()).await?;
    Ok(Answered(said))
}
