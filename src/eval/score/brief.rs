//! What a brief must hold, field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use kit::CategoryId;
use kit::campaign::{Brief, ExclusionReason, OfferChoice, Predicate, Stage};

use super::Misses;
use crate::briefs::View;
use crate::eval::suite::BriefThen;

/// Judges the brief after the last turn.
pub(super) fn score(then: &BriefThen, view: Option<&View>, misses: &mut Misses) {
    let Some(view) = view else { return misses.add("brief", "there is none") };
    plan(then, &view.brief, misses);
    when(then, &view.brief, misses);
    talk(then, view, misses);
    reach(then, view, misses);
}

impl Misses {
    /// What a case says must be so; what it does not say may be anything.
    fn is<T: PartialEq + Debug>(&mut self, check: &str, wanted: Option<&T>, found: &T) {
        let Some(wanted) = wanted else { return };
        self.holds(wanted == found, check, || format!("{} was expected, it is {}", told(wanted), told(found)));
    }
}

/// A value as short as it can be said.
fn told(value: &impl Debug) -> String {
    format!("{value:?}")
}

fn plan(then: &BriefThen, brief: &Brief, misses: &mut Misses) {
    misses.is("brief.title", then.title.as_ref(), &brief.title.clone().unwrap_or_default());
    let objective = brief.objective.clone().unwrap_or_default();
    let says = |words: &String| objective.to_lowercase().contains(&words.to_lowercase());
    misses.holds(then.objective_says.as_ref().is_none_or(says), "brief.objective_says", || {
        format!("it says `{objective}`")
    });
    let success = brief.success;
    misses.is("brief.success", then.success.map(Some).as_ref(), &success.map(|s| s.measure));
    misses.is("brief.success_days", then.success_days.map(Some).as_ref(), &success.map(|s| s.within_days));
    misses.is("brief.failure", then.failure.map(Some).as_ref(), &brief.failure.map(|f| f.measure));
    misses.is("brief.stages", then.stages.as_ref(), &stages(brief));
    misses.is("brief.leaves_out", then.leaves_out.as_ref(), &brief.audience.exclude);
    misses.is("brief.vip", then.vip.as_ref(), &brief.vip);
    misses.is("brief.offer", then.offer.as_ref(), &offer(&brief.offer.choice));
    misses.is("brief.beyond_ladder", then.beyond_ladder.clone().map(Some).as_ref(), &brief.offer.beyond_ladder);
    let products: Vec<_> = brief.products.iter().map(|shown| shown.product.clone()).collect();
    misses.is("brief.products", then.products.as_ref(), &products);
    if let Some(category) = &then.products_below {
        misses.holds(!products.is_empty(), "brief.products_below", || "it shows no product".to_owned());
        for shown in brief.products.iter().filter(|shown| !below(&shown.category, category)) {
            misses.add("brief.products_below", format!("{} lies in {}", shown.product, shown.category));
        }
    }
    misses.is("brief.channels", then.channels.as_ref(), &brief.channels);
    misses.is("brief.holdout_percent", then.holdout_percent.as_ref(), &brief.holdout_percent);
    misses.is("brief.tone", then.tone.clone().map(Some).as_ref(), &brief.tone);
    misses.is("brief.languages", then.languages.as_ref(), &brief.languages);
    misses.is("brief.legal", then.legal.as_ref(), &brief.legal);
}

/// The stages of whom it is for; none when something else is asked of them too.
fn stages(brief: &Brief) -> BTreeSet<Stage> {
    match brief.audience.include.as_slice() {
        [Predicate::Stage { any }] => any.iter().copied().collect(),
        _ => BTreeSet::new(),
    }
}

/// The offer as suites name it.
fn offer(choice: &OfferChoice) -> String {
    match choice {
        OfferChoice::Undecided => "undecided".to_owned(),
        OfferChoice::None => "none".to_owned(),
        OfferChoice::Step { step } => step.to_string(),
    }
}

/// The category itself or one below it.
fn below(category: &CategoryId, root: &CategoryId) -> bool {
    let rest = category.as_str().strip_prefix(root.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn when(then: &BriefThen, brief: &Brief, misses: &mut Misses) {
    let schedule = brief.schedule.as_ref();
    misses.is("brief.leaves", then.leaves.map(Some).as_ref(), &schedule.map(|s| s.on));
    misses.is("brief.at", then.at.map(Some).as_ref(), &schedule.map(|s| s.at));
    misses.is("brief.until", then.until.map(Some).as_ref(), &schedule.map(|s| s.not_after));
}

fn talk(then: &BriefThen, view: &View, misses: &mut Misses) {
    let brief = &view.brief;
    misses.is("brief.ready", then.ready.as_ref(), &brief.is_ready());
    let standing: Vec<String> = brief.standing().map(|constraint| constraint.quote.clone()).collect();
    misses.is("brief.standing", then.standing.as_ref(), &standing);
    let assumed: BTreeSet<_> = brief.assumptions.iter().map(|assumption| assumption.sets.field()).collect();
    for field in then.assumes.difference(&assumed) {
        misses.add("brief.assumes", format!("{field} is not assumed"));
    }
    let missing: BTreeSet<_> = brief.gaps.iter().filter(|gap| gap.blocks).map(|gap| gap.kind).collect();
    misses.is("brief.missing", then.missing.as_ref(), &missing);
    let asked: Vec<_> = view.questions.iter().map(|question| question.changes).collect();
    misses.is("brief.asked", then.asked.as_ref(), &asked);
    misses.is("brief.choices", then.choices.as_ref(), &view.choices.len());
    let answer = view.answer.clone().unwrap_or_default();
    let says = |words: &String| answer.to_lowercase().contains(&words.to_lowercase());
    for words in then.answer_says.iter().filter(|words| !says(words)) {
        misses.add("brief.answer_says", format!("`{words}` is not in `{answer}`"));
    }
    for words in then.answer_never_says.iter().filter(|words| says(words)) {
        misses.add("brief.answer_never_says", format!("`{words}` is in `{answer}`"));
    }
}

fn reach(then: &BriefThen, view: &View, misses: &mut Misses) {
    let audience = view.figures.audience.as_ref();
    misses.is("brief.reaches", then.reaches.map(Some).as_ref(), &audience.map(|count| count.recipients));
    let excluded: BTreeMap<ExclusionReason, u32> =
        audience.into_iter().flat_map(|count| &count.excluded).map(|out| (out.reason, out.people)).collect();
    misses.is("brief.excluded", then.excluded.as_ref(), &excluded);
}
