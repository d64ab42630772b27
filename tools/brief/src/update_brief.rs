//! The tool `update_brief`: the model proposes a patch, code keeps the brief.

use std::sync::Arc;

use kit::campaign::{Brief, Change};
use kit::tool::{Disposition, Effect, Phase, Tool, ToolContext, ToolError};
use serde::Serialize;

use crate::apply::Patcher;
use crate::compute::computed;
use crate::desk::BriefDesk;

pub use crate::patch::{Args, Assume, Failure, NewRule, Offer, Otherwise, SendAt, Success, TakeBack, Vip};

/// The tool.
#[derive(Clone)]
pub struct UpdateBrief {
    desk: Arc<dyn BriefDesk>,
}

impl UpdateBrief {
    /// A tool that asks this desk.
    pub fn new(desk: Arc<dyn BriefDesk>) -> Self {
        Self { desk }
    }
}

/// What became of the brief. No money and no people: those are the marketer's to see.
#[derive(Debug, Serialize)]
pub struct Updated {
    /// The brief's version now.
    pub version: u32,
    /// What changed, field by field.
    pub changed: Vec<String>,
    /// Who would get a message now; nothing while nobody is included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<u32>,
    /// What is missing before messages can be written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What to look at, without which messages can be written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// True when nothing is missing.
    pub ready: bool,
}

impl Tool for UpdateBrief {
    type Args = Args;
    type Output = Updated;

    const NAME: &'static str = "update_brief";
    const DESCRIPTION: &'static str = include_str!("update_brief.md");
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = &[Phase::Brief];

    async fn call(&self, cx: &ToolContext, args: Args) -> Result<Updated, ToolError> {
        let talk = cx.conversation()?;
        let facts = self.desk.facts(&cx.shop);
        let goods = self.desk.goods(&cx.shop).await?;
        let patched = Patcher::new(goods.as_ref(), cx, talk, &facts).patched(args)?;
        if decided(&patched, &talk.brief).next().is_none() {
            return Err(ToolError::ForModel("the brief says that already; nothing was changed".to_owned()));
        }
        let (brief, figures) = computed(self.desk.as_ref(), &cx.shop, cx.run.as_str(), patched, cx.now).await?;
        let changed = decided(&brief, &talk.brief).filter_map(|change| change.for_model()).collect();
        let told =
            |blocks: bool| brief.gaps.iter().filter(move |g| g.blocks == blocks).map(|g| g.text.clone()).collect();
        let updated = Updated {
            version: brief.version,
            changed,
            recipients: figures.audience.map(|audience| audience.recipients),
            missing: told(true),
            notes: told(false),
            ready: brief.is_ready(),
        };
        cx.dispose(Disposition::Briefed { brief: Box::new(brief) });
        Ok(updated)
    }
}

/// Changes of what was decided, without what code computed.
fn decided(new: &Brief, old: &Brief) -> impl Iterator<Item = Change> {
    new.diff(old).into_iter().filter(|change| !change.field().is_computed())
}
