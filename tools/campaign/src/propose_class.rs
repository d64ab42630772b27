//! The tool `propose_class`: takes what is written for a class, runs every check, records it or says what to mend.

use std::collections::BTreeSet;
use std::sync::Arc;

use kit::campaign::{Angle, ClassCopy, SubjectOption};
use kit::message::{Block, Channel, CheckReport, Checked, Confidence, Draft, DraftRecord, NotChecked, Place, Severity};
use kit::tool::{Disposition, Effect, Phase, Tool, ToolContext, ToolError};
use kit::{FactBook, FactId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alike::near_duplicates;
use crate::desk::{ClassDesk, ClassFacts};
use crate::shape::{Faults, shape};

/// Subjects that are written.
pub const SUBJECTS: usize = 10;
/// Angles they must spread over.
const ANGLES: usize = 4;
/// Subjects that are used, and of these tried against each other.
const CHOSEN: usize = 3;
const TESTED: usize = 2;
/// Subjects that the content rules look at together.
pub(crate) const TOGETHER: usize = 5;
/// Faults told at once.
const MAX_FAULTS: usize = 16;

/// Proposes the copy of a class.
pub struct ProposeClass {
    desk: Arc<dyn ClassDesk>,
}

impl ProposeClass {
    /// The tool over this desk.
    pub fn new(desk: Arc<dyn ClassDesk>) -> Self {
        Self { desk }
    }
}

impl std::fmt::Debug for ProposeClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProposeClass")
    }
}

/// A subject with what it is built on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectArg {
    /// The line; the meaning stands within the first 40 characters.
    #[schemars(length(min = 3, max = 160))]
    pub text: String,
    /// Its angle, one of `subject_angles`.
    pub angle: Angle,
}

/// Everything that is written for a class.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeArgs {
    /// Ten subjects over at least four angles, best first, each another idea.
    #[schemars(length(min = 10, max = 10))]
    pub subjects: Vec<SubjectArg>,
    /// The line after the subject in the inbox, 30 to 110 characters; it goes with every subject.
    #[schemars(length(min = 3, max = 240))]
    pub preheader: String,
    /// The mail's body, top to bottom: one heading first, one product, exactly one cta.
    #[schemars(length(min = 3, max = 10))]
    pub blocks: Vec<Block>,
    /// The text message without brand, link and stop words; null when none is wanted.
    #[schemars(length(min = 3, max = 300))]
    pub sms: Option<String>,
    /// How sure you are.
    pub confidence: Confidence,
}

/// The copy is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposed {
    /// Always `recorded`; anything else is an error.
    pub status: &'static str,
    /// The subjects that are used.
    pub chosen: Vec<String>,
    /// How many of them are tried against each other.
    pub tested: usize,
    /// What to do now.
    pub next: &'static str,
}

impl Tool for ProposeClass {
    type Args = ProposeArgs;
    type Output = Proposed;

    const NAME: &'static str = "propose_class";
    const DESCRIPTION: &'static str = include_str!("propose_class.md");
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = &[Phase::Compose];

    async fn call(&self, cx: &ToolContext, args: ProposeArgs) -> Result<Proposed, ToolError> {
        let class = self.desk.facts(cx).await?;
        let mut faults = Faults::default();
        subjects(&class, &args.subjects, &mut faults);
        let lead = shape(&cx.facts, &class, &args.blocks, &mut faults);
        let chosen = choose(&args.subjects);
        let mail = Draft {
            channel: Channel::Email,
            language: class.key.language.clone(),
            angle: format!("{:?}", class.key.angle).to_lowercase(),
            subjects: chosen.clone(),
            preheader: args.preheader.clone(),
            blocks: args.blocks.clone(),
            confidence: args.confidence,
        };
        self.every_subject(cx, &mail, &args.subjects, &mut faults).await?;
        let sms = self.sms(cx, &class, &args, lead.as_ref(), &mut faults).await?;
        let mail = self.record(cx, mail, &mut faults).await?;
        told(faults)?;
        let subjects =
            args.subjects.into_iter().map(|s| SubjectOption { text: s.text, angle: s.angle }).collect::<Vec<_>>();
        let copy = ClassCopy { subjects, mail, sms, tested: TESTED };
        self.desk.preview(cx, &copy).await?;
        cx.dispose(Disposition::Written { copy: Box::new(copy) });
        Ok(Proposed { status: "recorded", chosen, tested: TESTED, next: "you are done: code composes for each reader" })
    }
}

impl ProposeClass {
    /// The content rules read a few subjects at a time; here every one is read, with the rest of the mail.
    async fn every_subject(
        &self,
        cx: &ToolContext,
        mail: &Draft,
        all: &[SubjectArg],
        faults: &mut Faults,
    ) -> Result<(), ToolError> {
        for (group, lines) in all.chunks(TOGETHER).enumerate() {
            let subjects = lines.iter().map(|s| s.text.clone()).collect();
            let draft = Draft { subjects, ..mail.clone() };
            let facts = cited(cx, &draft);
            let report = self.desk.check(cx, &draft, &facts).await?;
            for finding in report.findings.iter().filter(|f| f.severity == Severity::Block) {
                match finding.place {
                    Place::Subject { index } => {
                        faults.finding(&format!("subjects[{}]", group * TOGETHER + index), finding)
                    }
                    Place::Preheader | Place::Block { .. } | Place::Whole => {}
                }
            }
        }
        Ok(())
    }

