//! Applying a patch: everything that is wrong with it is told at once, and then nothing is changed.

use jiff::{Span, Timestamp};
use kit::ProductId;
use kit::campaign::{
    Assumption, Brief, BriefContext, BriefProduct, Constraint, FailureMetric, LegalClass, OfferChoice, Predicate,
    Schedule, Setting, SuccessMetric, VipTreatment,
};
use kit::tool::{ToolContext, ToolError};

use crate::dates;
use crate::desk::{Goods, ShopFacts};
use crate::patch::{Args, Assume, NewRule, Offer, Otherwise, SendAt, TakeBack, Vip};
use crate::quotes::{self, SaidOfVips};
use crate::standing;

/// The time of day when nobody said one: mails are read in the morning, and a marketer is at work if something is odd.
const USUAL_TIME: &str = "10:00";
const LATER_TIME: &str = "18:00";
/// A campaign is planned for a year ahead at most.
const FARTHEST_DAYS: i64 = 366;

/// A patch being applied.
pub(crate) struct Patcher<'a> {
    goods: &'a dyn Goods,
    facts: &'a ShopFacts,
    talk: &'a BriefContext,
    now: Timestamp,
    brief: Brief,
    problems: Vec<String>,
}

impl<'a> Patcher<'a> {
    pub(crate) fn new(goods: &'a dyn Goods, cx: &'a ToolContext, talk: &'a BriefContext, facts: &'a ShopFacts) -> Self {
        let mut brief = Brief::clone(&talk.brief);
        if brief.owner.is_none() {
            brief.owner = Some(cx.principal.name());
        }
        Self { goods, facts, talk, now: cx.now, brief, problems: Vec::new() }
    }

    /// The brief with the patch, one version later, computed parts as they were.
    ///
    /// # Errors
    /// [`ToolError::ForModel`] with everything that is in the way.
    pub(crate) fn patched(mut self, args: Args) -> Result<Brief, ToolError> {
        let assume = self.apply(args);
        self.defaults();
        for assume in assume {
            self.assume(assume);
        }
        self.settle();
        if self.problems.is_empty() {
            return Ok(self.brief);
        }
        let problems: Vec<String> = self.problems.iter().map(|problem| format!("- {problem}")).collect();
        Err(ToolError::ForModel(format!("nothing was changed; mend this and call again:\n{}", problems.join("\n"))))
    }

    fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    fn apply(&mut self, args: Args) -> Vec<Assume> {
        let Args {
            title,
            objective,
            success,
            failure,
            include,
            exclude,
            vip,
            offer,
            products,
            channels,
            send,
            holdout_percent,
            angles,
            tone,
            languages,
            legal,
            rules,
            take_back,
            assume,
        } = args;
        // What is taken back falls first, what is ruled comes last: the plan between is held to both.
        take_back.unwrap_or_default().into_iter().for_each(|back| self.take_back(&back));
        let brief = &mut self.brief;
        brief.title = title.map(trimmed).or_else(|| brief.title.take());
        brief.objective = objective.map(trimmed).or_else(|| brief.objective.take());
        brief.tone = tone.map(trimmed).or_else(|| brief.tone.take());
        if let Some(s) = success {
            brief.success = Some(SuccessMetric { measure: s.measure, within_days: s.within_days });
        }
        if let Some(f) = failure {
            brief.failure = Some(FailureMetric { measure: f.measure, above_per_mille: f.above_per_mille });
        }
        if let Some(include) = include {
            self.check_predicates(&include);
            self.brief.audience.include = include;
        }
        if let Some(exclude) = exclude {
            self.check_predicates(&exclude);
            if exclude.contains(&Predicate::Vip) {
                self.problem("VIPs are not left out with `exclude`: say what they get with `vip`");
            }
            self.brief.audience.exclude = exclude;
        }
        vip.iter().for_each(|vip| self.vip(vip));
        offer.into_iter().for_each(|offer| self.offer(offer));
        if let Some(ids) = products {
            self.brief.products = self.shown(&ids);
        }
        if let Some(channels) = channels {
            self.brief.channels = deduplicated(channels);
        }
        send.iter().for_each(|send| self.send(send));
        self.brief.holdout_percent = holdout_percent.unwrap_or(self.brief.holdout_percent);
        if let Some(angles) = angles {
            self.brief.angles = deduplicated(angles);
        }
        if let Some(languages) = languages {
            for language in languages.iter().filter(|l| !self.facts.languages.contains(l)) {
                let written: Vec<String> = self.facts.languages.iter().map(ToString::to_string).collect();
                self.problems.push(format!("the shop does not write {language}; it writes {}", written.join(", ")));
            }
            self.brief.languages = deduplicated(languages);
        }
        self.brief.legal = legal.unwrap_or(self.brief.legal);
        rules.unwrap_or_default().into_iter().for_each(|rule| self.rule(rule));
        assume.unwrap_or_default()
    }

