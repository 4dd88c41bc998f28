//! Frames on a stream of bytes. Refuses to know what they say.

use crate::frame::{Announced, FRAME_HEADER, Frame};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Reads one frame. No more is read or kept than a frame of its kind may have. Not cancel-safe.
///
/// # Errors
/// Of the stream; `InvalidData` with a [`FrameError`](crate::FrameError) when it is no frame.
pub async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let mut header = [0; FRAME_HEADER];
    stream.read_exact(&mut header).await?;
    let announced = Announced::read(&header).map_err(invalid)?;
    let mut payload = vec![0; announced.length];
    stream.read_exact(&mut payload).await?;
    announced.frame(&payload).map_err(invalid)
}

/// Writes one frame, at once.
///
/// # Errors
/// Of the stream.
pub async fn write_frame(stream: &mut (impl AsyncWrite + Unpin), frame: &Frame) -> io::Result<()> {
    let mut bytes = Vec::new();
    frame.write(&mut bytes);
    stream.write_all(&bytes).await?;
    stream.flush().await
}
