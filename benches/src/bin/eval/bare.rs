//! The floor: a body parsed, and the machine asked and answered, with nothing around them.

use agent::{Input, Limits, Machine, ModelReply, Outcome, PlannedTool, RunPlan, Step, ToolAnswer};
use kit::tool::{Disposition, NoSend, Phase};
use kit::{Currency, ShopId, Timestamp};
use serde_json::json;
use shop::{Delivery, ShopDefaults, Source};
use testkit::models::calls;

use crate::{Failure, failure};

/// What the machine knows of the tools.
pub(crate) fn tools() -> Result<Vec<PlannedTool>, Failure> {
    Ok(mailwright::toolbox::specs().map_err(failure)?.iter().map(PlannedTool::from).collect())
}

/// One case.
pub(crate) fn case(tools: &[PlannedTool], number: u32) -> Result<(), Failure> {
    let now = Timestamp::UNIX_EPOCH;
    let item = json!({ "product_id": "TT-1806", "title": "Bua Flask 0.5 l", "price": "38.00", "quantity": 1 });
    let cart = json!({ "items": [item], "total_value": "38.00", "url": "https://www.tarnandtrail.example/cart/c1" });
    let payload =
        json!({ "cart_id": format!("cart-{number}"), "customer": { "id": format!("c-{number}") }, "cart": cart });
    let body = json!({ "event": "cart.updated", "id": format!("e-{number}"), "triggered_at": now, "payload": payload });
    let body = body.to_string();
    let delivery = Delivery {
        source: Source::Generic,
        topic: "cart.updated",
        body: body.as_bytes(),
        event_id: None,
        triggered_at: None,
        received_at: now,
    };
    let shop = ShopId::new("shop").map_err(failure)?;
    shop::parse(&delivery, &ShopDefaults { shop, currency: Currency::EUR }).map_err(failure)?;

    let mut machine = Machine::new(RunPlan {
        system: "Write, or say nothing.".to_owned(),
        task: "A cart was left.".to_owned(),
        tools: tools.to_vec(),
        limits: Limits::default(),
        gather_done_by: Vec::new(),
        start: Phase::Gather,
        started_at: now,
    });
    loop {
        let input = match machine.next() {
            Step::CallModel => Input::Model { reply: answer(), at: now },
            Step::RunTools { calls } => {
                let reason = NoSend { code: "nothing_to_say".to_owned(), reason: "It is safer.".to_owned() };
                let answer = |(_, call): &(u32, agent::ToolCall)| ToolAnswer {
                    disposition: Some(Disposition::NoSend(reason.clone())),
                    ..ToolAnswer::ok(call, "{}".to_owned())
                };
                Input::Tools { answers: calls.iter().map(answer).collect(), at: now }
            }
            Step::Done(Outcome::NoSend(_)) => return Ok(()),
            other => return Err(failure(format!("the run did not end: {other:?}"))),
        };
        machine.apply(input).map_err(failure)?;
    }
}

fn answer() -> ModelReply {
    calls([("decide_no_send", json!({ "code": "nothing_to_say", "reason": "It is safer to say nothing." }))])
}
