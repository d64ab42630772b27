//! What people's decisions say about the rules: words that they name when they reject a message, or take out when they edit one,
//! become a proposed phrase rule. A marketer confirms it, or not; nothing here changes a rule.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kit::message::{Draft, Severity};
use kit::{FactBook, FlowId, Language};
use serde::Serialize;

use crate::book::{CheckContext, RuleBook};
use crate::fold::Segment;
use crate::phrases::Forms;

/// Messages that people must have taken the same words out of: one edit may have any reason.
const EDITS: usize = 2;
/// Words of a phrase: fewer say nothing by themselves, more are a sentence.
const WORDS: std::ops::RangeInclusive<usize> = 2..=6;
/// What may stand around words that a reason quotes.
const QUOTES: [(char, char); 6] = [('“', '”'), ('„', '“'), ('"', '"'), ('‘', '’'), ('\'', '\''), ('`', '`')];

/// What a person did with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It did not leave, for this reason.
    Rejected {
        /// In the person's words.
        reason: String,
    },
    /// It became another one.
    Edited {
        /// What it became.
        after: Box<Draft>,
    },
}

/// One decision about one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The approval it was made on.
    pub approval: String,
    /// The message as it was shown.
    pub draft: Draft,
    /// What became of it.
    pub verdict: Verdict,
}

/// A rule that decisions suggest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The rule's id, if it is accepted: `learned.` and the words.
    pub id: String,
    /// The words to look for.
    pub phrase: String,
    /// The language of the messages they stood in.
    pub language: Language,
    /// Approvals at which people took them out, in order.
    pub edited: Vec<String>,
    /// Approvals at which people named them, with their reasons.
    pub rejected: BTreeMap<String, String>,
}

/// What the decisions suggest that the book does not look for yet, the most supported first.
pub fn proposals(decisions: &[Decided], book: &RuleBook, flow: &FlowId, now: Timestamp) -> Vec<Proposal> {
    let mut found: BTreeMap<(String, String), Proposal> = BTreeMap::new();
    for decided in decisions {
        let language = &decided.draft.language;
        match &decided.verdict {
            Verdict::Rejected { reason } => {
                for words in quoted(reason).filter(|words| says(&decided.draft, words)) {
                    let proposal = entry(&mut found, &words, language);
                    proposal.rejected.insert(decided.approval.clone(), reason.clone());
                }
            }
            Verdict::Edited { .. } => {}
        }
    }
    for (words, language, approvals) in taken_out(decisions) {
        entry(&mut found, &words, &language).edited = approvals;
    }
    let mut proposals: Vec<Proposal> =
        found.into_values().filter(|proposal| !known(proposal, book, flow, now)).collect();
    proposals.sort_by_key(|p| (std::cmp::Reverse(p.edited.len() + p.rejected.len()), p.id.clone()));
    proposals
}

fn entry<'m>(
    found: &'m mut BTreeMap<(String, String), Proposal>,
    words: &str,
    language: &Language,
) -> &'m mut Proposal {
    found.entry((words.to_owned(), language.as_str().to_owned())).or_insert_with(|| Proposal {
        id: format!("learned.{}", words.replace(' ', "-")),
        phrase: words.to_owned(),
        language: language.clone(),
        edited: Vec::new(),
        rejected: BTreeMap::new(),
    })
}

/// The words of a text as rules see them, one list for each sentence; a placeholder ends one.
fn sentences(text: &str) -> Vec<Vec<String>> {
    let slotless = text.split("{{").flat_map(|part| part.split_once("}}").map_or([part, ""], |(_, after)| ["", after]));
    let parts = slotless.flat_map(|part| part.split(['.', '!', '?', '…', ';', ':', '\n']));
    let folded = parts.map(|part| {
        let forms = Forms::of(&[Segment::Words { at: 0, text: part }]);
        forms.plain.words().split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    });
    folded.filter(|words| !words.is_empty()).collect()
}

fn spoken(draft: &Draft) -> Vec<Vec<String>> {
    draft.texts().into_iter().flat_map(|(_, text)| sentences(text)).collect()
}

fn says(draft: &Draft, words: &str) -> bool {
    let padded = format!(" {words} ");
    spoken(draft).iter().any(|sentence| format!(" {} ", sentence.join(" ")).contains(&padded))
}

