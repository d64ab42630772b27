//! What a person must look at.

use std::collections::{BTreeMap, BTreeSet};

use kit::gist::Topic;
use kit::message::{BrandScore, Confidence, Finding, RiskAssessment, RiskReason, Severity};
use kit::{Digest, FlowId, OfferStepId};
use serde::Deserialize;
use toml::Spanned;

use super::{PolicyError, Source};

/// The schema this build reads.
const SCHEMA: &str = "mailwright.policy/1";

/// How far a flow is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// A person sees every message.
    Review,
    /// A person sees the first so many messages of each release.
    First {
        /// How many.
        sends: u32,
    },
    /// A person sees every message until the flow has earned more, under this release and with this model.
    Earned,
    /// Only what the rules single out.
    Open,
}

/// The rules about what needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskPolicy {
    /// Hours after which an undecided approval lapses at the latest, whatever hours its approvers keep.
    pub expires_hours: u32,
    vip: bool,
    new_offer: bool,
    audience_above: u32,
    confidence_at_most: Confidence,
    brand_score_below: Option<u8>,
    said: Option<SaidRule>,
    flows: BTreeMap<FlowId, Trust>,
    version: Digest,
}

/// What a customer may have written lately for a person to look.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SaidRule {
    topics: BTreeSet<Topic>,
    days: u32,
}

