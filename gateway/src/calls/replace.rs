//! Cancel an order and place another (dialect §5.5): one command, two outcomes. Refuses to decide what
//! a failed cancel means: the core does, by the mode.

use super::{
    Json, Reply, Request,
    cancel::{self, Names, cancelled_rows},
    new_order,
    orders::placed_json,
};
use crate::dialect::{DialectError, Purpose, refusal};
use protocol::{
    AccountId, Reject,
    command::{CancelReplace, Command},
    order::ReplaceMode,
    reject::Outcome,
};
use serde::Serialize;
use serde_json::value::RawValue;
use services::Answer;

/// How a cancel-replace names the order to cancel.
const NAMES: Names = Names {
    order_id: "cancelOrderId",
    original: "cancelOrigClientOrderId",
    request: "cancelNewClientOrderId",
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Both {
    cancel_result: &'static str,
    new_order_result: &'static str,
    cancel_response: Box<RawValue>,
    new_order_response: Box<RawValue>,
}

pub(super) async fn cancel_replace(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let mode = match request.parameters.required("cancelReplaceMode")? {
        "STOP_ON_FAILURE" => ReplaceMode::StopOnFailure,
        "ALLOW_FAILURE" => ReplaceMode::AllowFailure,
        _ => return Err(DialectError::invalid_data("cancelReplaceMode")),
    };
    let cancel_anyway = match request.parameters.text("orderRateLimitExceededMode") {
        None | Some("DO_NOTHING") => false,
        Some("CANCEL_ONLY") => true,
        Some(_) => return Err(DialectError::invalid_data("orderRateLimitExceededMode")),
    };
    let new = new_order::parse(request.parameters, &listing, account)?;
    let (cancel, ids) = cancel::parse(request, &listing, account, NAMES)?;
    if let Err(too_many) = request.take_orders(1) {
        if !cancel_anyway {
            return Err(too_many);
        }
        let answer = request.submit(&Command::CancelOrder { cancel, ids }).await?;
        return both(cancelled_json(request, account, answer.outcome, &answer)?, Err(Some(too_many)));
    }
    let replace = CancelReplace { cancel, order: new.order, mode, reserved: [0; 7] };
    let command =
        Command::CancelReplace { replace, ids, client_order_id: new.client_order_id, terms: new.terms };
    let answer = request.submit(&command).await?;
    let Some(cancel_outcome) = answer.cancel_outcome else {
        // The new order was refused by a filter before the cancel was tried.
        return match answer.outcome {
            Outcome::Refused(reject) => Err(refusal(reject, Purpose::Place)),
            Outcome::Done => Err(DialectError::unknown()),
        };
    };
    let placed = match answer.outcome {
        Outcome::Done => Ok(placed_json(request, &listing, &new, &answer)?),
        Outcome::Refused(Reject::ReplaceCancelFailed) => Err(None),
        Outcome::Refused(reject) => Err(Some(refusal(reject, Purpose::Place))),
    };
    both(cancelled_json(request, account, cancel_outcome, &answer)?, placed)
}

/// The cancelled order, or why it was not cancelled.
fn cancelled_json(
    request: &Request<'_>,
    account: AccountId,
    outcome: Outcome,
    answer: &Answer,
) -> Result<Result<Json, DialectError>, DialectError> {
    match outcome {
        Outcome::Refused(reject) => Ok(Err(refusal(reject, Purpose::Cancel))),
        Outcome::Done => {
            let rows = cancelled_rows(request, account, answer);
            Ok(Ok(Json::of(rows.first().ok_or_else(DialectError::unknown)?)))
        }
    }
}

/// Puts the two answers together. An order that was not placed says why, unless it was not tried.
fn both(cancelled: Result<Json, DialectError>, placed: Result<Json, Option<DialectError>>) -> Reply {
    let cancel_done = cancelled.is_ok();
    let order_done = placed.is_ok();
    let (new_order_result, new_order_response) = match placed {
        Ok(json) => ("SUCCESS", json.0),
        Err(None) => ("NOT_ATTEMPTED", "null".to_owned()),
        Err(Some(error)) => ("FAILURE", error.to_json()),
    };
    let answer = Both {
        cancel_result: if cancel_done { "SUCCESS" } else { "FAILURE" },
        new_order_result,
        cancel_response: raw(cancelled.map_or_else(|error| error.to_json(), |json| json.0)),
        new_order_response: raw(new_order_response),
    };
    let json = Json::of(&answer);
    match (cancel_done, order_done) {
        (true, true) => Ok(json),
        (false, false) => Err(DialectError::replace_failed(raw(json.0))),
        _ => Err(DialectError::replace_partially_failed(raw(json.0))),
    }
}

fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).expect("answers are JSON that was just written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_of_outcomes_has_its_answer() {
        let yes = || Ok(Json::of(&1));
        let no = || Err(DialectError::no_such_order());
        let refused = || Err(Some(refusal(Reject::InsufficientBalance, Purpose::Place)));
        assert_eq!(
            both(yes(), Ok(Json::of(&2))).unwrap().0,
            r#"{"cancelResult":"SUCCESS","newOrderResult":"SUCCESS","cancelResponse":1,"newOrderResponse":2}"#
        );
        for (cancelled, placed, code, status, results) in [
            (yes(), refused(), -2021, 409, ["SUCCESS", "FAILURE"]),
            (no(), Ok(Json::of(&2)), -2021, 409, ["FAILURE", "SUCCESS"]),
            (no(), refused(), -2022, 400, ["FAILURE", "FAILURE"]),
            (no(), Err(None), -2022, 400, ["FAILURE", "NOT_ATTEMPTED"]),
        ] {
            let error = both(cancelled, placed).unwrap_err();
            assert_eq!((error.code, error.status), (code, status), "{results:?}");
            let body: serde_json::Value = serde_json::from_str(&error.to_json()).unwrap();
            assert_eq!(body["data"]["cancelResult"], results[0]);
            assert_eq!(body["data"]["newOrderResult"], results[1]);
        }
    }
}
