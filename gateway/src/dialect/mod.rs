//! The dialect that clients speak: its errors, parameters, signatures, times and numbers. Pure
//! functions of what was received. Refuses to know sockets, views and the engine.

pub(crate) mod authentication;
mod error;
mod frame_id;
mod names;
mod number;
mod parameters;
pub(crate) mod payload;
mod refusals;

pub use error::{DialectError, Retry};
pub(crate) use frame_id::is_frame_id;
pub(crate) use names::{
    cancel_restriction_from, order_type_from, self_trade_prevention_from, side_from, status_name,
    time_in_force_from, time_unit_from,
};
pub(crate) use number::{Decimal, Percent};
pub(crate) use parameters::{Leg, Parameters};
pub(crate) use refusals::{Purpose, refusal, submit_error};
