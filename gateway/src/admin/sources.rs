//! Sources of commands: letting one go on that was stopped. Refuses to know why it was.

use super::{
    Admin,
    error::{AdminError, Answered, Result},
    received::actor,
};
use axum::{
    extract::{Path, State},
    http::HeaderMap,
};
use protocol::{
    SourceId,
    command::{Command, ResumeSource},
};
use serde_json::json;

/// Sources are numbered below this.
const SOURCES_MAX: u32 = 1_024;

/// Lets a source go on whose number came again with another content. Whoever asks has found out which
/// of the two commands was meant, and mended the service that sent both.
pub(super) async fn resume(
    State(admin): State<Admin>,
    Path(source): Path<String>,
    headers: HeaderMap,
) -> Result {
    let id: u32 = source
        .parse()
        .ok()
        .filter(|id| *id < SOURCES_MAX)
        .ok_or_else(|| AdminError::bad(format!("a source is a number below {SOURCES_MAX}")))?;
    let command = Command::ResumeSource(ResumeSource { source: SourceId(id), reserved: 0 });
    let details = json!({"source": id});
    let next = admin.administration.execute(&actor(&headers), "source.resume", details, command).await?;
    let was_stopped = next != 0;
    Ok(Answered(
        json!({"source": id, "was_stopped": was_stopped, "next_number": was_stopped.then_some(next)}),
    ))
}
