//! What command and event records share: reading a fixed struct off a byte slice, and the error
//! when that cannot be. Refuses to know any particular record.

use thiserror::Error;
use zerocopy::{Immutable, KnownLayout, TryFromBytes};

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The bytes end before the record does.
    #[error("record cut short: {have} of {need} bytes")]
    Truncated {
        /// Bytes there are.
        have: usize,
        /// Bytes there should be.
        need: usize,
    },
    /// The length field is impossible.
    #[error("record length {0} is impossible")]
    BadLength(usize),
    /// The kind is not known to this build.
    #[error("record kind {0} is not known to this build")]
    UnknownKind(u8),
    /// The version is not known to this build.
    #[error("record version {0} is not known to this build")]
    UnknownVersion(u8),
    /// The bytes do not begin at an address that is a multiple of 8, as records do everywhere.
    #[error("a record must begin at an address that is a multiple of 8")]
    Misaligned,
    /// A field holds a value it cannot have.
    #[error("a field of a record of kind {0} holds a value it cannot have")]
    BadField(u8),
}

/// Reads a `T` off the front of `bytes`; `kind` names the record in the error.
#[inline]
pub(crate) fn take<T: TryFromBytes>(bytes: &mut &[u8], kind: u8) -> Result<T, DecodeError> {
    let need = size_of::<T>();
    let Some((front, rest)) = bytes.split_at_checked(need) else {
        return Err(DecodeError::Truncated { have: bytes.len(), need });
    };
    let value = T::try_read_from_bytes(front).map_err(|_| DecodeError::BadField(kind))?;
    *bytes = rest;
    Ok(value)
}

/// Looks at a `T` at the front of `bytes`, without copying it: the way of hot records.
#[inline]
pub(crate) fn view<'a, T>(bytes: &mut &'a [u8], kind: u8) -> Result<&'a T, DecodeError>
where
    T: TryFromBytes + KnownLayout + Immutable,
{
    match T::try_ref_from_prefix(bytes) {
        Ok((value, rest)) => {
            *bytes = rest;
            Ok(value)
        }
        Err(error) => Err(why_no_view::<T>(&error, kind, bytes.len())),
    }
}

#[cold]
fn why_no_view<T: TryFromBytes>(
    error: &zerocopy::TryCastError<&[u8], T>,
    kind: u8,
    have: usize,
) -> DecodeError {
    match error {
        zerocopy::ConvertError::Alignment(_) => DecodeError::Misaligned,
        zerocopy::ConvertError::Size(_) => DecodeError::Truncated { have, need: size_of::<T>() },
        zerocopy::ConvertError::Validity(_) => DecodeError::BadField(kind),
    }
}

/// Looks at a `T` if `present`.
#[inline]
pub(crate) fn view_if<'a, T>(
    present: bool,
    bytes: &mut &'a [u8],
    kind: u8,
) -> Result<Option<&'a T>, DecodeError>
where
    T: TryFromBytes + KnownLayout + Immutable,
{
    if present { view(bytes, kind).map(Some) } else { Ok(None) }
}

/// Reads a `T` if `present`.
#[inline]
pub(crate) fn take_if<T: TryFromBytes>(
    present: bool,
    bytes: &mut &[u8],
    kind: u8,
) -> Result<Option<T>, DecodeError> {
    if present { take(bytes, kind).map(Some) } else { Ok(None) }
}

/// A record's derives, said once: plain bytes, checked when read.
macro_rules! record_struct {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[derive(zerocopy::TryFromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[repr(C)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }
    };
}
pub(crate) use record_struct;
