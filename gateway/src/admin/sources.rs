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
/// of the two commands was meant, and mended the service that sent both. Administration itself goes on
/// with a database that is older than the journal.
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
    // Its own database may be what it was stopped for.
    let own = SourceId(id) == admin.administration.source();
    if own && let Some(next) = admin.administration.go_on_from_old_database(&actor(&headers)).await? {
        return Ok(Answered(json!({"source": id, "was_stopped": true, "next_number": next})));
    }
    let command = Command::ResumeSource(ResumeSource { source: SourceId(id), reserved: 0 });
    let details = json!({"source": id});
    let next = admin.administration.execute(&actor(&headers), "source.resume", details, command).await?;
    let was_stopped = next != 0;
    Ok(Answered(
        json!({"source": id, "was_stopped": was_stopped, "next_number": was_stopped.then_some(next)}),
    ))
}
