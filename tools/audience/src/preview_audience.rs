//! The tool `preview_audience`: an audience in numbers.

use std::sync::Arc;

use kit::campaign::{AudienceSpec, Exclusion, ExclusionReason, Predicate};
use kit::tool::{Effect, Phase, Tool, ToolContext, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::count::count;
use crate::judge::Question;
use crate::member::Crowd;

/// Below this many recipients a count says more about people than about an audience.
const FEW: u32 = 10;

/// Which audience to count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// All of these hold; null for what the brief includes.
    #[schemars(length(max = 8))]
    pub include: Option<Vec<Predicate>>,
    /// None of these holds; null for what the brief excludes.
    #[schemars(length(max = 8))]
    pub exclude: Option<Vec<Predicate>>,
}

/// The audience in numbers.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// Customers of the shop.
    pub customers: u32,
    /// Who fits what is included.
    pub matched: u32,
    /// Who would get a message now.
    pub recipients: u32,
    /// Who fits and gets none, by the first reason that holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Exclusion>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The tool.
#[derive(Clone)]
pub struct PreviewAudience {
    crowd: Arc<dyn Crowd>,
}

impl PreviewAudience {
    /// A tool that counts this crowd.
    pub fn new(crowd: Arc<dyn Crowd>) -> Self {
        Self { crowd }
    }
}

impl Tool for PreviewAudience {
    type Args = Args;
    type Output = Preview;

    const NAME: &'static str = "preview_audience";
    const DESCRIPTION: &'static str = include_str!("preview_audience.md");
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = &[Phase::Brief];

    async fn call(&self, cx: &ToolContext, args: Args) -> Result<Preview, ToolError> {
        let brief = &cx.conversation()?.brief;
        let tried = args.include.is_some() || args.exclude.is_some();
        let audience = AudienceSpec {
            include: args.include.unwrap_or_else(|| brief.audience.include.clone()),
            exclude: args.exclude.unwrap_or_else(|| brief.audience.exclude.clone()),
        };
        if audience.is_empty() {
            return Err(ToolError::ForModel(
                "the brief includes nobody yet: give `include`, or set the audience with update_brief first".to_owned(),
            ));
        }
        let policy = self.crowd.policy(&cx.shop);
        let question =
            Question { audience: &audience, ..Question::of(&cx.shop, cx.run.as_str(), brief, policy, cx.now) };
        let counted = count(self.crowd.as_ref(), &question, |_, _| {}).await?.count(cx.now);
        let note = note(counted.matched, counted.recipients, &counted.excluded, tried);
        Ok(Preview {
            customers: counted.customers,
            matched: counted.matched,
            recipients: counted.recipients,
            excluded: counted.excluded,
            note,
        })
    }
}

fn note(matched: u32, recipients: u32, excluded: &[Exclusion], tried: bool) -> Option<String> {
    if matched == 0 {
        return Some("nobody fits: check category paths with search_catalog, or widen the audience".to_owned());
    }
    let widest = excluded.iter().max_by_key(|e| e.people);
    if let (true, Some(widest)) = (recipients == 0, widest) {
        return Some(format!("nobody is left: most fall out because {}", because(widest.reason)));
    }
    if recipients < FEW {
        return Some("very few people: a campaign learns nothing from so few; widen the audience".to_owned());
    }
    tried.then(|| "counted for trial: the brief itself has not changed".to_owned())
}

/// Why people fall out, in words.
fn because(reason: ExclusionReason) -> &'static str {
    match reason {
        ExclusionReason::Brief => "the brief excludes them",
        ExclusionReason::Vip => "they are VIPs",
        ExclusionReason::NoConsent => "they agreed to none of the channels",
        ExclusionReason::Suppressed => "their addresses are suppressed",
        ExclusionReason::OpenTicket => "support tickets are open",
        ExclusionReason::BoughtRecently => "they bought a few days ago",
        ExclusionReason::Cap => "they have had their messages for now",
        ExclusionReason::Language => "the brief is not written in their language",
        ExclusionReason::Holdout => "they are held out to measure the effect",
    }
}
