//! What is on the wire: frames, as bytes and back. Every length is bounded before anything is read or
//! kept, and no bytes whatever make it panic. Refuses to know sockets, and what a frame is answered with.
//!
//! A frame is 8 bytes (length of what follows as `u32`, kind as `u8`, three zeros) and its payload; all
//! numbers are little-endian. A command's payload is its record as `protocol` writes it.

use crate::{
    handshake::{Challenge, Goodbye, Hello, Proof, Welcome},
    status::StatusReport,
};
use protocol::command::COMMAND_LENGTH_MAX;
use thiserror::Error;
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// Bytes before a payload.
pub(crate) const FRAME_HEADER: usize = 8;
/// The longest text in a frame, in bytes.
pub(crate) const TEXT_MAX: usize = 1_024;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The gateway says who it is.
    Hello(Hello),
    /// The engine proves that it knows the secret, and asks for the same.
    Challenge(Challenge),
    /// The gateway proves it.
    Proof(Proof),
    /// The gateway may go on, and from where.
    Welcome(Welcome),
    /// The connection ends, and why.
    Goodbye(Goodbye),
    /// A command's record.
    Command(Vec<u8>),
    /// How the engine is.
    Status(StatusReport),
    /// The gateway is there.
    Ping,
}

/// Which frame it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(u8)]
enum Kind {
    Hello = 1,
    Challenge = 2,
    Proof = 3,
    Welcome = 4,
    Goodbye = 5,
    Command = 6,
    Status = 7,
    Ping = 8,
}

#[derive(Clone, Copy, Debug, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Header {
    length: u32,
    kind: Kind,
    zero: [u8; 3],
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The kind is not known to this version, or the three zeros are not zero.
    #[error("the other side sent a frame that this version does not know")]
    UnknownKind,
    /// The length is none that a frame of its kind can have.
    #[error("the other side sent a frame of {0} bytes, which none of its kind has")]
    BadLength(usize),
    /// A field holds what it cannot.
    #[error("a field of a frame holds a value it cannot have")]
    BadField,
}

/// A frame's header that was read: what follows may be read too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announced {
    kind: Kind,
    /// Bytes of the payload: no more than a frame of its kind has.
    pub(crate) length: usize,
}

impl Announced {
    /// Reads a header.
    pub(crate) fn read(bytes: &[u8; FRAME_HEADER]) -> Result<Self, FrameError> {
        let header = Header::try_read_from_bytes(bytes).map_err(|_| FrameError::UnknownKind)?;
        if header.zero != [0; 3] {
            return Err(FrameError::UnknownKind);
        }
        let length = header.length as usize;
        let (least, most) = header.kind.lengths();
        if !(least..=most).contains(&length) {
            return Err(FrameError::BadLength(length));
        }
        Ok(Self { kind: header.kind, length })
    }

    /// The frame whose payload follows the header.
    pub(crate) fn frame(self, payload: &[u8]) -> Result<Frame, FrameError> {
        Ok(match self.kind {
            Kind::Hello => Frame::Hello(exactly(payload)?),
            Kind::Challenge => Frame::Challenge(exactly(payload)?),
            Kind::Proof => Frame::Proof(exactly(payload)?),
            Kind::Welcome => Frame::Welcome(exactly(payload)?),
            Kind::Goodbye => Frame::Goodbye(Goodbye::read(payload)?),
            Kind::Command => Frame::Command(payload.to_vec()),
            Kind::Status => Frame::Status(StatusReport::read(payload)?),
            Kind::Ping => Frame::Ping,
        })
    }
}

impl Kind {
    /// The least and the most bytes of a payload.
    const fn lengths(self) -> (usize, usize) {
        match self {
            Self::Hello => (size_of::<Hello>(), size_of::<Hello>()),
            Self::Challenge => (size_of::<Challenge>(), size_of::<Challenge>()),
            Self::Proof => (size_of::<Proof>(), size_of::<Proof>()),
            Self::Welcome => (size_of::<Welcome>(), size_of::<Welcome>()),
            Self::Goodbye => (Goodbye::FIXED, Goodbye::FIXED + TEXT_MAX),
            Self::Command => (1, COMMAND_LENGTH_MAX),
            Self::Status => (StatusReport::FIXED, StatusReport::FIXED + TEXT_MAX),
            Self::Ping => (0, 0),
        }
    }
}

impl Frame {
    /// Appends the frame's bytes.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => push(bytes, Kind::Hello, hello.as_bytes()),
            Self::Challenge(challenge) => push(bytes, Kind::Challenge, challenge.as_bytes()),
            Self::Proof(proof) => push(bytes, Kind::Proof, proof.as_bytes()),
            Self::Welcome(welcome) => push(bytes, Kind::Welcome, welcome.as_bytes()),
            Self::Goodbye(goodbye) => push(bytes, Kind::Goodbye, &goodbye.bytes()),
            Self::Command(record) => push_command(bytes, record),
            Self::Status(status) => push(bytes, Kind::Status, &status.bytes()),
            Self::Ping => push(bytes, Kind::Ping, &[]),
        }
    }
}

