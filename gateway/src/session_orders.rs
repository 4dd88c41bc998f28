//! Orders that end with the session that placed them (cancel on disconnect, Rialto's own). The end of a
//! session is a command like any other, and so is the end of all sessions of a gateway that ended before
//! it could say so. Refuses to know connections.

use crate::Gateway;
use protocol::{
    OrderTerms,
    command::{CloseSession, Command},
};
use services::SubmitError;
use std::time::Duration;
use tokio::{runtime::Handle, time::sleep};

/// Between two attempts to hand in a session's end.
const RETRY: Duration = Duration::from_millis(20);
/// All sessions of a gateway.
const ALL: u64 = 0;

/// A session whose orders end with it: dropping it ends them.
#[derive(Debug)]
pub(crate) struct SessionOrders {
    gateway: Gateway,
    number: u64,
}

impl SessionOrders {
    /// A new session. Its number is none that this gateway or one before it ever had: it begins with
    /// this run's time.
    pub(crate) fn open(gateway: &Gateway) -> Self {
        Self { gateway: gateway.clone(), number: gateway.next_trace() }
    }

    /// What its orders carry.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for SessionOrders {
    fn drop(&mut self) {
        // Without a runtime the process is ending: the next start ends what is left.
        if let Ok(runtime) = Handle::try_current() {
            let (gateway, number) = (self.gateway.clone(), self.number);
            runtime.spawn(async move { end(&gateway, number).await });
        }
    }
}

impl Gateway {
    /// Ends the orders of sessions that a gateway before this one had, if there are any. To be called
    /// once, when the engine takes commands and no client has come in.
    pub async fn end_sessions_of_before(&self) {
        if self.views.accounts().have_session_orders() {
            end(self, ALL).await;
        }
    }
}

/// Hands in a session's end, until it is taken.
async fn end(gateway: &Gateway, session: u64) {
    let close = CloseSession { source: gateway.commands.source(), reserved: 0, session };
    let command = Command::CloseSession(close);
    loop {
        let submitted = gateway.commands.submit(&command, gateway.next_trace());
        let answer = match submitted {
            Ok(pending) => pending.await.map(|_| ()),
            Err(error) => Err(error),
        };
        match answer {
            Err(SubmitError::Overloaded | SubmitError::NoRoom | SubmitError::Behind) => sleep(RETRY).await,
            // The exchange stops: the next start ends what is left.
            Ok(()) | Err(SubmitError::Closed | SubmitError::Unknown) => return,
        }
    }
}

/// The command with its orders marked to end with a session.
pub(crate) fn in_session(command: &Command, session: u64) -> Command {
    let marked =
        |terms: Option<OrderTerms>| Some(OrderTerms { session, ..terms.unwrap_or(OrderTerms::NONE) });
    let mut command = command.clone();
    match &mut command {
        Command::PlaceOrder { terms, .. } | Command::CancelReplace { terms, .. } => *terms = marked(*terms),
        Command::PlaceOrderList { orders, .. } => {
            for order in orders {
                order.terms = marked(order.terms);
            }
        }
        _ => {}
    }
    command
}
