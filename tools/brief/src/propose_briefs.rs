//! The tool `propose_briefs`: a goal alone gives three different briefs to choose from.

use std::sync::Arc;

use kit::ProductId;
use kit::campaign::{Angle, Brief, BriefChoice, Field, Predicate};
use kit::tool::{Disposition, Effect, Phase, Tool, ToolContext, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::apply::Patcher;
use crate::compute::computed;
use crate::desk::BriefDesk;
use crate::patch::{self, Offer, SendAt, Success};

/// How many briefs.
const BRIEFS: usize = 3;
/// Fields that make two briefs different ones, and how many of them must differ.
const TELLING: [Field; 5] = [Field::Include, Field::Offer, Field::Products, Field::Angles, Field::Success];
const APART: usize = 2;

/// The tool.
#[derive(Clone)]
pub struct ProposeBriefs {
    desk: Arc<dyn BriefDesk>,
}

impl ProposeBriefs {
    /// A tool that asks this desk.
    pub fn new(desk: Arc<dyn BriefDesk>) -> Self {
        Self { desk }
    }
}

/// Three briefs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The goal as the marketer put it.
    #[schemars(length(min = 3, max = 300))]
    pub goal: String,
    /// Exactly three, each serving the goal in another way.
    #[schemars(length(min = 3, max = 3))]
    pub briefs: Vec<Sketch>,
}

/// One brief in outline. What is left out is assumed as in update_brief.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sketch {
    /// A short name.
    #[schemars(length(min = 3, max = 60))]
    pub title: String,
    /// What sets it apart from the other two, in a sentence.
    #[schemars(length(min = 8, max = 200))]
    pub why: String,
    /// Whom it is for: all of these hold.
    #[schemars(length(min = 1, max = 8))]
    pub include: Vec<Predicate>,
    /// Who is left out.
    #[schemars(length(max = 8))]
    pub exclude: Vec<Predicate>,
    /// The offer; null to leave it open.
    pub offer: Option<Offer>,
    /// Products, best first.
    #[schemars(length(min = 1, max = 8))]
    pub products: Vec<ProductId>,
    /// The figure that says it worked.
    pub success: Success,
    /// What the messages are built on.
    #[schemars(length(min = 1, max = 8))]
    pub angles: Vec<Angle>,
    /// When it leaves; null to leave it open.
    pub send: Option<SendAt>,
}

/// The briefs are with the marketer; the turn is over.
#[derive(Debug, Serialize)]
pub struct Proposed {
    /// The briefs in order.
    pub briefs: Vec<Outline>,
}

/// A proposed brief in short.
#[derive(Debug, Serialize)]
pub struct Outline {
    /// Its name.
    pub title: String,
    /// Who would get a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<u32>,
}

impl Tool for ProposeBriefs {
    type Args = Args;
    type Output = Proposed;

    const NAME: &'static str = "propose_briefs";
    const DESCRIPTION: &'static str = include_str!("propose_briefs.md");
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = &[Phase::Brief];

    async fn call(&self, cx: &ToolContext, args: Args) -> Result<Proposed, ToolError> {
        let talk = cx.conversation()?;
        if !talk.brief.audience.is_empty() || !talk.brief.products.is_empty() {
            return Err(ToolError::ForModel(
                "the brief has an audience or products already: change it with update_brief".to_owned(),
            ));
        }
        if args.briefs.len() != BRIEFS {
            return Err(ToolError::ForModel(format!("propose exactly {BRIEFS} briefs")));
        }
        let (facts, goods) = (self.desk.facts(&cx.shop), self.desk.goods(&cx.shop).await?);
        let (mut choices, mut outlines): (Vec<BriefChoice>, Vec<Outline>) = (Vec::new(), Vec::new());
        for (n, sketch) in (1..).zip(args.briefs) {
            let (why, title) = (sketch.why.split_whitespace().collect::<Vec<_>>().join(" "), sketch.title.clone());
            let patched = Patcher::new(goods.as_ref(), cx, talk, &facts)
                .patched(sketch.patch(&args.goal))
                .map_err(|error| in_brief(n, error))?;
            let (brief, figures) = computed(self.desk.as_ref(), &cx.shop, cx.run.as_str(), patched, cx.now).await?;
            outlines.push(Outline { title, recipients: figures.audience.map(|audience| audience.recipients) });
            choices.push(BriefChoice { why, brief: Box::new(brief) });
        }
        if let Some((a, b)) = alike(&choices) {
            return Err(ToolError::ForModel(format!(
                "briefs {a} and {b} are too much alike: at least {APART} of audience, offer, products, angles and success metric must differ"
            )));
        }
        cx.dispose(Disposition::Offered { choices });
        Ok(Proposed { briefs: outlines })
    }
}

impl Sketch {
    fn patch(self, goal: &str) -> patch::Args {
        patch::Args {
            title: Some(self.title),
            objective: Some(goal.to_owned()),
            include: Some(self.include),
            exclude: Some(self.exclude),
            offer: self.offer,
            products: Some(self.products),
            success: Some(self.success),
            angles: Some(self.angles),
            send: self.send,
            ..patch::Args::default()
        }
    }
}

fn in_brief(n: u32, error: ToolError) -> ToolError {
    match error {
        ToolError::ForModel(words) => ToolError::ForModel(format!("brief {n}: {words}")),
        ToolError::Retry(_) | ToolError::Fatal(_) => error,
    }
}

/// Two briefs that are hardly different, by number.
fn alike(choices: &[BriefChoice]) -> Option<(usize, usize)> {
    let apart = |a: &Brief, b: &Brief| TELLING.iter().filter(|field| a.get(**field) != b.get(**field)).count();
    let pairs = (0..choices.len()).flat_map(|a| (a + 1..choices.len()).map(move |b| (a, b)));
    pairs
        .filter_map(|(a, b)| choices.get(a).zip(choices.get(b)).map(|(x, y)| (a + 1, b + 1, apart(&x.brief, &y.brief))))
        .find(|(_, _, differing)| *differing < APART)
        .map(|(a, b, _)| (a, b))
}
