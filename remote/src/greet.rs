//! The gateway's part of the handshake. Refuses to know what the connection is for.

use crate::{
    frame::Frame,
    handshake::{Goodbye, Hello, Proof, Welcome},
    secret::{Prover, Secret, nonce},
    wire::{read_frame, write_frame},
};
use protocol::SourceId;
use std::io;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

/// Why there is no welcome.
#[derive(Debug, Error)]
pub enum GreetError {
    /// The other side does not know the secret.
    #[error("the other side does not know the secret")]
    Stranger,
    /// The engine said no.
    #[error("{0}")]
    Goodbye(Goodbye),
    /// The stream broke, or carries something else.
    #[error(transparent)]
    Socket(#[from] io::Error),
}

/// Asks to speak for a source, as the life of a gateway that is or is not connecting `first`.
///
/// # Errors
/// See [`GreetError`].
pub async fn greet(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    source: SourceId,
    life: u64,
    first: bool,
    secret: &Secret,
) -> Result<Welcome, GreetError> {
    let hello = Hello::new(source, life, first, nonce()?);
    write_frame(stream, &Frame::Hello(hello)).await?;
    let challenge = match read_frame(stream).await? {
        Frame::Challenge(challenge) => challenge,
        other => return Err(unexpected(other)),
    };
    if !secret.is_proven(Prover::Engine, &hello, &challenge.nonce, &challenge.proof) {
        return Err(GreetError::Stranger);
    }
    let proof = secret.proof(Prover::Gateway, &hello, &challenge.nonce);
    write_frame(stream, &Frame::Proof(Proof { proof })).await?;
    match read_frame(stream).await? {
        Frame::Welcome(welcome) => Ok(welcome),
        other => Err(unexpected(other)),
    }
}

fn unexpected(frame: Frame) -> GreetError {
    match frame {
        Frame::Goodbye(reason) => GreetError::Goodbye(reason),
        _ => io::Error::new(io::ErrorKind::InvalidData, "the engine said something else than it must").into(),
    }
}
