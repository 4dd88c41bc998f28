//! An account's statement, as the books of record write it. Refuses to know what is in it.

use super::{Json, Reply, Request, market::window};
use crate::dialect::{DialectError, Parameters};
use services::{StatementFormat, StatementQuery};

/// The format asked for; JSON when none is.
fn format(parameters: &Parameters<'_>) -> Result<StatementFormat, DialectError> {
    match parameters.text("format").unwrap_or("JSON") {
        "JSON" => Ok(StatementFormat::Json),
        "CSV" => Ok(StatementFormat::Csv),
        "HTML" => Ok(StatementFormat::Html),
        _ => Err(DialectError::invalid_data("format")),
    }
}

/// What a statement's bytes are, for HTTP.
pub(crate) fn content_type(parameters: &Parameters<'_>) -> &'static str {
    match format(parameters) {
        Ok(StatementFormat::Csv) => "text/csv;charset=UTF-8",
        Ok(StatementFormat::Html) => "text/html;charset=UTF-8",
        Ok(StatementFormat::Json) | Err(_) => "application/json;charset=UTF-8",
    }
}

pub(super) async fn statement(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let parameters = request.parameters;
    let format = format(parameters)?;
    let (start, end) = window(parameters)?;
    let from = start.ok_or_else(|| DialectError::mandatory("startTime"))?;
    let until = end.ok_or_else(|| DialectError::mandatory("endTime"))?;
    // Where nothing is written down there is nothing to state.
    let books = request.gateway.views.history().ok_or_else(DialectError::not_supported)?;
    Ok(Json(books.statement(StatementQuery { account, from, until, format }).await?))
}