    fn check_predicates(&mut self, predicates: &[Predicate]) {
        for predicate in predicates {
            let days_bad = |days: &Option<u32>| days.is_some_and(|d| d == 0 || d > 3_650);
            let problem = match predicate {
                Predicate::BoughtCategory { category, within_days } | Predicate::Browsed { category, within_days } => {
                    if self.goods.has_category(category) {
                        days_bad(within_days).then(|| "days lie between 1 and 3650".to_owned())
                    } else {
                        Some(format!("the shop has no category {category}: search_catalog shows the paths"))
                    }
                }
                Predicate::BoughtProduct { product, within_days } => match self.goods.product(product, &[], self.now) {
                    None => Some(format!("the shop has no product {product}")),
                    Some(_) => days_bad(within_days).then(|| "days lie between 1 and 3650".to_owned()),
                },
                Predicate::BoughtWithin { days } => {
                    days_bad(&Some(*days)).then(|| "days lie between 1 and 3650".to_owned())
                }
                Predicate::Stage { any } => any.is_empty().then(|| "name at least one stage".to_owned()),
                Predicate::Language { any } => any.is_empty().then(|| "name at least one language".to_owned()),
                Predicate::Country { any } => {
                    let code = |c: &String| c.len() == 2 && c.bytes().all(|b| b.is_ascii_uppercase());
                    (any.is_empty() || !any.iter().all(code)).then(|| "a country is two letters such as IE".to_owned())
                }
                Predicate::LoyaltyTier { any } => any.is_empty().then(|| "name at least one tier".to_owned()),
                Predicate::Vip
                | Predicate::NeverBought
                | Predicate::OrdersAtLeast { .. }
                | Predicate::OrdersAtMost { .. }
                | Predicate::Consent { .. } => None,
            };
            self.problems.extend(problem);
        }
    }

    /// What VIPs get is never guessed: the quote says so without doubt, or they were asked about before.
    fn vip(&mut self, vip: &Vip) {
        if !quotes::was_said(&vip.quote, self.talk) {
            return self.problem(not_said(&vip.quote));
        }
        let said = match vip.treatment {
            VipTreatment::Unstated => return self.problem("`vip.treatment` is excluded, undiscounted or included"),
            VipTreatment::Excluded => SaidOfVips::Excluded,
            VipTreatment::Undiscounted => SaidOfVips::Undiscounted,
            VipTreatment::Included => SaidOfVips::Included,
        };
        if quotes::of_vips(&vip.quote) != said && !quotes::vips_were_asked_about(self.talk) {
            return self.problem(format!(
                "\"{}\" can mean more than one thing for VIPs: no message at all, or the message without the offer. Leave `vip` null, record the rule, and ask with ask_marketer",
                short(&vip.quote)
            ));
        }
        if vip.treatment == VipTreatment::Included && !self.facts.vips_get_offers {
            // Not an error: the ladder takes the offer out for them anyway.
            self.brief.vip = VipTreatment::Undiscounted;
            return;
        }
        self.brief.vip = vip.treatment;
    }

    fn offer(&mut self, offer: Offer) {
        let (choice, beyond) = match offer {
            Offer::None => (OfferChoice::None, None),
            Offer::BeyondLadder { asked } => (OfferChoice::Undecided, Some(trimmed(asked))),
            Offer::Step { step } => {
                if !self.facts.ladder.iter().any(|rung| rung.step == step) {
                    let steps: Vec<&str> = self.facts.ladder.iter().map(|rung| rung.step.as_str()).collect();
                    let steps = if steps.is_empty() { "none at all".to_owned() } else { steps.join(", ") };
                    return self.problem(format!(
                        "the ladder has no step {step}; it has {steps}. For anything else the choice is `beyond_ladder`"
                    ));
                }
                (OfferChoice::Step { step }, None)
            }
        };
        self.brief.offer.choice = choice;
        self.brief.offer.beyond_ladder = beyond;
    }

