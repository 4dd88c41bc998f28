//! Walks over the records of a batch and the chunks of an event group by the length each begins
//! with. It does not know what they mean.

/// The records of a command batch: each begins with its own length, a little-endian `u16`, a
/// multiple of 8. Ends early (and [`Records::remainder`] is then not empty) where a length is wrong.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    /// Walks over `payload`.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// What is left: empty once every record was well formed and taken.
    pub fn remainder(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(u16::from_le_bytes(*self.rest.first_chunk()?));
        if length == 0 || length % 8 != 0 {
            return None;
        }
        let (record, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(record)
    }
}

/// The chunks of an event group: each begins with its own length in bytes, a little-endian `u32` of
/// at least 4. Ends early where a length is wrong.
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    /// Walks over `payload`.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// What is left: empty once every chunk was well formed and taken.
    pub fn remainder(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(*self.rest.first_chunk()?) as usize;
        if length < 4 {
            return None;
        }
        let (chunk, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_end_at_the_first_wrong_length() {
        let good = [[8, 0, 1, 1, 1, 1, 1, 1], [8, 0, 2, 2, 2, 2, 2, 2]].concat();
        let mut records = Records::new(&good);
        assert_eq!(records.by_ref().count(), 2);
        assert!(records.remainder().is_empty());
        for (bad, whole) in
            [(vec![0; 8], 0), (vec![9, 0, 0, 0, 0, 0, 0, 0, 0], 0), (vec![16, 0, 0, 0], 0), (vec![8], 0)]
        {
            let mut records = Records::new(&bad);
            assert_eq!(records.by_ref().count(), whole, "{bad:?}");
            assert_eq!(records.remainder(), bad);
        }
    }

    #[test]
    fn chunks_end_at_the_first_wrong_length() {
        let good = [5, 0, 0, 0, 9, 4, 0, 0, 0];
        assert_eq!(Chunks::new(&good).map(<[u8]>::len).collect::<Vec<_>>(), [5, 4]);
        let mut chunks = Chunks::new(&[3, 0, 0, 0]);
        assert_eq!(chunks.next(), None);
        assert_eq!(chunks.remainder().len(), 4);
    }
}
