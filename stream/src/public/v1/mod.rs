//! The records of the topics as Rust types, made from the schemas in `proto/rialto/` and kept here, so
//! that building needs no `protoc`. Refuses to be edited: `RIALTO_WRITE_SCHEMAS=1 cargo test --release
//! -p stream --test schemas` writes the files anew, and without it that test says whether they agree.

#![allow(clippy::pedantic, missing_docs, reason = "made from the schemas, which are documented")]

/// `rialto.events`, the internal log.
pub mod events {
    include!("rialto.events.v1.rs");
}

/// `order-topic`.
pub mod order {
    include!("rialto.order.v1.rs");
}

/// `trade-topic`.
pub mod trade {
    include!("rialto.trade.v1.rs");
}

/// `asset-topic`.
pub mod asset {
    include!("rialto.asset.v1.rs");
}

/// `finance-topic`.
pub mod finance {
    include!("rialto.finance.v1.rs");
}

/// `risk-topic`.
pub mod risk {
    include!("rialto.risk.v1.rs");
}

/// `notification-topic`.
pub mod notification {
    include!("rialto.notification.v1.rs");
}