    async fn record(
        &self,
        cx: &ToolContext,
        draft: Draft,
        faults: &mut Faults,
    ) -> Result<Option<DraftRecord>, ToolError> {
        let facts = cited(cx, &draft);
        let report = self.desk.check(cx, &draft, &facts).await?;
        for finding in report.findings.iter().filter(|f| f.severity == Severity::Block) {
            // Told with their own numbers already.
            if !matches!(finding.place, Place::Subject { .. }) {
                faults.finding(&finding.place.to_string(), finding);
            }
        }
        checked(cx, draft, facts, report)
    }

    async fn sms(
        &self,
        cx: &ToolContext,
        class: &ClassFacts,
        args: &ProposeArgs,
        lead: Option<&FactId>,
        faults: &mut Faults,
    ) -> Result<Option<DraftRecord>, ToolError> {
        let wanted = class.channels.contains(&Channel::Sms);
        let (text, lead) = match (wanted, &args.sms, lead) {
            (false, None, _) => return Ok(None),
            (false, Some(_), _) => {
                faults.say("sms: no text message is wanted; set it to null".to_owned());
                return Ok(None);
            }
            (true, None, _) => {
                faults.say("sms: `channels` names sms; write the text message".to_owned());
                return Ok(None);
            }
            (true, Some(_), None) => return Ok(None),
            (true, Some(text), Some(lead)) => (text, lead),
        };
        let label = args.blocks.iter().find_map(|b| match b {
            Block::Cta { label, .. } => Some(label.clone()),
            _ => None,
        });
        let draft = Draft {
            channel: Channel::Sms,
            language: class.key.language.clone(),
            angle: format!("{:?}", class.key.angle).to_lowercase(),
            subjects: Vec::new(),
            preheader: String::new(),
            blocks: vec![
                Block::Paragraph { text: text.clone() },
                Block::Cta { fact: lead.clone(), label: label.unwrap_or_default() },
            ],
            confidence: args.confidence,
        };
        let facts = cited(cx, &draft);
        let report = self.desk.check(cx, &draft, &facts).await?;
        for finding in report.findings.iter().filter(|f| f.severity == Severity::Block) {
            faults.finding("sms", finding);
        }
        checked(cx, draft, facts, report)
    }
}

/// A record when nothing forbids it; what does was told as a fault.
fn checked(
    cx: &ToolContext,
    draft: Draft,
    facts: FactBook,
    report: CheckReport,
) -> Result<Option<DraftRecord>, ToolError> {
    let record = DraftRecord { draft, facts, report, authors: BTreeSet::from([cx.principal.name()]) };
    match Checked::new(record.clone()) {
        Ok(_) => Ok(Some(record)),
        Err(NotChecked::Blocked(_)) => Ok(None),
        Err(other @ NotChecked::OtherContent) => Err(ToolError::Fatal(other.to_string())),
    }
}

fn cited(cx: &ToolContext, draft: &Draft) -> FactBook {
    let mut facts = FactBook::new();
    for fact in draft.cited().iter().filter_map(|id| cx.facts.get(id)) {
        facts.insert(fact.clone());
    }
    facts
}

/// The best subject of each angle, in the writer's order, until there are enough; then the best of the rest.
fn choose(subjects: &[SubjectArg]) -> Vec<String> {
    let mut angles = BTreeSet::new();
    let (first, rest): (Vec<&SubjectArg>, Vec<&SubjectArg>) = subjects.iter().partition(|s| angles.insert(s.angle));
    first.into_iter().chain(rest).take(CHOSEN).map(|s| s.text.clone()).collect()
}

fn subjects(class: &ClassFacts, subjects: &[SubjectArg], faults: &mut Faults) {
    let angles: BTreeSet<Angle> = subjects.iter().map(|s| s.angle).collect();
    if angles.len() < ANGLES {
        faults.say(format!("subjects: they spread over {} angle(s); at least {ANGLES} are wanted", angles.len()));
    }
    for (index, subject) in subjects.iter().enumerate() {
        if !class.angles.contains(&subject.angle) {
            let known: Vec<String> = class.angles.iter().map(|a| format!("{a:?}").to_lowercase()).collect();
            faults.say(format!("subjects[{index}].angle: it is not one of {}", known.join(", ")));
        }
    }
    for (first, second) in near_duplicates(subjects.iter().map(|s| s.text.as_str())) {
        faults.say(format!("subjects[{second}]: nearly the same as subjects[{first}]; write another idea"));
    }
}

/// Everything at once, for the writer to mend.
fn told(faults: Faults) -> Result<(), ToolError> {
    match faults.list(MAX_FAULTS) {
        faults if faults.is_empty() => Ok(()),
        faults => {
            let list = faults.join("\n- ");
            Err(ToolError::ForModel(format!(
                "nothing was recorded; mend these and call propose_class again:\n- {list}"
            )))
        }
    }
}
