//! The generator of the order streams that the exchange and its peers are measured with: the same arguments give the
//! same bytes wherever the platform's logarithm rounds alike (a test holds it to that). A reference price-time matcher runs along, so that every stream carries the totals
//! an exchange must reach.
//!
//! It refuses to know accounts, balances and fees: the reference trades orders, no one owns them.

mod flow;
mod random;
mod reference_book;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

pub use flow::generate;

use crate::stream_file::{RawRecord, StreamHeader};

/// The proportions of a stream's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mix {
    /// Mostly new orders and cancels, 5 % immediate orders, 5 % replaces under a new id.
    #[value(name = "std")]
    Standard,
    /// 82 % moves that keep the order's id and quantity, as exchange-core's own test has them.
    #[value(name = "ec")]
    Moves,
}

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Specification {
    /// The proportions of commands.
    pub mix: Mix,
    /// Instruments, at least 1; the commands are spread over them evenly.
    pub symbols: u16,
    /// Orders to keep resting in all books together; at least one a symbol is kept.
    pub resting: u32,
    /// Commands after the prefill.
    pub commands: u32,
    /// How far from the middle passive orders lie: mean distances of 10 and 200 ticks, times this. Above zero.
    pub scale: f64,
    /// Seed of the random numbers.
    pub seed: u64,
}

/// A refused [`Specification`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecificationError {
    /// No symbol to trade.
    #[error("symbols is 0: a stream needs at least one instrument")]
    NoSymbols,
    /// The scale is not a positive number.
    #[error("scale must be a number above 0")]
    Scale,
    /// More ids than a record can carry.
    #[error("prefill and commands together could need more than 4,294,967,295 order ids: ask for fewer")]
    TooManyOrders,
}

impl Specification {
    /// Orders the generator steers each book towards.
    pub(crate) fn resting_per_symbol(&self) -> u32 {
        (self.resting / u32::from(self.symbols)).max(1)
    }

    /// Orders placed before the measured commands.
    pub(crate) fn prefill(&self) -> u64 {
        u64::from(self.resting_per_symbol()) * u64::from(self.symbols)
    }

    fn check(&self) -> Result<(), SpecificationError> {
        if self.symbols == 0 {
            return Err(SpecificationError::NoSymbols);
        }
        if !(self.scale.is_finite() && self.scale > 0.0) {
            return Err(SpecificationError::Scale);
        }
        if self.prefill() + u64::from(self.commands) > u64::from(u32::MAX) {
            return Err(SpecificationError::TooManyOrders);
        }
        Ok(())
    }
}

/// A generated stream, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedStream {
    /// Counts and the reference's totals.
    pub header: StreamHeader,
    /// Prefill, then commands.
    pub records: Vec<RawRecord>,
}

impl GeneratedStream {
    /// Writes the stream to a file, by way of a neighbour renamed at the end: a file of this name is always whole.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let unfinished = path.with_extension("unfinished");
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&unfinished)?);
        out.write_all(&self.header.to_bytes())?;
        for record in &self.records {
            out.write_all(&record.to_bytes())?;
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)?;
        std::fs::rename(unfinished, path)
    }
}

#[cfg(test)]
mod tests;
