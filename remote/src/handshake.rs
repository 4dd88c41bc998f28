//! What the two sides say before the first command: who the gateway is, that both know the secret, and
//! where to go on. Refuses to know sockets, and to decide who may stay.

use crate::frame::{FrameError, bounded, text};
use crate::secret::{NONCE_BYTES, PROOF_BYTES};
use protocol::{Sequence, SourceId, SourceNumber};
use std::fmt;
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// The version of the frames this build speaks; a side of another version is told so and left.
pub const PROTOCOL_VERSION: u16 = 1;
const MAGIC: [u8; 6] = *b"RIALTO";

/// The gateway's first frame: 56 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Hello {
    magic: [u8; 6],
    /// [`PROTOCOL_VERSION`].
    pub version: u16,
    /// Whose commands it will send.
    pub source: SourceId,
    /// 1 in the first connection that this life of the gateway makes; 0 in those after it.
    first: u8,
    reserved: [u8; 3],
    /// Tells this life of the gateway from every other: made by chance when its process starts.
    pub life: u64,
    /// Made by chance, for the engine's proof.
    pub nonce: [u8; NONCE_BYTES],
}

impl Hello {
    /// Of this build.
    pub fn new(source: SourceId, life: u64, first: bool, nonce: [u8; NONCE_BYTES]) -> Self {
        let (version, first) = (PROTOCOL_VERSION, u8::from(first));
        Self { magic: MAGIC, version, source, first, reserved: [0; 3], life, nonce }
    }

    /// Whether a gateway of this protocol sent it.
    pub(crate) fn is_ours(&self) -> bool {
        self.magic == MAGIC
    }

    /// Whether the life has never been connected before.
    pub(crate) fn is_first(&self) -> bool {
        self.first != 0
    }
}

/// The engine's answer to a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Challenge {
    /// Made by chance, for the gateway's proof.
    pub nonce: [u8; NONCE_BYTES],
    /// That the engine knows the secret.
    pub proof: [u8; PROOF_BYTES],
}

/// The gateway's answer to a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Proof {
    /// That the gateway knows the secret.
    pub proof: [u8; PROOF_BYTES],
}

/// From where the gateway goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Welcome {
    /// Which engine it is.
    pub engine_id: u32,
    /// Zero.
    pub reserved: u32,
    /// The number of the source's next command.
    pub next: SourceNumber,
    /// Whatever the source sent before and was taken is at or below this sequence.
    pub settled: Sequence,
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(u8)]
pub enum GoodbyeReason {
    /// The sides speak different versions.
    Version = 1,
    /// The gateway does not know the secret.
    Proof = 2,
    /// The engine takes no commands of this source from a socket.
    Source = 3,
    /// A later life of the gateway has taken its place.
    Replaced = 4,
    /// Something was not taken: connect again, and go on from the number that is said then.
    Again = 5,
    /// The engine stops.
    Stopping = 6,
    /// The gateway sent what cannot be.
    Broken = 7,
}

/// A connection's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goodbye {
    /// Why.
    pub reason: GoodbyeReason,
    /// The same in words.
    pub text: String,
}

impl Goodbye {
    /// Bytes before the text.
    pub(crate) const FIXED: usize = 1;

    pub(crate) fn new(reason: GoodbyeReason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into() }
    }

    pub(crate) fn read(payload: &[u8]) -> Result<Self, FrameError> {
        let (reason, words) =
            GoodbyeReason::try_read_from_prefix(payload).map_err(|_| FrameError::BadField)?;
        Ok(Self { reason, text: text(words)? })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.reason as u8];
        bytes.extend_from_slice(bounded(&self.text).as_bytes());
        bytes
    }

    /// Whether connecting again can never help.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self.reason,
            GoodbyeReason::Version | GoodbyeReason::Proof | GoodbyeReason::Source | GoodbyeReason::Replaced
        )
    }
}

impl fmt::Display for Goodbye {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
