//! A person's edit of a class's copy. It is held to what the writer was held to: the class's shape, subjects that are
//! different ideas, every content rule. The editor becomes an author of what they changed.

use kit::campaign::{ClassCopy, SubjectOption};
use kit::message::{Block, CheckReport, Draft, DraftRecord, Severity};
use kit::{FactBook, StoreError};
use serde::{Deserialize, Serialize};

use crate::alike::near_duplicates;
use crate::desk::ClassFacts;
use crate::propose_class::TOGETHER;
use crate::shape::{Faults, shape};

/// Characters of a text message, as `propose_class` takes them.
const SMS_CHARS: std::ops::RangeInclusive<usize> = 3..=300;
/// Faults told at once.
const MAX_FAULTS: usize = 16;

/// What a person changes; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassEdit {
    /// The subjects in use, all of them, best first: at most five, and as many as the content rules want. The first two are
    /// tried against each other.
    pub subjects: Option<Vec<String>>,
    /// A new preheader.
    pub preheader: Option<String>,
    /// New blocks of the mail, all of them.
    pub blocks: Option<Vec<Block>>,
    /// The words of the text message, without brand, link and stop words.
    pub sms: Option<String>,
}

/// Why an edit is not taken. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It changes nothing.
    #[error("the edit changes nothing")]
    Same,
    /// It breaks rules; each is told.
    #[error("the edit is not taken, nothing was changed:\n- {}", .0.join("\n- "))]
    Faults(Vec<String>),
    /// The rules could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The content rules: an error is never a "go".
pub type Check<'a> = &'a dyn Fn(&Draft, &FactBook) -> Result<CheckReport, StoreError>;

impl ClassEdit {
    /// The copy as edited, checked anew in every part.
    ///
    /// Blocks may cite the facts that the writer cited, in the mail or in the text message: an editor mints none.
    ///
    /// # Errors
    /// [`EditError`], with everything that is wrong at once.
    pub fn apply(
        &self,
        class: &ClassFacts,
        copy: &ClassCopy,
        editor: &str,
        check: Check<'_>,
    ) -> Result<ClassCopy, EditError> {
        let mut faults = Faults::default();
        let mut facts = FactBook::new();
        copy.mail.iter().chain(&copy.sms).flat_map(|r| r.facts.iter()).for_each(|fact| facts.insert(fact.clone()));
        let mail = self.mail(class, copy, &facts, &mut faults);
        let sms = self.sms(copy, &mut faults);
        let same =
            mail == copy.mail.as_ref().map(|r| r.draft.clone()) && sms == copy.sms.as_ref().map(|r| r.draft.clone());
        if same && faults.is_empty() {
            return Err(EditError::Same);
        }
        let mail = record(copy.mail.as_ref(), mail, &facts, editor, check, "", &mut faults)?;
        let sms = record(copy.sms.as_ref(), sms, &facts, editor, check, "sms: ", &mut faults)?;
        let told = faults.list(MAX_FAULTS);
        if !told.is_empty() {
            return Err(EditError::Faults(told));
        }
        let chosen: &[String] = mail.as_ref().map_or(&[], |record| &record.draft.subjects);
        let known = |line: &str| copy.subjects.iter().any(|s| s.text == line);
        let new = chosen.iter().filter(|line| !known(line));
        let new = new.map(|line| SubjectOption { text: line.clone(), angle: class.key.angle });
        let subjects = new.chain(copy.subjects.iter().cloned()).collect();
        let tested = copy.tested.min(chosen.len());
        Ok(ClassCopy { subjects, mail, sms, tested })
    }

    fn mail(&self, class: &ClassFacts, copy: &ClassCopy, facts: &FactBook, faults: &mut Faults) -> Option<Draft> {
        let Some(record) = &copy.mail else {
            if self.subjects.is_some() || self.preheader.is_some() || self.blocks.is_some() {
                faults.say("this class has no mail: only its text message can be edited".to_owned());
            }
            return None;
        };
        let mut draft = record.draft.clone();
        if let Some(subjects) = &self.subjects {
            // How many there must be at least, the content rules say.
            if subjects.len() > TOGETHER {
                faults.say(format!("subjects: {} are given; at most {TOGETHER} are used", subjects.len()));
            }
            for (first, second) in near_duplicates(subjects.iter().map(String::as_str)) {
                faults.say(format!("subjects[{second}]: nearly the same as subjects[{first}]; write another idea"));
            }
            draft.subjects.clone_from(subjects);
        }
        if let Some(preheader) = &self.preheader {
            draft.preheader.clone_from(preheader);
        }
        if let Some(blocks) = &self.blocks {
            draft.blocks.clone_from(blocks);
            shape(facts, class, blocks, faults);
        }
        for unknown in draft.cited().iter().filter(|id| facts.get(id).is_none()) {
            faults
                .say(format!("{unknown} is no fact of this class's copy; `campaigns edit` without changes lists them"));
        }
        Some(draft)
    }

