//! The scripted run: one task, five tools with canned results, six model calls.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use agent::{HumanReason, Limits, Outcome, PlannedTool, RunPlan};
use kit::Timestamp;
use kit::tool::{Phase, Registry, ToolSpec};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Failure;
use crate::tools;

/// The script's model calls: the last one is answered in words.
const TURNS: u32 = 6;
/// The script's tool calls.
const TOOL_CALLS: u32 = 7;

/// `scenario.json`.
#[derive(Debug, Deserialize)]
struct File {
    system: String,
    user: String,
    tools: Vec<Value>,
    /// JSON texts by tool.
    results: BTreeMap<String, String>,
}

/// The scenario, ready to be played.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) registry: Registry,
    plan: RunPlan,
}

impl Scenario {
    /// Reads a scenario. `suspend`: approvals are asked for and never given.
    ///
    /// # Errors
    /// When the file cannot be read, or is about other tools than ours.
    pub(crate) fn read(file: &Path, suspend: bool) -> Result<Self, Failure> {
        let text = fs::read_to_string(file).map_err(|e| Failure::new(format!("{}: {e}", file.display())))?;
        let scenario: File =
            serde_json::from_str(&text).map_err(|e| Failure::new(format!("{}: {e}", file.display())))?;
        let result = |name: &str| -> Result<Box<RawValue>, Failure> {
            let text = scenario.results.get(name).ok_or_else(|| Failure::new(format!("no result for {name}")))?;
            Ok(RawValue::from_string(text.clone())?)
        };
        let registry = tools::registry(result, suspend)?;
        same_tools(&registry, &scenario.tools)?;
        let plan = RunPlan {
            system: scenario.system,
            task: scenario.user,
            tools: registry.specs().map(PlannedTool::from).collect(),
            // The script ends in words, which end no real run: the bound on turns does.
            limits: Limits { turns: TURNS, tool_calls: TOOL_CALLS + 1, ..Limits::default() },
            gather_done_by: Vec::new(),
            start: Phase::Compose,
            started_at: Timestamp::UNIX_EPOCH,
        };
        Ok(Self { registry, plan })
    }

    /// The plan of a run that starts now.
    pub(crate) fn plan(&self, started_at: Timestamp) -> RunPlan {
        RunPlan { started_at, ..self.plan.clone() }
    }
}

/// The floor sends the scenario's tools as they stand there; ours come from types. A comparison needs the same.
fn same_tools(registry: &Registry, expected: &[Value]) -> Result<(), Failure> {
    let ours: BTreeMap<&str, Value> = registry.specs().map(|spec| (spec.name, ToolSpec::to_openai(spec))).collect();
    for tool in expected {
        let name = tool.pointer("/function/name").and_then(Value::as_str).unwrap_or_default();
        match ours.get(name) {
            Some(our) if our == tool => {}
            Some(our) => return Err(Failure::new(format!("the tool {name} is\n{our}\nbut the scenario says\n{tool}"))),
            None => return Err(Failure::new(format!("the scenario has a tool {name}, we have none"))),
        }
    }
    if expected.len() == ours.len() { Ok(()) } else { Err(Failure::new("we have tools that the scenario has not")) }
}

/// Passes when a run went through the whole script: six model calls, and nothing else ended it.
pub(crate) fn ended_as_scripted(outcome: &Outcome) -> Result<(), Failure> {
    match outcome {
        Outcome::Parked(HumanReason { code, .. }) if code == "turns" => Ok(()),
        other => Err(Failure::new(format!("the run did not follow the script: {other:?}"))),
    }
}
