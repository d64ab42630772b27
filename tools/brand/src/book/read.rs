//! From the files to a compiled [`RuleBook`], collecting every error with its place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use kit::Digest;
use kit::message::Severity;
use serde::de::DeserializeOwned;

use super::file::{ClaimEntry, ClaimsFile, Detector, DisclosureEntry, Lexicon, PhraseEntry, RulesFile};
use super::{Claim, Disclosure, FlowRules, PhraseRule, Role, RuleBook, RuleFileError, RuleFileErrors, Scope};
use crate::phrases::{Lang, Owner, Phrase, Phrases};
use crate::rules;

const RULES_SCHEMA: &str = "mailwright.brand/1";
const CLAIMS_SCHEMA: &str = "mailwright.claims/1";
const LEXICON_LABEL: &str = "lexicon.toml (built in)";
const LEXICON: &str = include_str!("../lexicon.toml");
/// Raised whenever the code of a check changes what it finds, so that old reports do not count any more.
const CHECKER: &str = "brand-checker/5";

/// One file being read.
struct Source<'a> {
    label: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn fault(&self, at: Range<usize>, rule: Option<&str>, problem: impl Into<String>) -> RuleFileError {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        RuleFileError {
            file: self.label.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).map_or(0, |l| l.chars().count()) + 1,
            rule: rule.map(str::to_owned),
            problem: problem.into(),
        }
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, RuleFileError> {
        toml::from_str(self.text).map_err(|e| self.fault(e.span().unwrap_or_default(), None, e.message()))
    }
}

/// A book in the making: rules, claims and phrases with the place each came from.
#[derive(Default)]
struct Draft {
    rules: Vec<PhraseRule>,
    claims: Vec<Claim>,
    disclosures: Vec<Disclosure>,
    phrases: Vec<Phrase>,
    /// For each phrase: the error to report when it does not compile.
    places: Vec<RuleFileError>,
    errors: Vec<RuleFileError>,
}