    fn sms(&self, copy: &ClassCopy, faults: &mut Faults) -> Option<Draft> {
        let Some(record) = &copy.sms else {
            if self.sms.is_some() {
                faults.say("this class has no text message".to_owned());
            }
            return None;
        };
        let mut draft = record.draft.clone();
        if let Some(words) = &self.sms {
            if !SMS_CHARS.contains(&words.chars().count()) {
                let (least, most) = (SMS_CHARS.start(), SMS_CHARS.end());
                faults.say(format!("sms: {} characters; {least} to {most} are taken", words.chars().count()));
            }
            for block in &mut draft.blocks {
                if let Block::Paragraph { text } = block {
                    text.clone_from(words);
                }
            }
        }
        Some(draft)
    }
}

/// The draft with its facts and a fresh report; what forbids it is told as a fault.
fn record(
    before: Option<&DraftRecord>,
    draft: Option<Draft>,
    facts: &FactBook,
    editor: &str,
    check: Check<'_>,
    place: &str,
    faults: &mut Faults,
) -> Result<Option<DraftRecord>, EditError> {
    let (Some(before), Some(draft)) = (before, draft) else { return Ok(None) };
    let mut cited = FactBook::new();
    draft.cited().iter().filter_map(|id| facts.get(id)).for_each(|fact| cited.insert(fact.clone()));
    let report = check(&draft, &cited)?;
    for finding in report.findings.iter().filter(|f| f.severity == Severity::Block) {
        faults.finding(&format!("{place}{}", finding.place), finding);
    }
    let mut authors = before.authors.clone();
    if draft != before.draft {
        authors.insert(editor.to_owned());
    }
    Ok(Some(DraftRecord { draft, facts: cited, report, authors }))
}

/// One place of a copy before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where, in words.
    pub place: String,
    /// What stood there.
    pub before: Option<String>,
    /// What stands there now.
    pub after: Option<String>,
}

/// Everything that differs between two copies of a class, in reading order.
pub fn changes(before: &ClassCopy, after: &ClassCopy) -> Vec<Change> {
    let (before, after) = (places(before), places(after));
    let all = before.iter().chain(after.iter().filter(|(place, _)| !before.iter().any(|(known, _)| known == place)));
    let of = |lines: &[(String, String)], place: &str| {
        lines.iter().find(|(known, _)| known == place).map(|(_, words)| words.clone())
    };
    all.map(|(place, _)| Change { place: place.clone(), before: of(&before, place), after: of(&after, place) })
        .filter(|change| change.before != change.after)
        .collect()
}

fn places(copy: &ClassCopy) -> Vec<(String, String)> {
    let mut places = Vec::new();
    for (channel, record) in [("mail", &copy.mail), ("sms", &copy.sms)] {
        let Some(DraftRecord { draft, .. }) = record else { continue };
        for (at, subject) in draft.subjects.iter().enumerate() {
            places.push((format!("{channel} subject {}", at + 1), subject.clone()));
        }
        if !draft.preheader.is_empty() {
            places.push((format!("{channel} preheader"), draft.preheader.clone()));
        }
        for (at, block) in draft.blocks.iter().enumerate() {
            places.push((format!("{channel} block {}", at + 1), words(block)));
        }
    }
    places
}

fn words(block: &Block) -> String {
    match block {
        Block::Heading { text } => format!("heading: {text}"),
        Block::Paragraph { text } => text.clone(),
        Block::Product { fact, reason } => format!("product {fact}: {reason}"),
        Block::Guide { fact } => format!("guide {fact}"),
        Block::Review { fact } => format!("review {fact}"),
        Block::Offer { fact, text } => format!("offer {fact}: {text}"),
        Block::Cta { fact, label } => format!("button {fact}: {label}"),
    }
}
