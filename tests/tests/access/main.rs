//! How clients get in, against a real `rialto serve`: TLS and a renewed certificate, keys of an account's
//! own, RSA, and the limits as they are by default.

mod http;
mod keys;
mod limits;
mod tls;
