//! The one checksum of both logs. It knows bytes, nothing else.
//!
//! CRC-64 (the XZ polynomial) instead of a hash: a CRC finds **every** single flipped bit and every
//! burst of up to 64 bits by construction, whatever the length, where a 64-bit hash finds them only
//! with overwhelming probability. Its initial value is not zero, so a run of zeros is never valid.

pub(crate) use crc64fast::Digest;

/// The CRC-64 of the parts, as if they were one run of bytes.
pub(crate) fn checksum(parts: &[&[u8]]) -> u64 {
    let mut digest = Digest::new();
    for part in parts {
        digest.write(part);
    }
    digest.sum64()
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn every_single_bit_flip_changes_it() {
        for length in [8_usize, 40, 127, 128, 200, 1024] {
            let mut bytes: Vec<u8> = (0..length).map(|index| (index * 37) as u8).collect();
            let good = checksum(&[&bytes]);
            for bit in 0..length * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(checksum(&[&bytes]), good, "bit {bit} of {length} bytes");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn parts_are_one_run_and_zeros_are_not_zero() {
        assert_eq!(checksum(&[b"123456789"]), 0x995d_c9bb_df19_39fa); // the published check value of CRC-64/XZ
        assert_eq!(checksum(&[b"1234", b"", b"56789"]), checksum(&[b"123456789"]));
        assert_ne!(checksum(&[&[0; 64]]), 0);
    }
}
