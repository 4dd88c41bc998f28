//! Randomness, from the operating system. The only place in the exchange that makes secrets; the
//! engine has none.

use crate::AccountsError;
use secrecy::zeroize::Zeroizing;

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The largest multiple of 62 that a byte can count to: bytes from here on are thrown away, so that
/// every character is equally likely.
const FAIR_BELOW: u8 = 248;

/// `N` random bytes, zeroed when dropped.
pub(crate) fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, AccountsError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut()).map_err(AccountsError::Random)?;
    Ok(bytes)
}

/// `N` random letters and digits (5.95 bits each), zeroed when dropped.
pub(crate) fn alphanumeric<const N: usize>() -> Result<Zeroizing<[u8; N]>, AccountsError> {
    let mut text = Zeroizing::new([0; N]);
    let mut filled = 0;
    while filled < N {
        for byte in bytes::<128>()?.iter().filter(|byte| **byte < FAIR_BELOW).take(N - filled) {
            text[filled] = ALPHANUMERIC[usize::from(byte % 62)];
            filled += 1;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_occurs_and_no_other() {
        let text = alphanumeric::<20_000>().unwrap();
        assert!(text.iter().all(u8::is_ascii_alphanumeric));
        // A character missing from 20,000 fair draws has a chance of 62·e^-325.
        assert!(ALPHANUMERIC.iter().all(|character| text.contains(character)));
        assert_ne!(bytes::<32>().unwrap(), bytes::<32>().unwrap());
    }
}
