//! The tool `quote_offer`: the model names a step, the ladder answers.

use std::sync::Arc;

use jiff::Timestamp;
use kit::fact::FactValue;
use kit::tool::{Effect, Phase, Tool, ToolContext, ToolError};
use kit::{BoxFuture, Fact, FactId, FactKind, OfferStepId, ShopId, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::code::DRAWS;
use crate::grant::{Denied, Offer};
use crate::ladder::{Concession, Ladder};
use crate::request::OfferRequest;

/// What `quote_offer` needs from outside.
pub trait OfferDesk: Send + Sync {
    /// The shop's ladder as it is now; `None` when the shop makes no offers.
    fn ladder(&self, shop: &ShopId) -> Option<Arc<Ladder>>;
    /// Everything policy must know about the run's customer and basket.
    fn request<'a>(
        &'a self,
        cx: &'a ToolContext,
        step: Option<OfferStepId>,
    ) -> BoxFuture<'a, Result<OfferRequest, StoreError>>;
    /// Holds the offer against the shop's budgets and the customer's limit, once a run, in one step that no other run can come
    /// between.
    fn hold<'a>(
        &'a self,
        cx: &'a ToolContext,
        offer: &'a Offer,
        code: &'a str,
    ) -> BoxFuture<'a, Result<Held, StoreError>>;
    /// Notes a wish beyond the ladder for a person to decide.
    fn beyond<'a>(
        &'a self,
        cx: &'a ToolContext,
        step: &'a OfferStepId,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// What came of holding an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// It is held.
    Held,
    /// The run holds another one already, which stands.
    Stands {
        /// Its step.
        step: OfferStepId,
        /// Its code.
        code: String,
    },
    /// This budget has not enough left.
    Over {
        /// Which one.
        budget: String,
    },
    /// Other runs of this customer, sent or under way, have taken all that the ladder allows.
    TooMany {
        /// How many.
        granted: u32,
    },
    /// The code is somebody else's.
    CodeTaken,
}

/// The tool.
#[derive(Clone)]
pub struct QuoteOffer {
    desk: Arc<dyn OfferDesk>,
}

impl QuoteOffer {
    /// A tool that asks this desk.
    pub fn new(desk: Arc<dyn OfferDesk>) -> Self {
        Self { desk }
    }
}

/// What the model asks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The id of a step of the shop's ladder, such as "ten-percent"; null for the smallest that policy allows.
    pub step: Option<OfferStepId>,
    /// One sentence: why this reader needs an offer. Kept for review, not shown to the reader.
    #[schemars(length(min = 8, max = 240))]
    pub reason: String,
}

/// What policy answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// One step, as a fact.
    Granted {
        /// Cite it by this id.
        fact: FactId,
        /// The step.
        step: OfferStepId,
        /// What a reader is told.
        label: String,
        /// The voucher code.
        code: String,
        /// The last moment it is good.
        ends: Timestamp,
        /// A person will look before it leaves.
        needs_approval: bool,
        /// How to write it.
        cite: String,
        /// Set when this run held the grant before.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'static str>,
    },
    /// No such offer.
    None {
        /// Why, as far as a model may know.
        reason: &'static str,
        /// Steps that would be granted instead.
        permitted: Vec<OfferStepId>,
        /// What to do now.
        next: &'static str,
    },
}

const NO_LADDER: &str = "This shop makes no offers.";
const WRITE_WITHOUT: &str =
    "No discount is a good answer: write the message without an offer and without hinting at one.";
const ASK_AGAIN: &str = "Write the message without an offer, or ask again for a permitted step.";
const IT_STANDS: &str = "This run has its offer: one grant per run, and this one stands.";
const IT_ENDED: &str = "This run had its offer and it has ended; there is one grant per run.";
const A_PERSON_DECIDES: &str =
    "A wish beyond the ladder is a policy request that a person decides; this message goes without it.";

impl Tool for QuoteOffer {
    type Args = Args;
    type Output = Answer;

    const NAME: &'static str = "quote_offer";
    const DESCRIPTION: &'static str = include_str!("quote_offer.md");
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = &[Phase::Compose];

