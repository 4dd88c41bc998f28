//! A panic of the core is a broken invariant, which halts trading and is not the end of the process:
//! whoever applies commands contains it. Refuses to know what the core does.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread, now, is one that the exchange contains: a panic hook that aborts
/// the process on every other panic lets this one be.
pub fn is_panic_contained() -> bool {
    CONTAINED.get()
}

/// Runs `work`; a panic in it is returned as what it said.
///
/// # Errors
/// When `work` panicked: an engine it applied commands to is not to be used after that.
pub fn contain<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(before);
    result.map_err(|panic| said(panic.as_ref()))
}

fn said(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "a panic without words".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_panic_said_is_returned() {
        assert!(!is_panic_contained());
        assert_eq!(contain(is_panic_contained), Ok(true));
        assert_eq!(contain(|| panic!("one")), Err::<(), _>("one".to_owned()));
        assert_eq!(contain(|| panic!("{} {}", 1, 2)), Err::<(), _>("1 2".to_owned()));
        assert!(!is_panic_contained());
    }
}
