//! What a run is pinned to: the standing instructions, its task in words, its tools and limits.

use agent::{Limits, PlannedTool, RunPlan};
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
