//! What an account may do to stop itself: a cancel timer (a dead man's switch) and a kill switch. Both
//! are Rialto's own. Refuses to cancel anything itself: the core does.

use super::{Json, Reply, Request};
use crate::dialect::{DialectError, Purpose, refusal};
use protocol::{
    Time,
    command::{Command, SetCancelTimer, SetKillSwitch},
    event::{Event, OrderClosed},
    order::CloseReason,
    reject::Outcome,
    terms::KillSwitch,
};
use serde_json::json;
use services::Answer;

/// The longest a timer may run, in milliseconds: a day.
const COUNTDOWN_MAX: u64 = 86_400_000;
/// Nanoseconds in a millisecond.
const MILLISECOND: u64 = 1_000_000;

/// Sets, renews or lifts the timer that cancels every open order unless it is renewed.
pub(super) async fn cancel_timer(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let name = "countdownTime";
    let countdown = request.parameters.integer(name)?.ok_or_else(|| DialectError::mandatory(name))?;
    if countdown > COUNTDOWN_MAX {
        return Err(DialectError::invalid_data(name));
    }
    let timer = SetCancelTimer { account, reserved: 0, timeout: countdown * MILLISECOND };
    let answer = done(request, &Command::SetCancelTimer(timer)).await?;
    let due = answer.events().find_map(|event| match event {
        Event::CancelTimerSet(set) => (set.due_at != Time::NEVER).then_some(set.due_at),
        _ => None,
    });
    Ok(Json::of(&json!({
        "countdownTime": countdown,
        "dueTime": super::order_json::time_or_never(due, request.unit),
    })))
}

/// Turns the switch that cancels every open order and takes none.
pub(super) async fn kill_switch(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let (text, switch) = match request.parameters.required("switch")? {
        "ON" => ("ON", KillSwitch::On),
        "OFF" => ("OFF", KillSwitch::Off),
        _ => return Err(DialectError::invalid_data("switch")),
    };
    let command = Command::SetKillSwitch(SetKillSwitch { account, switch, reserved: [0; 3] });
    let answer = done(request, &command).await?;
    let cancelled = answer
        .events()
        .filter(|event| {
            matches!(event, Event::OrderClosed(OrderClosed { reason: CloseReason::KillSwitch, .. }, _))
        })
        .count();
    Ok(Json::of(&json!({"switch": text, "canceledOrders": cancelled})))
}

async fn done(request: &Request<'_>, command: &Command) -> Result<Answer, DialectError> {
    let answer = request.submit(command).await?;
    match answer.outcome {
        Outcome::Done => Ok(answer),
        Outcome::Refused(reject) => Err(refusal(reject, Purpose::Cancel)),
    }
}
