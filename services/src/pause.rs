//! Whether money may leave just now. Refuses to know why it might not.

use std::fmt;

/// Who may say that withdrawals are to wait.
pub trait WithdrawalPause: fmt::Debug + Send + Sync {
    /// Why they are to wait, in words; `None` when they need not. At once, without waiting.
    fn paused(&self) -> Option<String>;
}
