//! The tool `decide_no_send`: doing nothing is a good answer.

use kit::tool::{Disposition, Effect, NoSend, Phase, Tool, ToolContext, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why nothing is sent, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoSendCode {
    /// The message would only repeat what the reader knows.
    NothingToSay,
    /// They bought meanwhile, or the thing itself.
    JustBought,
    /// Nothing shows that they want this: one glance, a returned item, a category they left.
    NotInterested,
    /// They are in trouble with an order, or have heard from us enough.
    WouldAnnoy,
    /// What it is about is out of stock and nothing honest stands in for it.
    OutOfStock,
    /// The facts do not carry a message: missing, contradictory, too old.
    FactsInsufficient,
    /// A discount would be the only argument, and would teach them to wait for the next one.
    OfferWouldTrainDiscounts,
    /// None of these; say in the reason what it is.
    Other,
}

impl NoSendCode {
    /// The code in tables and case files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NothingToSay => "nothing_to_say",
            Self::JustBought => "just_bought",
            Self::NotInterested => "not_interested",
            Self::WouldAnnoy => "would_annoy",
            Self::OutOfStock => "out_of_stock",
            Self::FactsInsufficient => "facts_insufficient",
            Self::OfferWouldTrainDiscounts => "offer_would_train_discounts",
            Self::Other => "other",
        }
    }
}

/// Ends the run without a message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideNoSendArgs {
    /// What kind of reason it is.
    pub code: NoSendCode,
    /// The reason in one or two sentences, from the facts of this run, so that a marketer can agree or disagree.
    #[schemars(length(min = 1, max = 300))]
    pub reason: String,
}

/// What the model gets back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoSendDecided {
    /// Always `no_send`.
    pub outcome: &'static str,
}

/// The tool.
#[derive(Debug, Clone, Copy, Default)]
pub struct DecideNoSend;

impl Tool for DecideNoSend {
    type Args = DecideNoSendArgs;
    type Output = NoSendDecided;

    const NAME: &'static str = "decide_no_send";
    const DESCRIPTION: &'static str = include_str!("decide_no_send.md");
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = &[Phase::Gather, Phase::Compose, Phase::Clear, Phase::Deliver];

    async fn call(&self, cx: &ToolContext, args: DecideNoSendArgs) -> Result<NoSendDecided, ToolError> {
        // The code says enough to count by: a decision to send nothing is not lost over a word too few.
        let reason = match args.reason.trim() {
            "" => args.code.as_str().to_owned(),
            words => words.to_owned(),
        };
        cx.dispose(Disposition::NoSend(NoSend { code: args.code.as_str().to_owned(), reason }));
        Ok(NoSendDecided { outcome: "no_send" })
    }
}