    fn shown(&mut self, ids: &[ProductId]) -> Vec<BriefProduct> {
        let ids = deduplicated(ids.to_vec());
        let mut shown = Vec::with_capacity(ids.len());
        for id in &ids {
            let others: Vec<ProductId> = ids.iter().filter(|other| *other != id).cloned().collect();
            match self.goods.product(id, &others, self.now) {
                None => {
                    self.problem(format!("the shop has no product {id}: use ids from search_catalog or explore_graph"))
                }
                Some(found) if !found.in_stock => self.problem(format!("{id} is out of stock: choose another")),
                Some(found) => shown.push(found.product),
            }
        }
        shown
    }

    fn send(&mut self, send: &SendAt) {
        let zone = &self.facts.zone;
        let today = self.now.to_zoned(zone.clone()).date();
        let (day, last) = match (
            dates::day(&send.on, self.now, zone),
            send.last_day.as_deref().map(|last| dates::day(last, self.now, zone)).transpose(),
        ) {
            (Ok(day), Ok(last)) => (day, last),
            (Err(why), _) | (_, Err(why)) => return self.problem(why),
        };
        let before = self.brief.schedule.take();
        let at = match (send.at.as_deref().map(dates::time), &before) {
            (Some(Err(why)), _) => return self.problem(why),
            (Some(Ok(at)), _) => Some(at),
            (None, Some(before)) => Some(before.at),
            (None, None) => None,
        };
        let unsaid = at.is_none();
        let Some(at) = at.or_else(|| dates::time(USUAL_TIME).ok()) else { return };
        let next = day.date.checked_add(Span::new().days(1)).unwrap_or(day.date);
        let given = last.map(|last| last.date);
        // A day after which nothing may leave also bounds the day after, which nobody asked for.
        let usual =
            standing::last_day(&self.brief).filter(|last| *last >= day.date).map_or(next, |last| last.min(next));
        let not_after = given.unwrap_or(usual);
        let zone = send.zone.or(before.map(|before| before.zone)).unwrap_or_default();
        let farthest = today.checked_add(Span::new().days(FARTHEST_DAYS)).unwrap_or(today);
        if day.date < today {
            return self.problem(format!("{} has passed: today is {today}", day.date));
        }
        if day.date > farthest {
            return self.problem(format!("{} is more than a year ahead", day.date));
        }
        if not_after < day.date {
            return self.problem(format!("the last day, {not_after}, comes before the day itself, {}", day.date));
        }
        let schedule = Schedule { on: day.date, at, zone, not_after, said: day.said.clone() };
        self.brief.schedule = Some(schedule.clone());
        if day.or_today {
            let today =
                Schedule { on: today, not_after: today.checked_add(Span::new().days(1)).unwrap_or(today), ..schedule };
            let said = day.said.unwrap_or_default();
            self.note_assumption(format!("\"{said}\" is the next one, not today"), Setting::Schedule(Some(today)));
        } else if unsaid && let Ok(later) = dates::time(LATER_TIME) {
            let later = Schedule { at: later, ..schedule };
            self.note_assumption(format!("at {USUAL_TIME}, since nobody said a time"), Setting::Schedule(Some(later)));
        }
    }

    fn take_back(&mut self, back: &TakeBack) {
        if !quotes::was_said(&back.quote, self.talk) {
            return self.problem(not_said(&back.quote));
        }
        let Some(constraint) = self.brief.constraints.iter_mut().find(|c| c.id == back.constraint && c.stands()) else {
            return self.problem(format!("no constraint C{} stands", back.constraint));
        };
        if !quotes::takes_back(&back.quote, back.constraint, self.talk) {
            let words = constraint.words();
            return self.problem(format!(
                "\"{}\" does not take {words} back. Tell the marketer that it stands in the way, name it as C{}, and ask whether it is taken back; change nothing that it forbids meanwhile",
                short(&back.quote),
                back.constraint
            ));
        }
        constraint.taken_back = Some(self.talk.turn);
    }

    fn rule(&mut self, rule: NewRule) {
        if !quotes::was_said(&rule.quote, self.talk) {
            return self.problem(not_said(&rule.quote));
        }
        let quote = trimmed(rule.quote);
        if self
            .brief
            .standing()
            .any(|c| c.rule == rule.rule && quotes::normalised(&c.quote) == quotes::normalised(&quote))
        {
            return;
        }
        let id = self.brief.constraints.iter().map(|c| c.id).max().unwrap_or(0) + 1;
        let turn = self.talk.turn;
        self.brief.constraints.push(Constraint { id, quote, rule: rule.rule, turn, taken_back: None });
    }

