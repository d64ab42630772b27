//! The tool `propose_message`: takes typed blocks, runs every check, records the draft or returns what to mend.

use std::collections::BTreeSet;
use std::sync::Arc;

use kit::Digest;
use kit::message::{
    Block, Channel, CheckReport, Checked, Confidence, Draft, DraftRecord, Finding, NotChecked, Severity,
};
use kit::tool::{Disposition, Effect, Phase, Tool, ToolContext, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::ContentGate;
use crate::structure;

/// Proposes a message.
pub struct ProposeMessage {
    gate: Arc<dyn ContentGate>,
}

impl ProposeMessage {
    /// The tool over these checks.
    pub fn new(gate: Arc<dyn ContentGate>) -> Self {
        Self { gate }
    }
}

impl std::fmt::Debug for ProposeMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProposeMessage")
    }
}

/// A whole message, written in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeArgs {
    /// The angle the message is built on: one name from `angles` of lookup_profile, such as `reassurance`.
    #[schemars(length(min = 3, max = 48))]
    pub angle: String,
    /// Subject options, best first, each from another angle; the meaning stands within the first 40 characters.
    #[schemars(length(min = 3, max = 5), inner(length(min = 3, max = 160)))]
    pub subjects: Vec<String>,
    /// The line after the subject in the inbox: it adds to the subject, 30 to 110 characters.
    #[schemars(length(min = 3, max = 240))]
    pub preheader: String,
    /// The body, top to bottom: one heading first, exactly one cta.
    #[schemars(length(min = 2, max = 12))]
    pub blocks: Vec<Block>,
    /// How sure you are that this message is right for this reader now.
    pub confidence: Confidence,
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposedStatus {
    /// Recorded; policy sees no reason for a person to look.
    Ok,
    /// Recorded; a person must look.
    NeedsApproval,
    /// Not recorded: some finding forbids it.
    Blocked,
}

/// The answer to a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposed {
    /// What became of it.
    pub status: ProposedStatus,
    /// The draft's short content hash, by which `queue_send` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
    /// What the rules found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingView>,
    /// Why a person must look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What to do now.
    pub next: String,
}

/// A finding as the model reads it: all hits of one rule in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingView {
    /// The rule's id; `check_brand_rules` explains it.
    pub rule: String,
    /// What it does to the draft.
    pub severity: Severity,
    /// Where, such as `subjects[0]` or `blocks[2].text`.
    pub place: String,
    /// The words found, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excerpts: Vec<String>,
    /// Why it matters.
    pub why: String,
    /// How to mend it.
    pub mend: String,
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.clone(),
            severity: finding.severity,
            place: finding.place.to_string(),
            excerpts: Some(finding.excerpt.clone()).filter(|words| !words.is_empty()).into_iter().collect(),
            why: finding.why.clone(),
            mend: finding.mend.clone(),
        }
    }
}

impl Tool for ProposeMessage {
    type Args = ProposeArgs;
    type Output = Proposed;

    const NAME: &'static str = "propose_message";
    const DESCRIPTION: &'static str = include_str!("propose_message.md");
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = &[Phase::Compose, Phase::Clear, Phase::Deliver];

    async fn call(&self, cx: &ToolContext, args: ProposeArgs) -> Result<Proposed, ToolError> {
        let draft = Draft {
            channel: Channel::Email,
            language: cx.subject.language.clone(),
            angle: args.angle,
            subjects: args.subjects,
            preheader: args.preheader,
            blocks: args.blocks,
            confidence: args.confidence,
        };
        let faults = structure::check(cx, &draft);
        let facts = draft.evidence(&cx.facts);
        // The content rules read a draft with faults of form as well, so that one answer lists everything to mend.
        let report = self.gate.check(cx, &draft, &facts).await?;
        if !faults.is_empty() {
            return Err(ToolError::ForModel(structure::told(faults, &views(&report))));
        }
        let content = report.content;
        let record = DraftRecord { draft, facts, report, authors: BTreeSet::from([cx.principal.name()]) };
        match Checked::new(record.clone()) {
            Ok(_) => {}
            Err(NotChecked::Blocked(_)) => return Ok(blocked(&record.report)),
            Err(other @ NotChecked::OtherContent) => return Err(ToolError::Fatal(other.to_string())),
        }
        self.gate.preview(cx, &record).await?;
        let risk = self.gate.assess(cx, &record.draft, &record.report).await?;

        let mut reasons: Vec<String> = risk.reasons.iter().map(ToString::to_string).collect();
        reasons.extend(record.report.wants_approval().map(|f| format!("{}: {}", f.rule, f.why)));
        let findings = views(&record.report);
        cx.dispose(Disposition::Drafted { draft: Box::new(record), needs_approval: reasons.clone() });
        Ok(recorded(content, findings, reasons))
    }
}

/// The findings, one for each place and rule: the same remedy is told once, with every excerpt.
fn views(report: &CheckReport) -> Vec<FindingView> {
    let mut views: Vec<FindingView> = Vec::new();
    for finding in &report.findings {
        let view = FindingView::from(finding);
        let key = |view: &FindingView| (view.rule.clone(), view.place.clone(), view.severity);
        let same = |told: &&mut FindingView| key(told) == key(&view);
        let Some(told) = views.iter_mut().find(same) else {
            views.push(view);
            continue;
        };
        for words in view.excerpts {
            if !told.excerpts.contains(&words) {
                told.excerpts.push(words);
            }
        }
        if !told.mend.contains(&view.mend) {
            told.mend = format!("{}; {}", told.mend, view.mend);
        }
    }
    views
}

fn blocked(report: &CheckReport) -> Proposed {
    Proposed {
        status: ProposedStatus::Blocked,
        draft: None,
        findings: views(report),
        reasons: Vec::new(),
        next:
            "not recorded: mend every finding of severity block and call propose_message with the whole message again"
                .to_owned(),
    }
}

fn recorded(content: Digest, findings: Vec<FindingView>, reasons: Vec<String>) -> Proposed {
    let draft = content.short();
    let (status, next) = if reasons.is_empty() {
        (ProposedStatus::Ok, format!("call queue_send with draft {draft}"))
    } else {
        (ProposedStatus::NeedsApproval, "call request_approval".to_owned())
    };
    Proposed { status, draft: Some(draft), findings, reasons, next }
}