/// Appends the frame of a command's record.
pub(crate) fn push_command(bytes: &mut Vec<u8>, record: &[u8]) {
    push(bytes, Kind::Command, record);
}

fn push(bytes: &mut Vec<u8>, kind: Kind, payload: &[u8]) {
    let header = Header { length: payload.len() as u32, kind, zero: [0; 3] }; // bounded by `lengths`
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(payload);
}

/// A payload that is one value.
fn exactly<T: TryFromBytes>(payload: &[u8]) -> Result<T, FrameError> {
    T::try_read_from_bytes(payload).map_err(|_| FrameError::BadField)
}

/// The text at the end of a payload.
pub(crate) fn text(bytes: &[u8]) -> Result<String, FrameError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| FrameError::BadField)
}

/// As much of a text as a frame may have.
pub(crate) fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::GoodbyeReason;
    use proptest::prelude::*;
    use protocol::{Sequence, SourceId, SourceNumber, command::Command};
    use services::{EngineState, HaltReason};

    fn frame(bytes: &[u8]) -> Result<Frame, FrameError> {
        let header = bytes[..FRAME_HEADER].try_into().expect("a header's bytes");
        Announced::read(header)?.frame(&bytes[FRAME_HEADER..])
    }

    fn every_frame() -> Vec<Frame> {
        let status = |state| {
            let [core, durable, published] = [9, 8, 7].map(Sequence);
            Frame::Status(StatusReport { state, core, durable, published })
        };
        let broken =
            HaltReason::BrokenInvariant { sequence: Sequence(4), what: "a sum is 1 — not 0".to_owned() };
        vec![
            Frame::Hello(Hello::new(SourceId(16), 7, true, [3; 32])),
            Frame::Challenge(Challenge { nonce: [1; 32], proof: [2; 32] }),
            Frame::Proof(Proof { proof: [5; 32] }),
            Frame::Welcome(Welcome {
                engine_id: 1,
                reserved: 0,
                next: SourceNumber(5),
                settled: Sequence(6),
            }),
            Frame::Goodbye(Goodbye { reason: GoodbyeReason::Replaced, text: "another life".to_owned() }),
            Frame::Command(Command::Tick.encode(SourceId(16), SourceNumber(1), 2)),
            status(EngineState::Recovering { done: 1, total: 2 }),
            status(EngineState::Open),
            status(EngineState::NoRoom),
            status(EngineState::Stopping),
            status(EngineState::Unreachable),
            status(EngineState::Halted(broken)),
            status(EngineState::Halted(HaltReason::ClockJump { nanoseconds: -5 })),
            Frame::Ping,
        ]
    }

    #[test]
    fn every_frame_returns_from_its_bytes() {
        for sent in every_frame() {
            let mut bytes = Vec::new();
            sent.write(&mut bytes);
            assert_eq!(frame(&bytes), Ok(sent));
        }
    }

    #[test]
    fn lengths_are_judged_before_a_payload_is_read() {
        for (kind, length, expected) in [
            (
                Kind::Command as u8,
                COMMAND_LENGTH_MAX as u32 + 1,
                FrameError::BadLength(COMMAND_LENGTH_MAX + 1),
            ),
            (Kind::Command as u8, 0, FrameError::BadLength(0)),
            (Kind::Hello as u8, u32::MAX, FrameError::BadLength(u32::MAX as usize)),
            (Kind::Ping as u8, 1, FrameError::BadLength(1)),
            (0, 0, FrameError::UnknownKind),
            (9, 0, FrameError::UnknownKind),
        ] {
            let mut bytes = [0; FRAME_HEADER];
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            bytes[4] = kind;
            assert_eq!(Announced::read(&bytes).err(), Some(expected), "kind {kind} of {length} bytes");
        }
        let mut not_zero = [0; FRAME_HEADER];
        not_zero[4] = Kind::Ping as u8;
        not_zero[7] = 1;
        assert_eq!(Announced::read(&not_zero).err(), Some(FrameError::UnknownKind));
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        let text = "ä".repeat(TEXT_MAX);
        let mut bytes = Vec::new();
        Frame::Goodbye(Goodbye { reason: GoodbyeReason::Broken, text }).write(&mut bytes);
        let Ok(Frame::Goodbye(goodbye)) = frame(&bytes) else { panic!("a goodbye") };
        assert_eq!(goodbye.text, "ä".repeat(TEXT_MAX / 2));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(header in any::<[u8; FRAME_HEADER]>(), payload in prop::collection::vec(any::<u8>(), 0..2_048)) {
            if let Ok(announced) = Announced::read(&header) {
                let _ = announced.frame(&payload);
            }
        }

        #[test]
        fn a_frame_with_a_changed_byte_or_cut_short_never_panics(
            which in 0..every_frame().len(), place in 0_usize..2_048, byte in any::<u8>(), cut in 0_usize..2_048,
        ) {
            let mut bytes = Vec::new();
            every_frame()[which].write(&mut bytes);
            let place = place % bytes.len();
            bytes[place] = byte;
            bytes.truncate(FRAME_HEADER.max(cut % (bytes.len() + 1)));
            let _ = frame(&bytes);
        }
    }
}