    fn assume(&mut self, assume: Assume) {
        let schedule = |change: &dyn Fn(&mut Schedule)| {
            let mut schedule = self.brief.schedule.clone()?;
            change(&mut schedule);
            Some(Setting::Schedule(Some(schedule)))
        };
        let no_date = "a time or zone is assumed together with a date, and the brief has none";
        let otherwise = match assume.otherwise {
            Otherwise::Channels { channels } => Some(Setting::Channels(deduplicated(channels))),
            Otherwise::Holdout { percent } => Some(Setting::Holdout(percent)),
            Otherwise::Angles { angles } => Some(Setting::Angles(deduplicated(angles))),
            Otherwise::Tone { tone } => Some(Setting::Tone(Some(trimmed(tone)))),
            Otherwise::Languages { languages } => Some(Setting::Languages(deduplicated(languages))),
            Otherwise::Success { measure, within_days } => {
                Some(Setting::Success(Some(SuccessMetric { measure, within_days })))
            }
            Otherwise::Failure { measure, above_per_mille } => {
                Some(Setting::Failure(Some(FailureMetric { measure, above_per_mille })))
            }
            Otherwise::Products { products } => Some(Setting::Products(self.shown(&products))),
            Otherwise::Zone { zone } => schedule(&|s| s.zone = zone),
            Otherwise::Time { at } => match dates::time(&at) {
                Ok(at) => schedule(&|s| s.at = at),
                Err(why) => return self.problem(why),
            },
        };
        match otherwise {
            Some(otherwise) => self.note_assumption(trimmed(assume.text), otherwise),
            None => self.problem(no_date),
        }
    }

    /// Notes that what the brief holds now was assumed. One assumption a field: the newest.
    fn note_assumption(&mut self, text: String, otherwise: Setting) {
        let field = otherwise.field();
        self.brief.assumptions.retain(|a| a.sets.field() != field);
        let id = self.brief.assumptions.iter().map(|a| a.id).max().unwrap_or(0) + 1;
        match Assumption::new(id, text, self.brief.get(field), otherwise) {
            Ok(assumption) => self.brief.assumptions.push(assumption),
            Err(error) => self.problem(error.to_string()),
        }
    }

    /// What nobody said and can be assumed, so that the marketer is not asked about it.
    fn defaults(&mut self) {
        for (text, sets, otherwise) in crate::gaps::usual(&self.brief, self.facts) {
            let forbidden = {
                let mut tried = self.brief.clone();
                tried.set(sets.clone());
                standing::broken(&tried, self.facts).len() > standing::broken(&self.brief, self.facts).len()
            };
            if forbidden {
                continue;
            }
            self.brief.set(sets);
            if let Some(otherwise) = otherwise {
                self.note_assumption(text, otherwise);
            }
        }
    }

    /// Assumptions that were overtaken go; constraints are held.
    fn settle(&mut self) {
        let brief = &self.brief;
        let kept: Vec<Assumption> =
            brief.assumptions.iter().filter(|a| brief.get(a.sets.field()) == *a.holds()).cloned().collect();
        self.brief.assumptions = kept;
        if self.brief.legal == LegalClass::Service && matches!(self.brief.offer.choice, OfferChoice::Step { .. }) {
            self.problem("a service message carries no offer: legal class service and an offer exclude each other");
        }
        let turn = self.talk.turn;
        let broken: Vec<String> = standing::broken(&self.brief, self.facts)
            .into_iter()
            .map(|(constraint, what)| {
                if constraint.turn == turn {
                    format!("{} was ruled just now, and {what}: change the plan in the same call", constraint.words())
                } else {
                    format!(
                        "{} stands, and {what}. Only the marketer can take it back: tell them, name it as C{}, and ask",
                        constraint.words(),
                        constraint.id
                    )
                }
            })
            .collect();
        self.problems.extend(broken);
        self.brief.version = self.talk.brief.version.saturating_add(1);
    }
}

fn not_said(quote: &str) -> String {
    format!("the marketer did not write \"{}\" in this turn: quote them word for word", short(quote))
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

fn trimmed(text: String) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn deduplicated<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
