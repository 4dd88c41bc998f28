//! What an operator is told when the answer is no. Plain words; refuses to speak the traders' dialect.

use accounts::AccountsError;
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use protocol::{Reject, decimal::DecimalError};
use serde_json::{Value, json};
use services::SubmitError;

/// A refusal or fault, with its HTTP status.
#[derive(Debug)]
pub(crate) struct AdminError {
    status: StatusCode,
    message: String,
    reject: Option<Reject>,
}

impl AdminError {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), reject: None }
    }

    /// The request itself is wrong.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this path is not for that method")
    }

    pub(super) fn starting() -> Self {
        let text =
            "the exchange is reading its journal; ask again when GET /readyz no longer says RECOVERING";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text)
    }

    pub(super) fn elsewhere() -> Self {
        Self::not_found("a gateway has health and metrics alone; administration is where the engine is")
    }

    /// Not now, for the reason given.
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    pub(super) fn token() -> Self {
        let text =
            "send Authorization: Bearer TOKEN, with the token of the data directory's admin-token file";
        Self::new(StatusCode::UNAUTHORIZED, text)
    }

    pub(super) fn no_account(name: &str) -> Self {
        Self::not_found(format!("there is no account named {name:?}, or it is not open yet"))
    }

    pub(super) fn no_asset(name: &str) -> Self {
        Self::not_found(format!("there is no asset named {name:?}; POST /admin/assets creates one"))
    }

    pub(super) fn no_instrument(symbol: &str) -> Self {
        Self::not_found(format!("there is no instrument {symbol:?}; POST /admin/instruments creates one"))
    }

    /// The engine said no.
    pub(super) fn refused(reject: Reject) -> Self {
        Self { reject: Some(reject), ..Self::new(StatusCode::CONFLICT, reject.to_string()) }
    }

    /// A number of the request is none.
    pub(super) fn decimal(name: &str, error: DecimalError) -> Self {
        Self::bad(format!("{name} {error}; write a decimal in quotes, such as \"0.5\""))
    }

    /// The answer is not there: the command is in the outbox and will be sent again.
    pub(super) fn pending() -> Self {
        let text =
            "the engine stopped before it answered; the command is kept, and is finished at the next start";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    }
}

impl From<SubmitError> for AdminError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Unknown => Self::pending(),
            _ => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    }
}

impl From<AccountsError> for AdminError {
    fn from(error: AccountsError) -> Self {
        let status = match &error {
            AccountsError::AccountName(_)
            | AccountsError::Label
            | AccountsError::PublicKey(_)
            | AccountsError::KeyType(_)
            | AccountsError::Network(_) => StatusCode::BAD_REQUEST,
            AccountsError::AccountExists(_) => StatusCode::CONFLICT,
            AccountsError::NoAccount(_) | AccountsError::NoKey(_) => StatusCode::NOT_FOUND,
            _ => {
                tracing::error!(%error, "administration failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let body = match self.reject {
            Some(reject) => json!({"error": self.message, "reject": reject.name()}),
            None => json!({"error": self.message}),
        };
        json_response(self.status, &body)
    }
}

/// A JSON answer.
#[derive(Debug)]
pub(crate) struct Answered(pub(crate) Value);

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        json_response(StatusCode::OK, &self.0)
    }
}

/// What every handler gives.
pub(super) type Result<T = Answered> = std::result::Result<T, AdminError>;

pub(super) fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
