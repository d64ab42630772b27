//! What a run is pinned to: the standing instructions, its task in words, its tools and limits.

use agent::{Limits, PlannedTool, RunPlan};
use kit::campaign::BRIEF_FLOW;
use kit::tool::{Phase, Registry};
use kit::{Digest, Timestamp};

use super::Seed;
use crate::release::Release;

/// The plan of a run of this release.
///
/// # Errors
/// In words, when the release does not have the run's flow.
pub(crate) fn plan(
    release: &Release,
    registry: &Registry,
    seed: &Seed,
    started_at: Timestamp,
) -> Result<RunPlan, String> {
    if seed.subject.flow.as_str() == BRIEF_FLOW {
        return briefing(release, registry, started_at);
    }
    let subject = &seed.subject;
    let flow = release.flows.get(&subject.flow).ok_or_else(|| format!("the release has no flow {}", subject.flow))?;
    let products: Vec<&str> = subject.products.iter().map(kit::ProductId::as_str).collect();
    let products = if products.is_empty() { "none".to_owned() } else { products.join(", ") };
    let task = format!(
        "Flow: {}\nLanguage: {}\nOccasion: {}\nProducts of this run: {products}\nGoal: {}\n\n# {}\n\n{}",
        subject.flow,
        subject.language,
        // Cart and order ids are the platform's text: only their digest gets into a prompt.
        Digest::of_parts([subject.occasion.as_str()]).short(),
        flow.rules.goal,
        flow.rules.title,
        flow.prompt,
    );
    Ok(RunPlan {
        system: release.system.clone(),
        task,
        tools: registry.specs().map(PlannedTool::from).collect(),
        limits: Limits::default(),
        gather_done_by: vec!["lookup_profile".to_owned()],
        start: Phase::Gather,
        started_at,
    })
}

/// What one turn of a conversation may use up: a marketer waits for the answer.
const TURN: Limits = Limits {
    turns: 10,
    tool_calls: 24,
    tokens: 200_000,
    cost_micros: 200_000,
    seconds: 120,
    identical_calls: 3,
    reasks: 3,
};

/// The plan of a conversation about a brief: the instructions, and what is fixed in this shop.
fn briefing(release: &Release, registry: &Registry, started_at: Timestamp) -> Result<RunPlan, String> {
    let system = release.briefing.clone().ok_or(
        "the release in force has no prompts/chat/system.md: export the shipped files and make a release of them",
    )?;
    let facts = crate::toolbox::briefs::facts(release);
    let step = |rung: &brief::Rung| {
        let percent = rung.percent.map(|percent| format!(" ({percent} %)")).unwrap_or_default();
        let seen = if rung.needs_approval { ", a person looks at every message" } else { "" };
        format!("- {}{percent}: {}{seen}", rung.step, rung.label)
    };
    let ladder: Vec<String> = facts.ladder.iter().map(step).collect();
    let ladder = if ladder.is_empty() { "- none: campaigns make no offers".to_owned() } else { ladder.join("\n") };
    let languages: Vec<&str> = facts.languages.iter().map(kit::Language::as_str).collect();
    let vips = if facts.vips_get_offers { "VIPs may be given offers." } else { "VIPs are never given an offer." };
    let task = format!(
        "# The shop\n\nName: {}\nLanguages: {}\nDays are meant in: {}\nSteps of the ladder:\n{ladder}\n{vips}",
        release.shop.identity.name,
        languages.join(", "),
        release.shop.time_zone,
    );
    Ok(RunPlan {
        system,
        task,
        tools: registry.specs().map(PlannedTool::from).collect(),
        limits: TURN,
        gather_done_by: Vec::new(),
        start: Phase::Brief,
        started_at,
    })
}
