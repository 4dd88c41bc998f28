//! The views as bytes, and back, so that a start need not read every event there ever was. Refuses to
//! know files; who stores the bytes checks that they are whole. What a build of another
//! [`SAVED_VERSION`] has saved is refused, and the views are made again from the events.

use super::{MarketWriter, Projection};
use crate::views::{
    Asset, BestPrices, Bounds, Directory, Listing, Market, Shared,
    account::{Account, Retention},
    book::{Levels, LiveBook},
    candles::CandleSeries,
    locks::{read, write},
    tape::Tape,
};
use protocol::{AccountId, Sequence, Time};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// Grows with every change of what is saved, in these structs or in those they are made of.
const SAVED_VERSION: u32 = 2;

/// Why saved views cannot be gone on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Another build's.
    #[error("the views were saved in version {found}, and this build reads {SAVED_VERSION}")]
    Version {
        /// The version they were saved in.
        found: u32,
    },
    /// Not what was saved.
    #[error("the saved views cannot be read")]
    Unreadable,
}

/// Appends a value.
fn put(out: Vec<u8>, value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    postcard::to_extend(value, out).expect("a Vec takes whatever is plain data")
}

/// Takes a value off the front.
fn take<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, RestoreError> {
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|_| RestoreError::Unreadable)?;
    *bytes = rest;
    Ok(value)
}

impl Projection {
    /// Between commands.
    pub(super) fn saved(&self) -> Vec<u8> {
        let Shared { accounts, directory, position, .. } = &*self.shared;
        assert!(self.carried.is_none(), "views are saved between commands");
        let mut out = put(Vec::new(), &SAVED_VERSION);
        out = put(out, &*read(position));
        let directory = read(directory);
        out = put(out, directory.assets());
        let listings: Vec<&Listing> = directory.listings().iter().map(Arc::as_ref).collect();
        out = put(out, &listings);
        out = put(out, &self.retention);
        out = put(out, &(accounts.count() as u64));
        for id in 0..accounts.count() {
            out = accounts.change(AccountId(id as u32), |account| put(out, account));
        }
        for writer in &self.markets {
            let live = writer.market.live();
            out = put(out, &(live.book.levels(), live.book.version()));
            out = put(out, &live.tape);
            out = put(out, live.all_series());
        }
        out
    }

    /// The projection as it was saved.
    pub(in crate::views) fn restored(bounds: Bounds, mut saved: &[u8]) -> Result<Self, RestoreError> {
        let input = &mut saved;
        match take(input)? {
            SAVED_VERSION => {}
            found => return Err(RestoreError::Version { found }),
        }
        let shared = Arc::new(Shared::new(bounds));
        let position: (Sequence, Time) = take(input)?;
        *write(&shared.position) = position;
        let (assets, listings): (Vec<Asset>, Vec<Listing>) = (take(input)?, take(input)?);
        *write(&shared.directory) = Arc::new(Directory::of(assets, listings));
        let mut projection = Self::new(Arc::clone(&shared));
        projection.retention = take::<Retention>(input)?;
        let accounts: u64 = take(input)?;
        for id in 0..accounts {
            let kept: Account = take(input)?;
            let id = u32::try_from(id).map_err(|_| RestoreError::Unreadable)?;
            shared.accounts.change(AccountId(id), |account| *account = kept);
        }
        for listing in shared.directory().listings() {
            let (levels, version): (Levels, Sequence) = take(input)?;
            let (tape, series): (Tape, Vec<CandleSeries>) = (take(input)?, take(input)?);
            let book = LiveBook::of(levels, version);
            let market = Arc::new(Market::restored(&listing.instrument, book, tape, series));
            write(&shared.markets).push(Arc::clone(&market));
            projection.markets.push(MarketWriter {
                market,
                listing: Arc::clone(listing),
                best: BestPrices::default(),
                touched: false,
                aggregate_open: false,
            });
        }
        if input.is_empty() { Ok(projection) } else { Err(RestoreError::Unreadable) }
    }

    pub(in crate::views) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}