/// What is known about a message when its risk is assessed.
#[derive(Debug, Clone, Copy)]
pub struct RiskInput<'a> {
    /// The flow.
    pub flow: &'a FlowId,
    /// The shop marks the customer as VIP.
    pub vip: bool,
    /// It shows or names goods that a law regulates.
    pub regulated: bool,
    /// The offer step it grants.
    pub offer: Option<&'a OfferStepId>,
    /// No message of this release has carried that step yet.
    pub offer_is_new: bool,
    /// The ladder marks that step with `requires_approval`.
    pub offer_marked: bool,
    /// Recipients: 1 for a flow's message.
    pub audience_size: u32,
    /// What the customer wrote about in the last [`RiskPolicy::said_days`].
    pub said: &'a BTreeSet<Topic>,
    /// How sure the writer is.
    pub confidence: Confidence,
    /// Messages that this flow has sent under this release.
    pub sends_so_far: u32,
    /// The flow has earned to send unseen; asked only where its trust is earned.
    pub trusted: bool,
    /// What the content rules found.
    pub findings: &'a [Finding],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: Spanned<String>,
    approval: ApprovalFile,
    rules: RulesFile,
    #[serde(default)]
    flow: BTreeMap<Spanned<String>, Spanned<FlowFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalFile {
    expires_hours: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    vip: bool,
    new_offer: bool,
    audience_above: Spanned<u32>,
    confidence_at_most: Spanned<Confidence>,
    /// A message of a lower brand score is seen by a person.
    brand_score_below: Option<Spanned<u32>>,
    /// A message to somebody who wrote about one of these lately is seen by a person.
    said: Option<SaidFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidFile {
    topics: BTreeSet<Topic>,
    days: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlowFile {
    trust: TrustWord,
    first_sends: Option<Spanned<u32>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TrustWord {
    Review,
    First,
    Earned,
    Open,
}

impl RiskPolicy {
    /// The flows that have a rule of their own.
    pub fn flows(&self) -> impl Iterator<Item = &FlowId> {
        self.flows.keys()
    }

    /// Reads a policy file. `label` names it in errors.
    ///
    /// # Errors
    /// [`PolicyError`] with the line: unknown keys, numbers out of bounds, a `first_sends` that does not fit its trust.
    pub fn parse(label: &str, text: &str) -> Result<Self, PolicyError> {
        let source = Source { label, text };
        let file: File = source.read()?;
        source.schema(&file.schema, SCHEMA)?;
        if *file.rules.confidence_at_most.get_ref() == Confidence::High {
            let why =
                "confidence_at_most `high` would send every message to a person; give the flow trust = \"review\"";
            return Err(source.fault(file.rules.confidence_at_most.span(), why));
        }
        let flow = |(name, flow): (&Spanned<String>, &Spanned<FlowFile>)| {
            let id = FlowId::new(name.get_ref().clone()).map_err(|e| source.fault(name.span(), e.to_string()))?;
            Ok((id, trust(&source, flow)?))
        };
        let score = match &file.rules.brand_score_below {
            Some(found) => u8::try_from(source.within(found, "brand_score_below", 1..=100)?).ok(),
            None => None,
        };
        let said = match file.rules.said {
            Some(said) => {
                Some(SaidRule { topics: said.topics, days: source.within(&said.days, "rules.said.days", 1..=60)? })
            }
            None => None,
        };
        Ok(Self {
            said,
            expires_hours: source.within(&file.approval.expires_hours, "expires_hours", 1..=24 * 14)?,
            vip: file.rules.vip,
            new_offer: file.rules.new_offer,
            audience_above: source.within(&file.rules.audience_above, "audience_above", 1..=u32::MAX)?,
            confidence_at_most: *file.rules.confidence_at_most.get_ref(),
            brand_score_below: score,
            flows: file.flow.iter().map(flow).collect::<Result<_, PolicyError>>()?,
            version: Digest::of_bytes(text.as_bytes()),
        })
    }

    /// The content hash of the file.
    pub fn version(&self) -> Digest {
        self.version
    }

    /// How far a flow is trusted; one that is not listed is under review.
    pub fn trust(&self, flow: &FlowId) -> Trust {
        self.flows.get(flow).copied().unwrap_or(Trust::Review)
    }

    /// How many days back what a customer wrote counts; `None` when it does not.
    pub fn said_days(&self) -> Option<u32> {
        self.said.as_ref().map(|said| said.days)
    }

    /// Says why a person must look. The order is that of severity to the reader of the card: law, people, money, reach, trust,
    /// words.
    pub fn assess(&self, input: &RiskInput<'_>) -> RiskAssessment {
        let mut reasons = Vec::new();
        let mut say = |code: &str, text: String| reasons.push(RiskReason { code: code.to_owned(), text });
        if input.regulated {
            say("regulated", "it shows goods that a law regulates".to_owned());
        }
        if input.vip && self.vip {
            say("vip", "the customer is a VIP".to_owned());
        }
        if let Some(rule) = &self.said {
            let topics: Vec<&str> = rule.topics.intersection(input.said).map(|topic| topic.as_str()).collect();
            if !topics.is_empty() {
                say("said", format!("the customer wrote to the shop about {} lately", topics.join(" and ")));
            }
        }
        if let Some(step) = input.offer {
            if input.offer_marked {
                say("offer", format!("the ladder wants every offer of {step} seen"));
            } else if input.offer_is_new && self.new_offer {
                say("new_offer", format!("the offer {step} has not been sent under this release"));
            }
        }
        if input.audience_size > self.audience_above {
            say("audience", format!("it goes to {} people, more than {}", input.audience_size, self.audience_above));
        }
        match self.trust(input.flow) {
            Trust::Review => say("flow_review", format!("every message of {} is seen by a person", input.flow)),
            Trust::First { sends } if input.sends_so_far < sends => {
                let so_far = input.sends_so_far;
                say(
                    "new_flow",
                    format!("{} has sent {so_far} under this release; the first {sends} are seen", input.flow),
                );
            }
            Trust::Earned if !input.trusted => {
                say("not_trusted", format!("{} has not earned to send unseen", input.flow));
            }
            Trust::First { .. } | Trust::Earned | Trust::Open => {}
        }
        if input.confidence <= self.confidence_at_most {
            say("confidence", "the writer is not sure".to_owned());
        }
        // Many small faults together; a finding of weight sends the message to a person by itself.
        let score = BrandScore::of(input.findings).total;
        let light = input.findings.iter().all(|f| f.severity == Severity::Warn);
        if let Some(least) = self.brand_score_below.filter(|least| light && score < *least) {
            say("brand_score", format!("its brand score is {score}; unseen messages need {least}"));
        }
        for finding in input.findings.iter().filter(|f| f.severity == Severity::Approve) {
            say(&finding.rule, finding.why.clone());
        }
        RiskAssessment { reasons, policy: self.version }
    }
}

fn trust(source: &Source<'_>, flow: &Spanned<FlowFile>) -> Result<Trust, PolicyError> {
    let file = flow.get_ref();
    match (file.trust, &file.first_sends) {
        (TrustWord::Review, None) => Ok(Trust::Review),
        (TrustWord::Open, None) => Ok(Trust::Open),
        (TrustWord::Earned, None) => Ok(Trust::Earned),
        (TrustWord::First, Some(sends)) => {
            Ok(Trust::First { sends: source.within(sends, "first_sends", 1..=100_000)? })
        }
        (TrustWord::First, None) => Err(source.fault(flow.span(), "trust = \"first\" needs first_sends")),
        (TrustWord::Review | TrustWord::Earned | TrustWord::Open, Some(sends)) => {
            Err(source.fault(sends.span(), "first_sends belongs to trust = \"first\""))
        }
    }
}
