//! The tool `ask_marketer`: once in a brief, at most three questions, only where the answer changes something that matters.

use kit::campaign::{Brief, Changes, GapKind, MAX_QUESTIONS, OfferChoice, Question};
use kit::tool::{Disposition, Effect, Phase, Tool, ToolContext, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The tool.
#[derive(Debug, Clone, Copy, Default)]
pub struct AskMarketer;

/// The questions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// One to three questions.
    #[schemars(length(min = 1, max = 3))]
    pub questions: Vec<Asked>,
}

/// A question.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The question, in the marketer's language, in one sentence.
    #[schemars(length(min = 8, max = 200))]
    pub text: String,
    /// What the answer changes.
    pub changes: Changes,
    /// Answers to choose from.
    #[schemars(length(min = 2, max = 4))]
    pub options: Vec<String>,
}

/// The questions are with the marketer; the turn is over.
#[derive(Debug, Serialize)]
pub struct Sent {
    /// How many.
    pub asked: usize,
}

impl Tool for AskMarketer {
    type Args = Args;
    type Output = Sent;

    const NAME: &'static str = "ask_marketer";
    const DESCRIPTION: &'static str = include_str!("ask_marketer.md");
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = &[Phase::Brief];

    async fn call(&self, cx: &ToolContext, args: Args) -> Result<Sent, ToolError> {
        let talk = cx.conversation()?;
        if !talk.asked.is_empty() {
            return Err(ToolError::ForModel(
                "questions were asked in this brief already, and there is one chance: assume what can be flipped, and say in words what is missing".to_owned(),
            ));
        }
        if args.questions.is_empty() || args.questions.len() > MAX_QUESTIONS {
            return Err(ToolError::ForModel(format!("ask one to {MAX_QUESTIONS} questions")));
        }
        let questions: Vec<Question> = args
            .questions
            .into_iter()
            .map(|q| Question {
                text: one_line(&q.text),
                changes: q.changes,
                options: q.options.iter().map(|o| one_line(o)).collect(),
            })
            .collect();
        if let Some(problem) = in_the_way(&talk.brief, &questions) {
            return Err(ToolError::ForModel(problem));
        }
        let asked = questions.len();
        cx.dispose(Disposition::Asked { questions });
        Ok(Sent { asked })
    }
}

/// Why these questions are not to be asked.
fn in_the_way(brief: &Brief, questions: &[Question]) -> Option<String> {
    let open = |kind: GapKind| brief.gaps.iter().any(|gap| gap.kind == kind);
    let decided = |question: &Question| match question.changes {
        Changes::Date if brief.schedule.is_some() && !open(GapKind::Schedule) => Some("the brief has a date"),
        Changes::Offer
            if brief.offer.choice != OfferChoice::Undecided && !open(GapKind::Offer) && !question.is_about_vips() =>
        {
            Some("the offer is decided")
        }
        Changes::Date | Changes::Offer | Changes::Audience | Changes::LegalClass => None,
    };
    for (n, question) in (1..).zip(questions) {
        if let Some(why) = decided(question) {
            return Some(format!("question {n} is not needed: {why}. Drop it and ask again"));
        }
        if question.is_about_vips() && !matches!(question.changes, Changes::Audience | Changes::Offer) {
            return Some(format!("question {n}: what VIPs get changes audience or offer"));
        }
    }
    let vip = open(GapKind::Vip) && !questions.iter().any(Question::is_about_vips);
    vip.then(|| {
        "a constraint speaks of VIPs and nobody said what they get: ask that too, there is one chance".to_owned()
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
