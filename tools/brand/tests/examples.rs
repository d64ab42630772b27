//! One test a rule, named after it: its failing example is found, its passing one is not. One test a law: so are the examples of every
//! rule that keeps it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use kit::message::Finding;
use mailwright_brand::{RuleBook, examples, legal, rules};

/// The shop's own files.
static BOOK: LazyLock<RuleBook> = LazyLock::new(|| {
    let claims = include_str!("../../../knowledge/brand/claims.toml");
    RuleBook::parse("rules.toml", common::RULES, "claims.toml", claims).unwrap()
});

fn holds(rule: &str) {
    let example = examples::of(rule).unwrap_or_else(|| panic!("{rule} has no example"));
    let found = |findings: &[Finding]| findings.iter().any(|f| f.rule == rule);
    let passing = example.check_passing(&BOOK).unwrap();
    assert!(!found(&passing), "{rule} finds its passing example: {passing:?}");
    let failing = example.check_failing(&BOOK).unwrap();
    assert!(found(&failing), "{rule} does not find its failing example: {failing:?}");
    let told = BOOK.explain(rule).unwrap();
    assert_eq!((told.passes, told.fails), (Some(example.passing()), Some(example.failing())));
}

/// A law is kept by rules whose examples hold, by something else that is named, or by both.
fn kept(law: &str) {
    let law = legal::of(law).unwrap();
    assert!(!law.kept_by.is_empty() || !law.elsewhere.is_empty(), "{law:?}");
    for rule in &law.kept_by {
        assert!(BOOK.explain(rule).is_some(), "{} names {rule}", law.id);
        if rules::ALL.iter().any(|r| r.id == rule) {
            holds(rule);
        }
    }
    for place in law.elsewhere.iter().filter_map(|e| e.split(": ").next()) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../").to_owned() + place;
        assert!(std::path::Path::new(&path).exists(), "{} names {place}", law.id);
    }
}

