//! The tool `lookup_class`: what a model may know of the class it writes for.

use std::sync::Arc;

use kit::campaign::Angle;
use kit::message::Channel;
use kit::product::ProductView;
use kit::tool::{Effect, Phase, Tool, ToolContext, ToolError};
use kit::{FactId, FactKind, FactValue, Language, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::desk::ClassDesk;

/// Looks a class up.
pub struct LookupClass {
    desk: Arc<dyn ClassDesk>,
}

impl LookupClass {
    /// The tool over this desk.
    pub fn new(desk: Arc<dyn ClassDesk>) -> Self {
        Self { desk }
    }
}

impl std::fmt::Debug for LookupClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LookupClass")
    }
}

/// Nothing to choose: the run has one class.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookupArgs {
    /// What you want to find out, in a few words.
    #[schemars(length(min = 3, max = 120))]
    pub purpose: String,
}

/// The class.
#[derive(Debug, Clone, Serialize)]
pub struct ClassView {
    /// Write in it.
    pub language: Language,
    /// What the message is built on.
    pub angle: Angle,
    /// How it sounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tone: Option<String>,
    /// What the campaign is for.
    pub objective: String,
    /// Whom it is for, in words.
    pub audience: String,
    /// The product that leads.
    pub product: ProductView,
    /// The offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferView>,
    /// Angles that subjects may take.
    pub subject_angles: Vec<Angle>,
    /// What to write.
    pub channels: Vec<Channel>,
}

/// The offer of a class.
#[derive(Debug, Clone, Serialize)]
pub struct OfferView {
    /// Cite it by this id.
    pub fact: FactId,
    /// What a reader is told; in copy write `{{fact.label}}`.
    pub label: String,
    /// Its last day.
    pub ends: Timestamp,
}

impl Tool for LookupClass {
    type Args = LookupArgs;
    type Output = ClassView;

    const NAME: &'static str = "lookup_class";
    const DESCRIPTION: &'static str = include_str!("lookup_class.md");
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = &[Phase::Gather];

    async fn call(&self, cx: &ToolContext, _: LookupArgs) -> Result<ClassView, ToolError> {
        let facts = self.desk.facts(cx).await?;
        let product = facts.lead.mint(cx, "catalog")?;
        let offer = match &facts.offer {
            Some(offer) => {
                let mut fields = vec![
                    ("label", FactValue::text(&offer.label)),
                    ("code", FactValue::text(&offer.sample_code)),
                    ("ends", FactValue::Time { at: offer.ends }),
                ];
                fields.extend(offer.percent.map(|percent| ("percent", FactValue::count(percent))));
                let fact = cx.mint(FactKind::Offer, offer.step.as_str(), "offers", cx.now, fields)?;
                Some(OfferView { fact, label: offer.label.clone(), ends: offer.ends })
            }
            None => None,
        };
        Ok(ClassView {
            language: facts.key.language,
            angle: facts.key.angle,
            tone: facts.key.tone,
            objective: facts.objective,
            audience: facts.audience,
            product,
            offer,
            subject_angles: facts.angles,
            channels: facts.channels,
        })
    }
}
