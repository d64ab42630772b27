//! From the file to a checked [`Ladder`], collecting every error with its place.

use std::ops::Range;

use jiff::tz::TimeZone;
use kit::{CategoryId, Currency, Digest, FlowId, Money, OfferStepId};
use toml::Spanned;

use super::file::{LadderFile, LimitsFile, StepFile};
use super::{Concession, Ladder, LadderError, LadderErrors, Limits, SCHEMA, Step};

/// Longest validity: an end date further away says nothing.
const MAX_VALID_DAYS: u32 = 60;

/// Collects errors of one file.
struct Reader<'a> {
    label: &'a str,
    text: &'a str,
    errors: Vec<LadderError>,
}

impl Reader<'_> {
    fn fault(&mut self, at: Range<usize>, step: Option<&str>, problem: impl Into<String>) {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        self.errors.push(LadderError {
            file: self.label.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).map_or(0, |l| l.chars().count()) + 1,
            step: step.map(str::to_owned),
            problem: problem.into(),
        });
    }

    fn money(&mut self, found: &Spanned<String>, currency: Currency) -> Money {
        match Money::parse(found.get_ref(), currency) {
            Ok(money) if money.minor >= 0 => return money,
            Ok(money) => self.fault(found.span(), None, format!("{money} is negative")),
            Err(e) => self.fault(found.span(), None, e.to_string()),
        }
        Money::new(0, currency)
    }

    fn within(&mut self, found: &Spanned<u32>, allowed: std::ops::RangeInclusive<u32>, what: &str) -> u32 {
        if !allowed.contains(found.get_ref()) {
            let (from, to) = (allowed.start(), allowed.end());
            self.fault(found.span(), None, format!("{what} is {}; it must lie in {from}..{to}", found.get_ref()));
        }
        *found.get_ref()
    }
}

pub(super) fn ladder(label: &str, text: &str) -> Result<Ladder, LadderErrors> {
    let mut reader = Reader { label, text, errors: Vec::new() };
    let file: LadderFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(e) => {
            reader.fault(e.span().unwrap_or_default(), None, e.message());
            return Err(LadderErrors(reader.errors));
        }
    };
    if file.schema.get_ref() != SCHEMA {
        reader.fault(file.schema.span(), None, format!("this build reads schema \"{SCHEMA}\""));
    }
    let currency = Currency::parse(file.currency.get_ref()).unwrap_or_else(|e| {
        reader.fault(file.currency.span(), None, e.to_string());
        Currency::EUR
    });
    let zone = TimeZone::get(file.zone.get_ref()).unwrap_or_else(|_| {
        reader.fault(file.zone.span(), None, format!("`{}` is no IANA time zone", file.zone.get_ref()));
        TimeZone::UTC
    });
    let limits = limits(&mut reader, &file.limits, &file.step, currency);
    let mut steps = Vec::new();
    for (rung, found) in file.step.iter().enumerate() {
        steps.extend(step(&mut reader, rung, found, &limits));
    }
    order(&mut reader, &file.step);
    let none = file.step.first().and_then(|s| OfferStepId::new(s.get_ref().id.get_ref()).ok());
    match none {
        Some(none) if reader.errors.is_empty() => {
            Ok(Ladder { none, steps, limits, currency, zone, version: Digest::of_parts(["ladder/1", text]) })
        }
        Some(_) => Err(LadderErrors(reader.errors)),
        None => {
            reader.fault(0..0, None, "there is no [[step]]; the first one gives nothing: id = \"none\"");
            Err(LadderErrors(reader.errors))
        }
    }
}

fn limits(reader: &mut Reader<'_>, file: &LimitsFile, steps: &[Spanned<StepFile>], currency: Currency) -> Limits {
    let per_customer = file.per_customer.get_ref();
    if !(1..=366).contains(&per_customer.days) {
        reader.fault(file.per_customer.span(), None, "days must lie in 1..366");
    }
    let mut ceiling = |found: &Spanned<String>| {
        let rung = steps.iter().position(|s| s.get_ref().id.get_ref() == found.get_ref());
        if rung.is_none() {
            reader.fault(found.span(), None, format!("`{}` is no step of this ladder", found.get_ref()));
        }
        rung.unwrap_or_default()
    };
    let vip_ceiling = ceiling(&file.ceiling.vip);
    let new_customer_ceiling = ceiling(&file.ceiling.new_customer);
    let mut exclude_categories = Vec::new();
    for found in &file.exclude_categories {
        match CategoryId::new(found.get_ref()) {
            Ok(category) => exclude_categories.push(category),
            Err(e) => reader.fault(found.span(), None, e.to_string()),
        }
    }
    let percentile = file.addiction.high_affinity_percentile.get_ref();
    if *percentile > 100 {
        reader.fault(file.addiction.high_affinity_percentile.span(), None, "a percentile lies in 0..100");
    }
    Limits {
        max_percent: reader.within(&file.max_percent, 0..=90, "max_percent"),
        max_absolute: reader.money(&file.max_absolute, currency),
        min_margin_percent: reader.within(&file.min_margin_percent, 0..=95, "min_margin_percent"),
        shipping_cost: reader.money(&file.shipping_cost, currency),
        per_customer: per_customer.max,
        window_days: per_customer.days,
        exclude_categories,
        exclude_tags: file.exclude_tags.clone(),
        budget_month: file.budget.month.as_ref().map(|found| reader.money(found, currency)),
        budget_customer_month: file.budget.customer_month.as_ref().map(|found| reader.money(found, currency)),
        discounted_in_a_row: reader.within(&file.addiction.discounted_in_a_row, 1..=20, "discounted_in_a_row"),
        abandoned_carts: reader.within(&file.addiction.abandoned_carts, 1..=50, "abandoned_carts"),
        high_affinity_percentile: *percentile,
        vip_ceiling,
        new_customer_ceiling,
    }
}