/// Words between quotation marks in a reason, folded.
fn quoted(reason: &str) -> impl Iterator<Item = String> + '_ {
    let inside = QUOTES.into_iter().flat_map(move |(open, close)| {
        let parts: Vec<&str> = reason.split(open).skip(1).collect();
        let last = parts.len().saturating_sub(1);
        // Where one sign opens and closes, every part but the first and the last may stand between two.
        let between = parts.into_iter().enumerate().filter_map(move |(index, part)| match part.split_once(close) {
            Some((inside, _)) => Some(inside),
            None => (open == close && index < last).then_some(part),
        });
        between.collect::<Vec<_>>()
    });
    inside.filter_map(|inside| {
        let words: Vec<String> = sentences(inside).into_iter().flatten().collect();
        (words.len() <= *WORDS.end() && words.iter().any(|w| w.len() > 2)).then(|| words.join(" "))
    })
}

/// The longest runs of words that edits took out of at least [`EDITS`] messages, with the approvals.
fn taken_out(decisions: &[Decided]) -> Vec<(String, Language, Vec<String>)> {
    let mut runs: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut languages: BTreeMap<String, Language> = BTreeMap::new();
    for decided in decisions {
        let Verdict::Edited { after } = &decided.verdict else { continue };
        let language = &decided.draft.language;
        languages.insert(language.as_str().to_owned(), language.clone());
        for sentence in spoken(&decided.draft) {
            for length in WORDS {
                for run in sentence.windows(length).map(|run| run.join(" ")).filter(|run| !says(after, run)) {
                    runs.entry((language.as_str().to_owned(), run)).or_default().insert(decided.approval.clone());
                }
            }
        }
    }
    let mut common: Vec<_> = runs.into_iter().filter(|(_, approvals)| approvals.len() >= EDITS).collect();
    common
        .sort_by_key(|((language, run), _)| (std::cmp::Reverse(run.split(' ').count()), language.clone(), run.clone()));
    let mut kept: Vec<(String, Language, Vec<String>)> = Vec::new();
    for ((language, run), approvals) in common {
        // Of one sentence that was taken out, one run is enough: the next would share words with it.
        let shares = |known: &str| {
            let (known, run): (Vec<&str>, Vec<&str>) = (known.split(' ').collect(), run.split(' ').collect());
            known.windows(2).any(|pair| run.windows(2).any(|own| own == pair))
        };
        let told = kept.iter().any(|(words, l, seen)| {
            l.as_str() == language && shares(words) && approvals.iter().all(|approval| seen.contains(approval))
        });
        if let Some(language) = languages.get(&language).filter(|_| !told) {
            kept.push((run, language.clone(), approvals.into_iter().collect()));
        }
    }
    kept
}

/// A rule of the book finds these words already.
fn known(proposal: &Proposal, book: &RuleBook, flow: &FlowId, now: Timestamp) -> bool {
    let context = CheckContext {
        language: &proposal.language,
        now,
        shop_name: "",
        link_hosts: &[],
        flow,
        product_tags: &BTreeMap::new(),
        learned: None,
    };
    let text = [(kit::message::Place::Preheader, proposal.phrase.as_str())];
    let findings = book.check_texts(&text, &FactBook::new(), &context);
    book.rule_ids().contains(proposal.id.as_str()) || findings.iter().any(|finding| finding.span.is_some())
}

impl Proposal {
    /// The rule as it would stand in the rule file: what it does is the marketer's choice.
    pub fn to_toml(&self, severity: Severity) -> String {
        let text = |words: &str| toml::Value::String(words.to_owned()).to_string();
        let severity = match severity {
            Severity::Warn => "warn",
            Severity::Approve => "approve",
            Severity::Block => "block",
        };
        let approvals: BTreeSet<&String> = self.edited.iter().chain(self.rejected.keys()).collect();
        let sources: Vec<&str> = approvals.iter().map(|id| id.as_str()).collect();
        let why = match (self.rejected.is_empty(), self.edited.len()) {
            (false, _) => "an approver rejected a message for these words".to_owned(),
            (true, edits) => format!("people took these words out of {edits} messages"),
        };
        format!(
            "\n[[phrase]]\nid = {}\nseverity = \"{severity}\"\nwhy = {}\nmend = \"say it in other words, or leave it out\"\nowner = \"brand\"\n\
             source = {}\n{} = [{}]\n",
            text(&self.id),
            text(&why),
            text(&format!("decisions of approvers: {}", sources.join(", "))),
            self.language.as_str(),
            text(&self.phrase),
        )
    }
}