macro_rules! each {
    ($list:ident $check:ident: $($name:ident $id:literal)+) => {
        const $list: &[&str] = &[$($id),+];
        $(#[test] fn $name() { $check($id); })+
    };
}

each! { RULES holds:
    script_invisible "script.invisible"
    script_mixed "script.mixed"
    script_styled "script.styled"
    script_spaced "script.spaced"
    figure_digits "figure.digits"
    figure_currency "figure.currency"
    figure_percent "figure.percent"
    figure_money_words "figure.money-words"
    figure_number_words "figure.number-words"
    figure_measure_words "figure.measure-words"
    figure_date "figure.date"
    figure_url "figure.url"
    figure_email "figure.email"
    figure_markup "figure.markup"
    slot_syntax "slot.syntax"
    slot_unknown_fact "slot.unknown-fact"
    slot_unknown_field "slot.unknown-field"
    slot_not_printable "slot.not-printable"
    slot_review "slot.review"
    slot_offer "slot.offer"
    slot_was_price "slot.was-price"
    slot_first_name_place "slot.first-name-place"
    slot_first_name_typed "slot.first-name-typed"
    slot_first_name_form "slot.first-name-form"
    sms_shape "sms.shape"
    sms_products "sms.products"
    slot_title_typed "slot.title-typed"
    reader_cart "reader.cart"
    reader_ordered "reader.ordered"
    reader_bought "reader.bought"
    reader_chosen "reader.chosen"
    reader_act "reader.act"
    scare_account "scare.account"
    review_typed "review.typed"
    structure_subjects "structure.subjects"
    structure_subjects_alike "structure.subjects-alike"
    structure_subject_length "structure.subject-length"
    structure_subject_meaning "structure.subject-meaning"
    structure_preheader_length "structure.preheader-length"
    structure_preheader_repeats "structure.preheader-repeats"
    structure_heading "structure.heading"
    structure_cta "structure.cta"
    structure_cta_place "structure.cta-place"
    structure_cta_link "structure.cta-link"
    structure_cta_label "structure.cta-label"
    structure_cta_verb "structure.cta-verb"
    structure_products "structure.products"
    structure_product_twice "structure.product-twice"
    structure_one_idea "structure.one-idea"
    structure_fact_kind "structure.fact-kind"
    structure_offers "structure.offers"
    fact_out_of_stock "fact.out-of-stock"
    fact_offer_ended "fact.offer-ended"
    fact_review_stars "fact.review-stars"
    fact_review_product "fact.review-product"
    fact_claim "fact.claim"
    fact_outside_text "fact.outside-text"
    fact_outside_offer "fact.outside-offer"
    fact_outside_words "fact.outside-words"
    link_host "link.host"
    link_personal "link.personal"
    review_connection "review.connection"
    fact_currency "fact.currency"
    link_utm "link.utm"
    image_alt "image.alt"
    regulated_review "regulated.review"
    regulated_health "regulated.health"
    claim_superlative "claim.superlative"
    claim_benefit "claim.benefit"
    claim_certification "claim.certification"
    claim_health "claim.health"
    claim_environmental "claim.environmental"
    claim_guarantee "claim.guarantee"
    claim_comparative "claim.comparative"
    claim_performance "claim.performance"
    claim_delivery "claim.delivery"
    urgency_scarcity "urgency.scarcity"
    urgency_deadline "urgency.deadline"
    urgency_today "urgency.today"
    urgency_social_proof "urgency.social-proof"
    promise_discount "promise.discount"
    promise_shipping "promise.shipping"
    promise_code "promise.code"
    promise_free "promise.free"
    promise_free_word "promise.free-word"
    tone_service_moment "tone.service-moment"
    privacy_watching "privacy.watching"
    privacy_never_mention "privacy.never-mention"
    privacy_signals "privacy.signals"
    review_sentiment "review.sentiment"
    tone_off "tone.off"
    privacy_sensitive "privacy.sensitive"
    bias_targeting "bias.targeting"
    safety_machine_words "safety.machine-words"
    subject_fake_reply "subject.fake-reply"
    subject_check_mark "subject.check-mark"
    style_exclamation "style.exclamation"
    style_formal_address "style.formal-address"
    style_caps "style.caps"
    style_emoji "style.emoji"
    style_emoji_denied "style.emoji-denied"
    style_reading "style.reading"
    language_wanted "language.wanted"
    language_mismatch "language.mismatch"
}

each! { LAWS kept:
    us_canspam_from "us.canspam.from"
    us_canspam_subject "us.canspam.subject"
    us_wa_cema_subject "us.wa.cema.subject"
    us_canspam_optout "us.canspam.optout"
    us_canspam_address "us.canspam.address"
    us_canspam_primary "us.canspam.primary"
    eu_sender "eu.sender"
    uk_pecr_content "uk.pecr.content"
    ca_casl_content "ca.casl.content"
    ftc_review "ftc.review"
    ftc_endorse "ftc.endorse"
    ftc_was "ftc.was"
    ftc_free "ftc.free"
    ftc_urgency "ftc.urgency"
    eu_price30 "eu.price30"
    us_dshea "us.dshea"
    us_cosmetic "us.cosmetic"
    us_health "us.health"
    eu_health "eu.health"
    eu_claims "eu.claims"
    eu_aiact50 "eu.aiact50"
    gdpr_sensitive "gdpr.sensitive"
}

#[test]
fn no_rule_and_no_law_is_without_its_test() {
    let built_in: BTreeSet<&str> = rules::ALL.iter().map(|r| r.id).collect();
    assert_eq!(RULES.iter().copied().collect::<BTreeSet<_>>(), built_in);
    assert_eq!(examples::rules().into_iter().collect::<BTreeSet<_>>(), built_in);
    let laws: BTreeSet<&str> = legal::all().iter().map(|l| l.id.as_str()).collect();
    assert_eq!(LAWS.iter().copied().collect::<BTreeSet<_>>(), laws);
}

#[test]
fn the_page_for_the_lawyer_says_what_the_table_says() {
    let page = include_str!("../LEGAL.md");
    for law in legal::all() {
        let row = format!("| {} | {} | {} |", law.id, law.source, law.confirm);
        assert!(page.contains(&row), "{row}");
    }
}
