//! The id of a WebSocket frame: echoed as the client wrote it. Refuses to know frames.

/// The longest text that may be an id.
const ID_LENGTH_MAX: usize = 36;

/// Whether a JSON text is a whole number, a short string or null.
pub(crate) fn is_frame_id(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match text.as_bytes().first() {
        Some(b'"') => {
            serde_json::from_str::<String>(text).is_ok_and(|id| id.chars().count() <= ID_LENGTH_MAX)
        }
        _ => text == "null" || (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_whole_numbers_short_texts_or_null() {
        let longest = format!("\"{}\"", "x".repeat(36));
        for good in ["0", "-1", "123", "null", "\"a\"", longest.as_str()] {
            assert!(is_frame_id(good), "{good}");
        }
        let too_long = format!("\"{}\"", "x".repeat(37));
        for bad in ["", "-", "1.5", "1e3", "true", "[]", "{}", too_long.as_str()] {
            assert!(!is_frame_id(bad), "{bad}");
        }
    }
}