    async fn call(&self, cx: &ToolContext, args: Args) -> Result<Answer, ToolError> {
        let ladder = self.desk.ladder(&cx.shop);
        if let Some(held) = cx.facts.iter().find(|fact| fact.kind == FactKind::Offer) {
            return standing(cx, held, ladder.as_deref());
        }
        let Some(ladder) = ladder else {
            return Ok(Answer::None { reason: NO_LADDER, permitted: Vec::new(), next: WRITE_WITHOUT });
        };
        let mut request = self.desk.request(cx, args.step).await?;
        // The run's own hold, which a crash may have left behind without its fact.
        let (mut own, mut draw) = (None, 0);
        while draw < DRAWS {
            let offer = match ladder.grant(&request) {
                Ok(offer) => offer,
                Err(denied) => return self.denied(cx, &ladder, &request, &denied, &args.reason).await,
            };
            let subject = &cx.subject;
            let drawn = || offer.code_for(&cx.shop, &subject.customer, &subject.occasion, draw);
            let code = own.clone().unwrap_or_else(drawn);
            let denied = match self.desk.hold(cx, &offer, &code).await? {
                Held::Held => return granted(cx, &offer, &code),
                Held::Stands { step, code } => {
                    request.step = Some(step);
                    own = Some(code);
                    draw += 1;
                    continue;
                }
                Held::CodeTaken => {
                    draw += 1;
                    continue;
                }
                Held::Over { budget } => Denied::Budget { budget },
                Held::TooMany { granted } => {
                    let limits = ladder.limits();
                    Denied::TooMany { granted, max: limits.per_customer, days: limits.window_days }
                }
            };
            return Ok(none(&denied, Vec::new()));
        }
        Ok(none(&Denied::NoCode, Vec::new()))
    }
}

impl QuoteOffer {
    async fn denied(
        &self,
        cx: &ToolContext,
        ladder: &Ladder,
        request: &OfferRequest,
        denied: &Denied,
        reason: &str,
    ) -> Result<Answer, ToolError> {
        if let Denied::OffLadder(step) = denied {
            self.desk.beyond(cx, step, reason).await?;
        }
        Ok(none(denied, ladder.permitted(request)))
    }
}

/// The grant that this run holds already. Asking again is no way to another step, and revisions keep what was granted.
fn standing(cx: &ToolContext, held: &Fact, ladder: Option<&Ladder>) -> Result<Answer, ToolError> {
    let broken = |field: &str| ToolError::Fatal(format!("the offer fact {} of this run has no {field}", held.id));
    let step = OfferStepId::new(&held.subject).map_err(|e| ToolError::Fatal(format!("offer fact {}: {e}", held.id)))?;
    let text = |field: &str| held.text(field).map(str::to_owned).ok_or_else(|| broken(field));
    let Some(FactValue::Time { at: ends }) = held.field("ends") else { return Err(broken("ends")) };
    if *ends <= cx.now {
        return Ok(Answer::None { reason: IT_ENDED, permitted: Vec::new(), next: WRITE_WITHOUT });
    }
    Ok(Answer::Granted {
        fact: held.id.clone(),
        label: text("label")?,
        code: text("code")?,
        ends: *ends,
        // A step that left the ladder meanwhile is for a person to judge.
        needs_approval: ladder.and_then(|l| l.step(&step)).is_none_or(|s| s.requires_approval),
        step,
        cite: citation(&held.id),
        note: Some(IT_STANDS),
    })
}

/// How the fields of an offer are written in copy.
fn citation(fact: &FactId) -> String {
    format!("{{{{{fact}.label}}}}, {{{{{fact}.code}}}}, {{{{{fact}.ends}}}}")
}

fn none(denied: &Denied, permitted: Vec<OfferStepId>) -> Answer {
    let next = if matches!(denied, Denied::OffLadder(_)) {
        A_PERSON_DECIDES
    } else if permitted.is_empty() {
        WRITE_WITHOUT
    } else {
        ASK_AGAIN
    };
    Answer::None { reason: denied.for_model(), permitted, next }
}

fn granted(cx: &ToolContext, offer: &Offer, code: &str) -> Result<Answer, ToolError> {
    let label = offer.label(&cx.subject.language).to_owned();
    let mut fields = vec![
        ("label", FactValue::text(&label)),
        ("code", FactValue::text(code)),
        ("ends", FactValue::Time { at: offer.ends() }),
    ];
    match offer.concession() {
        Concession::Percent(percent) => fields.push(("percent", FactValue::count(i64::from(percent)))),
        Concession::FreeShipping => {}
    }
    // The button of an offer leads back to the cart, where the code is entered.
    fields.extend(cx.subject.cart_url.as_ref().map(|url| ("url", FactValue::url(url))));
    let fact = cx.mint(FactKind::Offer, offer.step().as_str(), "offers", cx.now, fields)?;
    Ok(Answer::Granted {
        cite: citation(&fact),
        fact,
        step: offer.step().clone(),
        label,
        code: code.to_owned(),
        ends: offer.ends(),
        needs_approval: offer.requires_approval(),
        note: None,
    })
}
