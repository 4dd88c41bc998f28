//! A stream of bytes encrypted in chunks, so that it can be of any length and any change to it is found
//! where it is: AES-256-GCM in the STREAM construction. Refuses to know where keys come from and what
//! the bytes mean.
//!
//! A chunk's nonce is the stream's number (7 bytes), the chunk's number (4) and whether it is the last
//! (1): chunks cannot be left out, repeated, exchanged, nor the end cut off. A key is used for the
//! streams of one backup only, so no nonce comes twice.

use std::io::{self, Read, Write};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce};

/// Bytes of a chunk before encryption, but for the last.
const CHUNK: usize = 1 << 20;
/// What encryption adds to each.
const TAG: usize = 16;
/// The first bytes of a stream: what it is, and its version. Authenticated with every chunk.
const HEADER: &[u8; 16] = b"rialto backup 1\n";

/// What a reader says of bytes that were not written so.
const NOT_AS_WRITTEN: &str = "it is not as it was written";

/// The chunks' nonces, one after the other.
struct Nonces {
    stream: u32,
    chunk: u32,
}

impl Nonces {
    fn next(&mut self, is_last: bool) -> io::Result<Nonce> {
        let mut nonce = [0; NONCE_LEN];
        nonce[3..7].copy_from_slice(&self.stream.to_be_bytes());
        nonce[7..11].copy_from_slice(&self.chunk.to_be_bytes());
        nonce[11] = u8::from(is_last);
        self.chunk =
            self.chunk.checked_add(1).ok_or_else(|| io::Error::other("it is too long to encrypt"))?;
        Ok(Nonce::assume_unique_for_key(nonce))
    }
}

/// Encrypts what is written to it. Without [`finish`](Self::finish) the stream has no end.
pub(crate) struct Sealer<W> {
    out: W,
    key: LessSafeKey,
    nonces: Nonces,
    chunk: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Begins stream number `stream` of the backup whose key this is.
    pub(crate) fn new(mut out: W, key: LessSafeKey, stream: u32) -> io::Result<Self> {
        debug_assert_eq!(key.algorithm(), &AES_256_GCM);
        out.write_all(HEADER)?;
        Ok(Self { out, key, nonces: Nonces { stream, chunk: 0 }, chunk: Vec::with_capacity(CHUNK + TAG) })
    }

    fn seal(&mut self, is_last: bool) -> io::Result<()> {
        let nonce = self.nonces.next(is_last)?;
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(HEADER), &mut self.chunk)
            .map_err(|_| io::Error::other("it could not be encrypted"))?;
        self.out.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }

    /// Ends the stream, and gives back what it was written to.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Decrypts a stream. It gives nothing that was not authenticated, and no end that is not the end.
pub(crate) struct Opener<R> {
    source: R,
    key: LessSafeKey,
    nonces: Nonces,
    /// Decrypted, from `given` on not yet read.
    chunk: Vec<u8>,
    given: usize,
    /// The chunk after it, as it stands in the stream; empty at the end.
    next: Vec<u8>,
}

impl<R: Read> Opener<R> {
    /// Opens stream number `stream` of the backup whose key this is.
    pub(crate) fn new(mut source: R, key: LessSafeKey, stream: u32) -> io::Result<Self> {
        let mut header = [0; HEADER.len()];
        source.read_exact(&mut header).map_err(|_| not_as_written())?;
        if header != *HEADER {
            return Err(not_as_written());
        }
        let mut next = Vec::new();
        source.by_ref().take((CHUNK + TAG) as u64).read_to_end(&mut next)?;
        if next.is_empty() {
            return Err(not_as_written());
        }
        Ok(Self { source, key, nonces: Nonces { stream, chunk: 0 }, chunk: Vec::new(), given: 0, next })
    }

    fn advance(&mut self) -> io::Result<()> {
        self.chunk.clear();
        self.given = 0;
        std::mem::swap(&mut self.chunk, &mut self.next);
        self.source.by_ref().take((CHUNK + TAG) as u64).read_to_end(&mut self.next)?;
        let nonce = self.nonces.next(self.next.is_empty())?;
        let length = self
            .key
            .open_in_place(nonce, Aad::from(HEADER), &mut self.chunk)
            .map_err(|_| not_as_written())?
            .len();
        self.chunk.truncate(length);
        Ok(())
    }
}

fn not_as_written() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, NOT_AS_WRITTEN)
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() && !self.next.is_empty() {
            self.advance()?;
        }
        let taken = buffer.len().min(self.chunk.len() - self.given);
        buffer[..taken].copy_from_slice(&self.chunk[self.given..self.given + taken]);
        self.given += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::aead::UnboundKey;

    fn key(byte: u8) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[byte; 32]).unwrap())
    }

    fn sealed(content: &[u8], stream: u32) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), key(1), stream).unwrap();
        sealer.write_all(content).unwrap();
        sealer.finish().unwrap()
    }

    fn opened(sealed: &[u8], key: LessSafeKey, stream: u32) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        Opener::new(sealed, key, stream)?.read_to_end(&mut content)?;
        Ok(content)
    }

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|index| (index * 7 + (index >> 10)) as u8).collect()
    }

    #[test]
    fn what_is_sealed_is_opened_again_whatever_its_length() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5] {
            let sealed = sealed(&content(length), 3);
            let chunks = length.div_ceil(CHUNK).max(1);
            assert_eq!(sealed.len(), HEADER.len() + length + chunks * TAG, "{length}");
            assert!(opened(&sealed, key(1), 3).unwrap() == content(length), "{length}");
            assert!(opened(&sealed, key(2), 3).is_err(), "another key");
            assert!(opened(&sealed, key(1), 4).is_err(), "another file of the backup");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let good = sealed(&content(100), 0);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(opened(&bad, key(1), 0).is_err(), "bit {bit}");
        }
        for length in 0..good.len() {
            assert!(opened(&good[..length], key(1), 0).is_err(), "cut at {length}");
        }
        assert!(opened(&[&good[..], &[0]].concat(), key(1), 0).is_err(), "something follows");
    }

    #[test]
    fn chunks_left_out_exchanged_or_repeated_are_found() {
        let good = sealed(&content(3 * CHUNK + 5), 0);
        let (header, rest) = good.split_at(HEADER.len());
        let chunks: Vec<&[u8]> = rest.chunks(CHUNK + TAG).collect();
        for order in
            [&[0, 1, 2][..], &[0, 1], &[0, 2, 3], &[1, 0, 2, 3], &[0, 0, 1, 2, 3], &[0, 1, 2, 3, 3], &[3]]
        {
            let parts: Vec<&[u8]> = order.iter().map(|index| chunks[*index]).collect();
            let bad = [header, &parts.concat()].concat();
            assert!(opened(&bad, key(1), 0).is_err(), "{order:?}");
        }
        assert_eq!(chunks.len(), 4);
    }
}
