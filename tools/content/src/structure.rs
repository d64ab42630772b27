//! What must hold of a proposal before any rule reads it: blocks in place, facts that exist, placeholders that can be
//! filled. All faults are told at once, so that one revision mends them.

use std::collections::BTreeSet;

use kit::message::{Block, Draft, Severity};
use kit::placeholder::{self, Piece, PlaceholderError, Slot};
use kit::tool::ToolContext;
use kit::{Fact, FactId, FactKind, FactValue};

use crate::propose_message::FindingView;

/// Products one message shows at most: more is a catalogue.
const MAX_PRODUCTS: usize = 4;
/// Faults and findings told at once.
const MAX_FAULTS: usize = 16;
/// Content rules that find the same faults as [`check`].
const ALSO_RULES: [&str; 12] = [
    "structure.heading",
    "structure.cta",
    "structure.cta-link",
    "structure.offers",
    "structure.products",
    "structure.product-twice",
    "structure.fact-kind",
    "slot.unknown-fact",
    "slot.unknown-field",
    "slot.syntax",
    "slot.not-printable",
    "structure.subjects-alike",
];

/// Faults of blocks, facts and placeholders, each with its place and what to do; none when the form is right.
pub(crate) fn check(cx: &ToolContext, draft: &Draft) -> Vec<String> {
    let mut faults = Vec::new();
    shape(draft, &mut faults);
    for (index, block) in draft.blocks.iter().enumerate() {
        if let Err(why) = shown_fact(cx, block) {
            faults.push(format!("blocks[{index}].fact: {why}"));
        }
    }
    for (place, text) in draft.texts() {
        placeholders(cx, text, &mut |why| faults.push(format!("{place}: {why}")));
    }
    faults
}

/// One text for the model: the faults of form, then what else the content rules forbid.
pub(crate) fn told(mut faults: Vec<String>, findings: &[FindingView]) -> String {
    let others = findings.iter().filter(|f| f.severity == Severity::Block && !ALSO_RULES.contains(&f.rule.as_str()));
    faults.extend(others.map(|finding| {
        let words: String = finding.excerpts.iter().map(|words| format!(" `{words}`")).collect();
        format!("{}: {}{words}: {}; {}", finding.place, finding.rule, finding.why, finding.mend)
    }));
    let untold = faults.len().saturating_sub(MAX_FAULTS);
    faults.truncate(MAX_FAULTS);
    if untold > 0 {
        faults.push(format!("and {untold} more"));
    }
    format!("nothing was recorded; mend these and call propose_message again:\n- {}", faults.join("\n- "))
}

fn shape(draft: &Draft, faults: &mut Vec<String>) {
    let count = |is: fn(&Block) -> bool| draft.blocks.iter().filter(|b| is(b)).count();
    let headings = count(|b| matches!(b, Block::Heading { .. }));
    if headings != 1 || !matches!(draft.blocks.first(), Some(Block::Heading { .. })) {
        faults.push(format!("blocks: exactly one heading, as the first block; found {headings}"));
    }
    let ctas = count(|b| matches!(b, Block::Cta { .. }));
    if ctas != 1 {
        faults.push(format!("blocks: exactly one cta; found {ctas}"));
    }
    if count(|b| matches!(b, Block::Offer { .. })) > 1 {
        faults.push("blocks: at most one offer".to_owned());
    }
    let products: Vec<&FactId> = draft.blocks.iter().filter_map(product).collect();
    if products.len() > MAX_PRODUCTS {
        faults.push(format!("blocks: at most {MAX_PRODUCTS} products; found {}", products.len()));
    }
    if products.iter().collect::<BTreeSet<_>>().len() < products.len() {
        faults.push("blocks: the same product is shown twice".to_owned());
    }
    let distinct: BTreeSet<String> = draft.subjects.iter().map(|s| s.trim().to_lowercase()).collect();
    if distinct.len() < draft.subjects.len() {
        faults.push("subjects: two are the same; write each from another angle".to_owned());
    }
}