/// Words of one rule by language.
struct Words<'a> {
    lists: [(Option<Lang>, &'a [String]); 3],
    weak: [(Lang, &'a [String]); 2],
    near: &'a [String],
    except: &'a [String],
    stem: bool,
}

pub(super) fn book(
    rules_label: &str,
    rules_toml: &str,
    claims_label: &str,
    claims_toml: &str,
) -> Result<RuleBook, RuleFileErrors> {
    let source = Source { label: rules_label, text: rules_toml };
    let claims_source = Source { label: claims_label, text: claims_toml };
    let lexicon_source = Source { label: LEXICON_LABEL, text: LEXICON };
    let (file, claims, lexicon) =
        match (source.read::<RulesFile>(), claims_source.read::<ClaimsFile>(), lexicon_source.read::<Lexicon>()) {
            (Ok(file), Ok(claims), Ok(lexicon)) => (file, claims, lexicon),
            (file, claims, lexicon) => {
                return Err(RuleFileErrors([file.err(), claims.err(), lexicon.err()].into_iter().flatten().collect()));
            }
        };
    let mut draft = Draft::default();
    schema(&mut draft, &source, &file.schema, RULES_SCHEMA);
    schema(&mut draft, &claims_source, &claims.schema, CLAIMS_SCHEMA);
    let severities = severities(&mut draft, &source, &file);
    for detector in &lexicon.detector {
        draft.detector(&lexicon_source, detector, &severities);
    }
    for entry in &file.phrase {
        draft.phrase_rule(&source, entry);
    }
    for entry in &claims.claim {
        draft.claim(&claims_source, entry);
    }
    for entry in &file.disclosure {
        draft.disclosure(&source, entry);
    }
    let tone = tones(&mut draft, &source, &file);
    let languages = languages(&mut draft, &source, &file);
    let flows = flows(&mut draft, &source, &file);
    let phrases = Phrases::read(std::mem::take(&mut draft.phrases)).map_err(|faults| {
        faults.into_iter().filter_map(|(index, why)| {
            let mut error = draft.places.get(index)?.clone();
            error.problem = why.to_string();
            Some(error)
        })
    });
    match phrases {
        Ok(phrases) if draft.errors.is_empty() => Ok(RuleBook {
            phrases,
            rules: draft.rules,
            claims: draft.claims,
            style: file.style,
            structure: file.structure,
            image_hosts: file.links.image_hosts,
            utm_allow: file.links.utm_allow,
            disclosures: draft.disclosures,
            tone,
            max_signals: file.personalisation.max_signals,
            languages,
            flows,
            matchers: OnceLock::new(),
            severities,
            version: Digest::of_parts([CHECKER, LEXICON, rules_toml, claims_toml]),
        }),
        phrases => {
            let mut errors = draft.errors;
            errors.extend(phrases.err().into_iter().flatten());
            Err(RuleFileErrors(errors))
        }
    }
}

fn schema(draft: &mut Draft, source: &Source<'_>, found: &toml::Spanned<String>, expected: &str) {
    if found.get_ref() != expected {
        draft.errors.push(source.fault(found.span(), None, format!("this build reads schema \"{expected}\"")));
    }
}

/// Severities the shop raises, with `[claims] unmatched` spread over the claim rules.
fn severities(draft: &mut Draft, source: &Source<'_>, file: &RulesFile) -> BTreeMap<String, Severity> {
    let mut severities = BTreeMap::new();
    if *file.claims.unmatched.get_ref() == Severity::Warn {
        let problem = "unmatched claims are `approve` or `block`";
        draft.errors.push(source.fault(file.claims.unmatched.span(), None, problem));
    }
    for rule in rules::ALL.iter().filter(|r| r.id.starts_with("claim.")) {
        severities.insert(rule.id.to_owned(), *file.claims.unmatched.get_ref());
    }
    for (id, severity) in &file.severity {
        match rules::ALL.iter().find(|r| r.id == id) {
            None => {
                draft.errors.push(source.fault(severity.span(), Some(id), "there is no built-in rule of this name"))
            }
            Some(rule) if *severity.get_ref() < rule.severity => {
                let problem = format!("may only be raised; it is {:?} by itself", rule.severity);
                draft.errors.push(source.fault(severity.span(), Some(id), problem));
            }
            Some(_) => {
                severities.insert(id.clone(), *severity.get_ref());
            }
        }
    }
    severities
}

fn languages(draft: &mut Draft, source: &Source<'_>, file: &RulesFile) -> Vec<Lang> {
    let mut languages = Vec::new();
    for found in &file.languages {
        match Lang::parse(found.get_ref()) {
            Some(language) => languages.push(language),
            None => {
                let problem = format!("there are no word lists for `{}`; en and de have them", found.get_ref());
                draft.errors.push(source.fault(found.span(), None, problem));
            }
        }
    }
    languages
}

fn flows(draft: &mut Draft, source: &Source<'_>, file: &RulesFile) -> BTreeMap<String, FlowRules> {
    let mut flows = BTreeMap::new();
    for found in &file.flow {
        let flow = found.get_ref();
        let [min, max] = flow.products;
        if min > max || max > 4 {
            let problem = "products = [least, most], with at most 4";
            draft.errors.push(source.fault(found.span(), Some(&flow.id), problem));
        }
        let rules = FlowRules { products: (min, max), service: flow.service };
        if flows.insert(flow.id.clone(), rules).is_some() {
            draft.errors.push(source.fault(found.span(), Some(&flow.id), "this flow is listed twice"));
        }
    }
    flows
}

fn tones(draft: &mut Draft, source: &Source<'_>, file: &RulesFile) -> BTreeMap<String, super::file::ToneBounds> {
    let mut tones = BTreeMap::new();
    for (flow, found) in &file.tone {
        let bounds = *found.get_ref();
        if [bounds.urgent, bounds.warm].into_iter().flatten().any(|[least, most]| least > most || most > 5) {
            draft.errors.push(source.fault(found.span(), Some(flow), "bounds are [least, most] within 0 to 5"));
        }
        tones.insert(flow.clone(), bounds);
    }
    tones
}

impl Draft {
    fn detector(
        &mut self,
        source: &Source<'_>,
        found: &toml::Spanned<Detector>,
        severities: &BTreeMap<String, Severity>,
    ) {
        let detector = found.get_ref();
        let id = detector.rule.get_ref();
        let Some(rule) = rules::ALL.iter().find(|r| r.id == id) else {
            self.errors.push(source.fault(detector.rule.span(), Some(id), "there is no built-in rule of this name"));
            return;
        };
        let words = Words {
            lists: [(None, &detector.any), (Some(Lang::En), &detector.en), (Some(Lang::De), &detector.de)],
            weak: [(Lang::En, &detector.weak_en), (Lang::De, &detector.weak_de)],
            near: &detector.near,
            except: &detector.except,
            stem: false,
        };
        let place = source.fault(found.span(), Some(id), "");
        let rule = PhraseRule {
            id: id.clone(),
            severity: severities.get(id).copied().unwrap_or(rule.severity).max(rule.severity),
            scope: detector.scope.clone(),
            role: detector.role.unwrap_or(Role::Plain),
            why: rule.why.to_owned(),
            mend: rule.mend.to_owned(),
            owner: rule.owner.to_owned(),
            source: rule.source.to_owned(),
            looks_for: Vec::new(),
        };
        self.add_rule(rule, &words, place);
    }

    fn phrase_rule(&mut self, source: &Source<'_>, found: &toml::Spanned<PhraseEntry>) {
        let entry = found.get_ref();
        let id = entry.id.get_ref();
        for (key, value) in
            [("why", &entry.why), ("mend", &entry.mend), ("owner", &entry.owner), ("source", &entry.source)]
        {
            if value.trim().is_empty() {
                self.errors.push(source.fault(found.span(), Some(id), format!("`{key}` is empty")));
            }
        }
        if id.trim().is_empty() {
            self.errors.push(source.fault(entry.id.span(), None, "the id is empty"));
        }
        let words = Words {
            lists: [(None, &entry.any), (Some(Lang::En), &entry.en), (Some(Lang::De), &entry.de)],
            weak: [(Lang::En, &[]), (Lang::De, &[])],
            near: &[],
            except: &entry.except,
            stem: entry.stem,
        };
        let rule = PhraseRule {
            id: id.clone(),
            severity: entry.severity,
            scope: entry.scope.clone(),
            role: Role::Plain,
            why: entry.why.clone(),
            mend: entry.mend.clone(),
            owner: entry.owner.clone(),
            source: entry.source.clone(),
            looks_for: Vec::new(),
        };
        if rules::ALL.iter().any(|r| r.id == id) {
            self.errors.push(source.fault(entry.id.span(), Some(id), "a built-in rule has this id; choose another"));
        }
        self.add_rule(rule, &words, source.fault(entry.id.span(), Some(id), ""));
    }

    fn disclosure(&mut self, source: &Source<'_>, found: &toml::Spanned<DisclosureEntry>) {
        let entry = found.get_ref();
        let id = entry.id.get_ref();
        let mut say = |problem: String| self.errors.push(source.fault(entry.id.span(), Some(id), problem));
        if !id.starts_with("disclosure.") {
            say("a disclosure's id begins with `disclosure.`".to_owned());
        }
        for (key, value) in
            [("why", &entry.why), ("mend", &entry.mend), ("owner", &entry.owner), ("source", &entry.source)]
        {
            if value.trim().is_empty() {
                say(format!("`{key}` is empty"));
            }
        }
        let when = &entry.when;
        let unconditional = !when.offer
            && !when.review
            && when.regulated.is_empty()
            && when.product_tag.is_none()
            && when.found.is_empty();
        if unconditional {
            say("`when` is empty: name offer, review, regulated, product_tag or found".to_owned());
        }
        if entry.en.is_empty() || entry.de.is_empty() {
            say("give the sentence in `en` and in `de`".to_owned());
        }
        for wanted in &when.found {
            let known = rules::ALL.iter().any(|r| r.id == wanted) || self.rules.iter().any(|r| r.id == *wanted);
            if !known {
                say(format!("`found` names `{wanted}`, and there is no rule of that name"));
            }
        }
        if self.disclosures.iter().any(|d| d.id == *id) {
            say("this id is used twice".to_owned());
        }
        self.disclosures.push(Disclosure {
            id: id.clone(),
            severity: entry.severity,
            why: entry.why.clone(),
            mend: entry.mend.clone(),
            owner: entry.owner.clone(),
            source: entry.source.clone(),
            when: entry.when.clone(),
            same_block: entry.same_block,
            en: entry.en.clone(),
            de: entry.de.clone(),
        });
    }

    fn add_rule(&mut self, mut rule: PhraseRule, words: &Words<'_>, place: RuleFileError) {
        let fault = |problem: &str| RuleFileError { problem: problem.to_owned(), ..place.clone() };
        if self.rules.iter().any(|r| r.id == rule.id) {
            self.errors.push(fault("this id is used twice"));
        }
        if words.lists.iter().all(|(_, list)| list.is_empty()) {
            self.errors.push(fault("no phrase to look for: fill `any`, `en` or `de`"));
        }
        if rule.scope.is_empty() {
            rule.scope.push(Scope::All);
        }
        let weak = words.weak.iter().flat_map(|(_, list)| list.iter());
        rule.looks_for = words.lists.iter().flat_map(|(_, list)| list.iter()).chain(weak).cloned().collect();
        let index = self.rules.len();
        for (language, list) in words.lists {
            self.add_phrases(list, Owner::Rule(index), language, words.stem, &place);
        }
        for (language, list) in words.weak {
            self.add_phrases(list, Owner::Weak(index), Some(language), false, &place);
        }
        self.add_phrases(words.near, Owner::Near(index), None, false, &place);
        self.add_phrases(words.except, Owner::Except(index), None, words.stem, &place);
        self.rules.push(rule);
    }

    fn add_phrases(
        &mut self,
        texts: &[String],
        owner: Owner,
        language: Option<Lang>,
        stem: bool,
        place: &RuleFileError,
    ) {
        for text in texts {
            self.phrases.push(Phrase { owner, language, stem, text: text.clone() });
            self.places.push(place.clone());
        }
    }

    fn claim(&mut self, source: &Source<'_>, found: &toml::Spanned<ClaimEntry>) {
        let entry = found.get_ref();
        let id = entry.id.get_ref();
        let fault = |problem: &str| source.fault(entry.id.span(), Some(id), problem);
        if self.claims.iter().any(|c| c.id == *id) {
            self.errors.push(fault("this id is used twice"));
        }
        if entry.text.is_empty() {
            self.errors.push(fault("`text` is empty: give the approved words"));
        }
        if entry.evidence.trim().is_empty() {
            self.errors.push(fault("`evidence` is empty: a claim without evidence is no claim"));
        }
        if entry.product_tag.is_some() && !entry.products.is_empty() {
            self.errors.push(fault("name either `product_tag` or `products`"));
        }
        let date = entry.expires.get_ref().date.and_then(|d| {
            Date::new(i16::try_from(d.year).ok()?, i8::try_from(d.month).ok()?, i8::try_from(d.day).ok()?).ok()
        });
        // The claim holds through its last day.
        let expires = date
            .and_then(|d| d.tomorrow().ok())
            .and_then(|d| d.to_zoned(TimeZone::UTC).ok())
            .map(|midnight| midnight.timestamp());
        let Some(expires) = expires else {
            self.errors.push(source.fault(entry.expires.span(), Some(id), "write a date such as 2027-06-30"));
            return;
        };
        self.add_phrases(&entry.text, Owner::Claim(self.claims.len()), None, false, &fault(""));
        self.claims.push(Claim {
            id: id.clone(),
            text: entry.text.clone(),
            evidence: entry.evidence.clone(),
            product_tag: entry.product_tag.clone(),
            products: entry.products.clone(),
            expires,
        });
    }
}