/// A step that gives something away; rung 0 must give nothing and is no [`Step`].
fn step(reader: &mut Reader<'_>, rung: usize, found: &Spanned<StepFile>, limits: &Limits) -> Option<Step> {
    let (at, file) = (found.span(), found.get_ref());
    let name = file.id.get_ref().clone();
    let concession = match (&file.percent, file.free_shipping) {
        (Some(percent), false) => Some((Concession::Percent(*percent.get_ref()), percent.span())),
        (None, true) => Some((Concession::FreeShipping, at.clone())),
        (None, false) => None,
        (Some(percent), true) => {
            reader.fault(percent.span(), Some(&name), "a step is either `percent` or `free_shipping`, not both");
            return None;
        }
    };
    let (concession, place) = match (rung, concession) {
        (0, None) => return None,
        (0, Some((_, place))) => {
            reader.fault(place, Some(&name), "the first step gives nothing: no `percent`, no `free_shipping`");
            return None;
        }
        (_, None) => {
            reader.fault(at, Some(&name), "say what it gives: `percent = 5` or `free_shipping = true`");
            return None;
        }
        (_, Some(given)) => given,
    };
    match concession {
        Concession::Percent(percent) if percent == 0 || percent > limits.max_percent => {
            let max = limits.max_percent;
            reader.fault(place, Some(&name), format!("{percent} % is outside 1..{max} (limits.max_percent)"));
        }
        Concession::Percent(_) | Concession::FreeShipping => {}
    }
    let id = OfferStepId::new(&name).map_err(|e| reader.fault(file.id.span(), Some(&name), e.to_string())).ok();
    let label = required(reader, &at, &name, "label", &file.label);
    let label_de = required(reader, &at, &name, "label_de", &file.label_de);
    let code_prefix = required(reader, &at, &name, "code_prefix", &file.code_prefix);
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    if let (Some(prefix), Some(found)) = (&code_prefix, &file.code_prefix)
        && (!(3..=12).contains(&prefix.len()) || !prefix.chars().all(plain))
    {
        reader.fault(found.span(), Some(&name), "a code prefix is 3 to 12 capital letters or digits");
    }
    let valid_days = required(reader, &at, &name, "valid_days", &file.valid_days);
    if let (Some(days), Some(found)) = (valid_days, &file.valid_days)
        && !(1..=MAX_VALID_DAYS).contains(&days)
    {
        reader.fault(found.span(), Some(&name), format!("valid_days must lie in 1..{MAX_VALID_DAYS}"));
    }
    if file.requires_approval.is_none() {
        reader.fault(at.clone(), Some(&name), "`requires_approval` is missing");
    }
    if file.flows.is_empty() {
        reader.fault(at, Some(&name), "`flows` is missing: name the flows that may offer it");
    }
    let mut flows = Vec::new();
    for flow in &file.flows {
        match FlowId::new(flow.get_ref()) {
            Ok(flow) => flows.push(flow),
            Err(e) => reader.fault(flow.span(), Some(&name), e.to_string()),
        }
    }
    Some(Step {
        id: id?,
        concession,
        requires_approval: file.requires_approval?,
        flows,
        label: label?,
        label_de: label_de?,
        code_prefix: code_prefix?,
        valid_days: i32::try_from(valid_days?).ok()?,
    })
}

fn required<T: Clone + PartialEq + Default>(
    reader: &mut Reader<'_>,
    at: &Range<usize>,
    step: &str,
    key: &str,
    found: &Option<Spanned<T>>,
) -> Option<T> {
    match found {
        Some(value) if *value.get_ref() != T::default() => Some(value.get_ref().clone()),
        Some(value) => {
            reader.fault(value.span(), Some(step), format!("`{key}` is empty"));
            None
        }
        None => {
            reader.fault(at.clone(), Some(step), format!("`{key}` is missing"));
            None
        }
    }
}

/// Ids are unique and percentages rise, so that "the smallest step" and "no deeper than" have a meaning.
fn order(reader: &mut Reader<'_>, steps: &[Spanned<StepFile>]) {
    let mut seen: Vec<&str> = Vec::new();
    let mut deepest = 0;
    for found in steps {
        let file = found.get_ref();
        let name = file.id.get_ref().as_str();
        if seen.contains(&name) {
            reader.fault(file.id.span(), Some(name), "this id is used twice");
        }
        seen.push(name);
        if let Some(percent) = &file.percent {
            if *percent.get_ref() <= deepest {
                reader.fault(percent.span(), Some(name), format!("steps rise: this one must exceed {deepest} %"));
            }
            deepest = deepest.max(*percent.get_ref());
        } else if file.free_shipping && deepest > 0 {
            reader.fault(found.span(), Some(name), "free shipping stands below the percentages");
        }
    }
}
