//! What a table's columns are, and a row's cells: exact numbers, never floats. Refuses to know files
//! and where rows come from.

use std::borrow::Cow;

/// Decimals have so many digits after the point, in every table: the most that any unit has.
pub(super) const SCALE: u8 = protocol::decimal::SCALE_MAX;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole number below 2^63.
    Integer,
    /// Nanoseconds since 1970.
    Time,
    /// Words.
    Text,
    /// A number with eight decimals.
    Decimal,
    /// True or false.
    Flag,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether a row may have nothing here.
    pub(super) is_optional: bool,
}

/// A column that every row has something in.
pub(super) const fn required(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, is_optional: false }
}

/// A column that a row may have nothing in.
pub(super) const fn optional(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, is_optional: true }
}

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// In a column of integers or times.
    Integer(u64),
    Text(Cow<'a, str>),
    /// In units of 10^-8.
    Decimal(i128),
    Flag(bool),
    Nothing,
}

impl<'a> Cell<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// `units` of 10^-`scale`.
    pub(super) fn decimal(units: i128, scale: u8) -> Self {
        // A scale is at most `SCALE`, and units fit 64 bits: the product fits by far.
        Self::Decimal(units * 10_i128.pow(u32::from(SCALE.saturating_sub(scale))))
    }
}

impl<'a> From<Option<Cell<'a>>> for Cell<'a> {
    fn from(cell: Option<Cell<'a>>) -> Self {
        cell.unwrap_or(Self::Nothing)
    }
}