fn product(block: &Block) -> Option<&FactId> {
    match block {
        Block::Product { fact, .. } => Some(fact),
        Block::Heading { .. }
        | Block::Paragraph { .. }
        | Block::Guide { .. }
        | Block::Review { .. }
        | Block::Offer { .. }
        | Block::Cta { .. } => None,
    }
}

/// A block shows a fact of its own kind; the call to action takes any fact with a link.
fn shown_fact(cx: &ToolContext, block: &Block) -> Result<(), String> {
    let (fact, kind) = match block {
        Block::Heading { .. } | Block::Paragraph { .. } => return Ok(()),
        Block::Product { fact, .. } => (fact, FactKind::Product),
        Block::Guide { fact } => (fact, FactKind::Guide),
        Block::Review { fact } => (fact, FactKind::Review),
        Block::Offer { fact, .. } => (fact, FactKind::Offer),
        Block::Cta { fact, .. } => return linked(cx, fact),
    };
    cx.cited(fact, kind).map(|_| ()).map_err(|e| e.to_string())
}

fn linked(cx: &ToolContext, id: &FactId) -> Result<(), String> {
    let has_link = |fact: &Fact| matches!(fact.field("url"), Some(FactValue::Url { .. }));
    if cx.facts.get(id).is_some_and(has_link) {
        return Ok(());
    }
    let linked: Vec<String> = cx.facts.iter().filter(|f| has_link(f)).map(|f| f.id.to_string()).collect();
    Err(format!("{id} has no link; facts with one: {}", or_none(&linked)))
}

fn placeholders(cx: &ToolContext, text: &str, fault: &mut dyn FnMut(String)) {
    let pieces = match placeholder::parse(text) {
        Ok(pieces) => pieces,
        Err(error) => return fault(unreadable(&error, text)),
    };
    for piece in pieces {
        let Piece::Slot { slot: Slot::Fact { id, field }, .. } = piece else { continue };
        match cx.facts.get(&id) {
            None => {
                let known: Vec<String> = cx.facts.iter().map(|f| f.id.to_string()).collect();
                fault(format!("there is no fact {id}; you were given {}", or_none(&known)));
            }
            Some(fact) => match fact.field(&field) {
                Some(FactValue::Url { .. }) => {
                    fault(format!("{{{{{id}.{field}}}}} is a link; links stand only in blocks, by their fact"));
                }
                Some(FactValue::Products { .. }) => {
                    fault(format!("{{{{{id}.{field}}}}} is no words; {}", may_say(fact)))
                }
                Some(_) => {}
                None => fault(format!("{id} has no field `{field}`; {}", may_say(fact))),
            },
        }
    }
}

/// A placeholder that cannot be read, shown by the words it begins with: writers see words, not bytes.
fn unreadable(error: &PlaceholderError, text: &str) -> String {
    let near = |at: usize| text.get(at..).unwrap_or(text).chars().take(24).collect::<String>();
    match error {
        PlaceholderError::Unbalanced { at } => {
            format!("unbalanced braces at `{}`: write placeholders as {{{{f101.title}}}}", near(*at))
        }
        PlaceholderError::Unknown { name, .. } => format!(
            "`{{{{{name}}}}}` is no placeholder: use {{{{fNNN.field}}}} of a fact you were given, {{{{customer.first_name}}}} or {{{{shop.name}}}}"
        ),
    }
}

/// Fields that may stand in a text.
fn words_of(fact: &Fact) -> Vec<String> {
    fact.fields.iter().filter(|(_, value)| value.is_printable()).map(|(name, _)| name.clone()).collect()
}

/// What a text may say of a fact.
fn may_say(fact: &Fact) -> String {
    let words = words_of(fact);
    if words.is_empty() {
        return "it has no words to write, only a link: cite it in the cta block, where it becomes the button's link"
            .to_owned();
    }
    format!("it has {}", words.join(", "))
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() { "none yet: call a gather tool first".to_owned() } else { names.join(", ") }
}
