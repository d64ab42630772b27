//! The scenario's five tools: real types with strict schemas and canned results.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use kit::message::{Channel, CheckReport, Confidence, Draft, DraftRecord};
use kit::tool::{Disposition, Effect, Phase, Registry, Tool, ToolContext, ToolError};
use kit::{ApprovalId, Digest, FactBook, Language, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Failure;

/// All tools are on offer all the time, as in the floor.
const ALWAYS: &[Phase] = &[Phase::Compose, Phase::Clear];

type Canned = Box<RawValue>;

/// The registry; `result` gives a tool's canned result.
pub(crate) fn registry(result: impl Fn(&str) -> Result<Canned, Failure>, suspend: bool) -> Result<Registry, Failure> {
    Ok(Registry::new()
        .with(Profile(result(Profile::NAME)?))?
        .with(Search(result(Search::NAME)?))?
        .with(Lookup(result(Lookup::NAME)?))?
        .with(Rules { canned: result(Rules::NAME)?, suspend })?
        .with(Approval { canned: result(Approval::NAME)?, suspend })?)
}

struct Profile(Canned);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "arguments are decoded, the results are canned")]
struct ProfileArgs {
    /// Platform customer id
    customer_id: String,
}

impl Tool for Profile {
    type Args = ProfileArgs;
    type Output = Canned;
    const NAME: &'static str = "get_customer_profile";
    const DESCRIPTION: &'static str = "Profile, consent and recent activity of one customer.";
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = ALWAYS;

    async fn call(&self, _: &ToolContext, _: ProfileArgs) -> Result<Canned, ToolError> {
        Ok(self.0.clone())
    }
}

struct Search(Canned);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "arguments are decoded, the results are canned")]
struct SearchArgs {
    /// Words to search for
    query: String,
    /// How many hits, 1 to 20
    limit: i64,
}

impl Tool for Search {
    type Args = SearchArgs;
    type Output = Canned;
    const NAME: &'static str = "search_catalog";
    const DESCRIPTION: &'static str = "Full-text search over the product catalog.";
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = ALWAYS;

    async fn call(&self, _: &ToolContext, _: SearchArgs) -> Result<Canned, ToolError> {
        Ok(self.0.clone())
    }
}

struct Lookup(Canned);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "arguments are decoded, the results are canned")]
struct LookupArgs {
    /// Stock keeping unit
    sku: String,
}

impl Tool for Lookup {
    type Args = LookupArgs;
    type Output = Canned;
    const NAME: &'static str = "lookup_product";
    const DESCRIPTION: &'static str = "Price, stock and attributes of one SKU.";
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = ALWAYS;

    async fn call(&self, _: &ToolContext, _: LookupArgs) -> Result<Canned, ToolError> {
        Ok(self.0.clone())
    }
}

struct Rules {
    canned: Canned,
    suspend: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RulesArgs {
    /// Subject line
    subject: String,
    /// Plain-text body
    body: String,
}

impl Tool for Rules {
    type Args = RulesArgs;
    type Output = Canned;
    const NAME: &'static str = "check_brand_rules";
    const DESCRIPTION: &'static str = "Checks a draft against brand and compliance rules.";
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = ALWAYS;

    async fn call(&self, cx: &ToolContext, args: RulesArgs) -> Result<Canned, ToolError> {
        if self.suspend {
            // A run can only wait for a person with a draft in hand.
            let needs_approval = vec!["the segment is high risk".to_owned()];
            cx.dispose(Disposition::Drafted { draft: Box::new(draft(args, cx.now)?), needs_approval });
        }
        Ok(self.canned.clone())
    }
}

fn draft(args: RulesArgs, now: Timestamp) -> Result<DraftRecord, ToolError> {
    let draft = Draft {
        channel: Channel::Email,
        language: Language::EN,
        angle: "back_in_stock".to_owned(),
        subjects: vec![args.subject],
        preheader: args.body,
        blocks: Vec::new(),
        confidence: Confidence::High,
    };
    let facts = FactBook::new();
    let content = draft.content_hash(&facts).map_err(|e| ToolError::Fatal(e.to_string()))?;
    let rules_version = Digest::of_bytes(b"rules");
    let report = CheckReport { content, rules_version, findings: Vec::new(), checked_at: now };
    Ok(DraftRecord { draft, facts, report, authors: BTreeSet::from(["agent".to_owned()]) })
}

struct Approval {
    canned: Canned,
    suspend: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "arguments are decoded, the results are canned")]
struct ApprovalArgs {
    /// Segment id
    segment: String,
    /// Risk class
    risk: Risk,
    /// What is being sent to whom
    summary: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Risk {
    Low,
    Medium,
    High,
}

impl Tool for Approval {
    type Args = ApprovalArgs;
    type Output = Canned;
    const NAME: &'static str = "request_approval";
    const DESCRIPTION: &'static str = "Asks a person to approve a send to a risky segment.";
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = ALWAYS;

    async fn call(&self, cx: &ToolContext, _: ApprovalArgs) -> Result<Canned, ToolError> {
        if self.suspend {
            let approval = ApprovalId::from_digest("apr", &Digest::of_bytes(cx.run.as_str().as_bytes()));
            let expires_at = cx.now.checked_add(SignedDuration::from_hours(24)).unwrap_or(cx.now);
            cx.dispose(Disposition::AwaitApproval { approval, expires_at });
        }
        Ok(self.canned.clone())
    }
}
