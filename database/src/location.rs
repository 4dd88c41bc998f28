//! Where a database is. Refuses to know configuration files, and to show a password.

use crate::DatabaseError;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr as _;

/// How long a PostgreSQL server lets a transaction hold its locks while its program says nothing: a
/// program that was stopped must not keep others out for ever.
const IDLE_IN_TRANSACTION: &str = "60s";
/// How long a statement waits for another writer before it fails.
const LOCK_TIMEOUT: &str = "10s";

/// Where a group of tables lives.
#[derive(Clone, Debug)]
pub enum DatabaseLocation {
    /// A SQLite file, made if it is absent.
    Sqlite(PathBuf),
    /// A schema of a PostgreSQL database, made if it is absent; the database must exist.
    Postgres {
        /// `postgres://user@host:port/database`, with `?sslmode=verify-full&sslrootcert=…` as libpq
        /// has them; no password.
        url: String,
        /// The user's password, where the server asks for one.
        password: Option<SecretString>,
        /// `[a-z0-9_]`.
        schema: String,
    },
}

impl fmt::Display for DatabaseLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(formatter),
            Self::Postgres { url, schema, .. } => {
                // A URL that must not hold a password may hold one by mistake: it is not shown.
                let shown = url.split_once('@').map_or(url.as_str(), |(_, after)| after);
                let place = shown.split('?').next().unwrap_or_default();
                write!(formatter, "postgres://{} (schema {schema})", place.trim_start_matches("postgres://"))
            }
        }
    }
}

/// How to connect to `schema` at `url`.
pub(crate) fn postgres_options(
    url: &str,
    password: Option<&SecretString>,
    schema: &str,
) -> Result<PgConnectOptions, DatabaseError> {
    let refused = |reason: String| DatabaseError::Location { reason };
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if schema.is_empty() || !schema.bytes().all(allowed) {
        return Err(refused(format!("a schema is named with a-z, 0-9 and _, not {schema:?}")));
    }
    let authority =
        url.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or(rest));
    if authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) {
        return Err(refused("the URL holds a password; give it in its own setting".to_owned()));
    }
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| refused(format!("it must be postgres://user@host:port/database: {error}")))?;
    let options = match password {
        Some(password) => options.password(password.expose_secret()),
        None => options,
    };
    Ok(options.application_name("rialto").options([
        ("search_path", schema),
        ("synchronous_commit", "on"),
        ("lock_timeout", LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_password_is_taken_and_shown() {
        let url = "postgres://rialto@127.0.0.1:5432/books?sslmode=disable";
        let location = DatabaseLocation::Postgres {
            url: url.to_owned(),
            password: None,
            schema: "settlement".to_owned(),
        };
        assert_eq!(location.to_string(), "postgres://127.0.0.1:5432/books (schema settlement)");
        let options = postgres_options(url, Some(&SecretString::from("p")), "settlement").unwrap();
        assert_eq!((options.get_host(), options.get_port()), ("127.0.0.1", 5432));
        assert!(options.get_options().unwrap().contains("search_path=settlement"));
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_never_shown() {
        let url = "postgres://rialto:geheim@127.0.0.1/books".to_owned();
        let error = postgres_options(&url, None, "settlement").unwrap_err();
        assert!(!error.to_string().contains("geheim"), "{error}");
        let location = DatabaseLocation::Postgres { url, password: None, schema: "s".to_owned() };
        assert!(!location.to_string().contains("geheim"), "{location}");
    }

    #[test]
    fn what_is_no_schema_and_no_url_is_refused() {
        for schema in ["", "Books", "a;b", "a b"] {
            assert!(postgres_options("postgres://h/d", None, schema).is_err(), "{schema}");
        }
        assert!(postgres_options("not a url", None, "s").is_err());
    }
}
