//! Runs without a journal: the machine, the model client and the tools, and nothing that would survive a crash.

use std::sync::Arc;

use agent::{Input, Machine, Step, ToolAnswer, ToolCall};
use kit::tool::{ToolContext, ToolError, ToolSpec};
use kit::{RunId, Timestamp};
use mailwright::model::ChatModel;

use crate::scenario::{Scenario, ended_as_scripted};
use crate::subject::{principal, shop, subject};
use crate::{Ended, Failure};

/// Plays one run to its end, or to where it waits for a person.
pub(crate) async fn play(scenario: &Scenario, model: &dyn ChatModel, run: &RunId) -> Result<Ended, Failure> {
    let mut machine = Machine::new(scenario.plan(Timestamp::now()));
    loop {
        let input = match machine.next() {
            Step::CallModel => ask(scenario, model, &machine).await?,
            Step::RunTools { calls } => {
                let mut answers = Vec::with_capacity(calls.len());
                for (ordinal, call) in &calls {
                    answers.push(call_tool(scenario, &machine, run, *ordinal, call).await?);
                }
                Input::Tools { answers, at: Timestamp::now() }
            }
            Step::AwaitApproval { .. } => return Ok(Ended::Waiting(Some(Box::new(machine)))),
            Step::Done(outcome) => return ended_as_scripted(&outcome).map(|()| Ended::Done),
            other @ (Step::Deliver { .. }
            | Step::AwaitRelease { .. }
            | Step::SwitchModel { .. }
            | Step::AwaitMarketer { .. }) => {
                return Err(Failure::new(format!("the run did not follow the script: {other:?}")));
            }
        };
        machine.apply(input)?;
    }
}

async fn ask(scenario: &Scenario, model: &dyn ChatModel, machine: &Machine) -> Result<Input, Failure> {
    let request = machine.request().ok_or_else(|| Failure::new("there is no question"))?;
    let tools: Vec<&ToolSpec> =
        request.tools.iter().filter_map(|name| Some(scenario.registry.get(name)?.spec())).collect();
    let reply = model.complete(&request, &tools).await?;
    Ok(Input::Model { reply, at: Timestamp::now() })
}

async fn call_tool(
    scenario: &Scenario,
    machine: &Machine,
    run: &RunId,
    ordinal: u32,
    call: &ToolCall,
) -> Result<ToolAnswer, Failure> {
    let tool =
        scenario.registry.get(&call.name).ok_or_else(|| Failure::new(format!("there is no tool {}", call.name)))?;
    let (facts, draft) = (machine.facts().clone(), machine.draft().cloned());
    let cx = ToolContext::new(
        shop(),
        run.clone(),
        principal(),
        Timestamp::now(),
        Arc::new(subject(run)),
        facts,
        draft,
        ordinal,
    );
    let content =
        tool.call(&cx, &call.arguments).await.map_err(|e: ToolError| Failure::new(format!("{}: {e}", call.name)))?;
    let (facts, disposition) = cx.finish();
    Ok(ToolAnswer { facts, disposition, ..ToolAnswer::ok(call, content) })
}
