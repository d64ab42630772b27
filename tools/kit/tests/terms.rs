//! Nothing outside of what was approved is ever covered: a message that lies inside, and everything that can be changed about
//! it, one at a time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use mailwright_kit::campaign::{
    Angle, AudienceTree, CampaignId, CampaignTerms, ClassCopy, ClassId, ClassKey, ClassTerms, Fill, Outside, Place,
    SlotProduct, SlotRules, SubjectOption, compose, merkle, slot_fact,
};
use mailwright_kit::message::{Block, Channel, CheckReport, Confidence, Draft, DraftRecord};
use mailwright_kit::{
    Currency, Digest, Fact, FactBook, FactId, FactKind, FactValue, Language, Money, OfferStepId, ProductId, ShopId,
    Timestamp,
};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn product(id: &str, number: usize, minor: i64) -> Fact {
    let fields = [
        ("title", FactValue::text(format!("Pack {number}"))),
        ("price", FactValue::money(Money::new(minor, Currency::EUR))),
        ("stock", FactValue::count(40)),
        ("url", FactValue::url(format!("https://shop.example/p/{number}"))),
    ];
    Fact {
        id: FactId::new(id).unwrap(),
        kind: FactKind::Product,
        subject: format!("p-{number}"),
        fields: fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
        source: "test".into(),
        as_of: at("2026-11-17T10:00:00Z"),
    }
}

fn offer() -> Fact {
    let fields = [
        ("label", FactValue::text("10% off")),
        ("code", FactValue::text("TARN-SAMPLE")),
        ("percent", FactValue::count(10)),
        ("ends", FactValue::Time { at: at("2026-11-26T23:59:59Z") }),
    ];
    Fact {
        kind: FactKind::Offer,
        subject: "ten-percent".into(),
        fields: BTreeMap::from(fields.map(|(n, v)| (n.to_owned(), v))),
        ..product("f102", 0, 1)
    }
}

fn report(draft: &Draft, facts: &FactBook) -> CheckReport {
    CheckReport {
        content: draft.content_hash(facts).unwrap(),
        rules_version: Digest::of_bytes(b"rules"),
        findings: Vec::new(),
        checked_at: at("2026-11-17T10:00:00Z"),
    }
}

/// A campaign with one class of people who get an offer, everybody's place, and one person's message inside it.
struct Story {
    terms: CampaignTerms,
    copy: ClassCopy,
    fill: Fill,
    class: ClassId,
    destination: Digest,
    place: usize,
    tree: AudienceTree,
    step: OfferStepId,
    now: Timestamp,
}

impl Story {
    fn new(people: usize, place: usize) -> Self {
        let campaign = CampaignId::new("cmp-1").unwrap();
        let step = OfferStepId::new("ten-percent").unwrap();
        let key = ClassKey {
            lead: ProductId::new("p-1").unwrap(),
            angle: Angle::Benefit,
            tone: None,
            language: Language::EN,
            offer: Some(step.clone()),
        };
        let class = key.id(&campaign);
        let draft = Draft {
            channel: Channel::Email,
            language: Language::EN,
            angle: "benefit".into(),
            subjects: ["One", "Two", "Three"].map(str::to_owned).to_vec(),
            preheader: "What to look for first.".into(),
            blocks: vec![
                Block::Heading { text: "A pack".into() },
                Block::Product { fact: FactId::new("f101").unwrap(), reason: "This one.".into() },
                Block::Offer { fact: FactId::new("f102").unwrap(), text: "And a code.".into() },
                Block::Cta { fact: FactId::new("f101").unwrap(), label: "See it".into() },
            ],
            confidence: Confidence::High,
        };
        let mut facts = FactBook::new();
        facts.insert(product("f101", 1, 10_000));
        facts.insert(offer());
        let report = report(&draft, &facts);
        let mail = DraftRecord { draft, facts, report, authors: BTreeSet::new() };
        let subjects = vec![SubjectOption { text: "One".into(), angle: Angle::Benefit }];
        let copy = ClassCopy { subjects, mail: Some(mail), sms: None, tested: 2 };
        let destinations: Vec<Digest> = (0..people).map(|n| Digest::of_bytes(&n.to_be_bytes())).collect();
        let tree = AudienceTree::new(destinations.iter().map(|d| merkle::leaf(*d, &class, Some(&step))).collect());
        let slots = (0..2).map(|n| {
            let fact = product(slot_fact(n).unwrap().as_str(), 10 + n, 5_000);
            SlotProduct { fact, reason: "Goes with it.".into(), path: "p-1 -accessory-> p-10".into() }
        });
        let mut own = offer();
        own.fields.insert("code".into(), FactValue::text("TARN-7K3Q9M"));
        let fill = Fill { facts: vec![product("f101", 1, 10_000), own], products: slots.collect() };
        let priced = |n: usize, minor| (ProductId::new(format!("p-{n}")).unwrap(), Money::new(minor, Currency::EUR));
        let terms = CampaignTerms {
            shop: ShopId::new("s").unwrap(),
            campaign,
            classes: vec![ClassTerms { id: class.clone(), key, copy: copy.digest(), people: 1 }],
            slots: SlotRules { least: 2, most: 3 },
            products: BTreeMap::from([priced(1, 10_000), priced(10, 5_000), priced(11, 5_000)]),
            price_tolerance_permille: 50,
            audience: tree.root(),
            recipients: u32::try_from(people).unwrap(),
            not_before: at("2026-11-19T09:00:00Z"),
            not_after: at("2026-11-20T23:00:00Z"),
            rules: Digest::of_bytes(b"rules"),
            release: Digest::of_bytes(b"release"),
        };
        let destination = destinations[place];
        Self { terms, copy, fill, class, destination, place, tree, step, now: at("2026-11-19T12:00:00Z") }
    }

    fn record(&self) -> DraftRecord {
        let class = self.copy.mail.as_ref().unwrap();
        let (draft, facts) = compose(class, &self.fill);
        let report = report(&draft, &facts);
        DraftRecord { draft, facts, report, authors: BTreeSet::new() }
    }

    fn judge_with(&self, record: &DraftRecord, offer: Option<&OfferStepId>) -> Result<Digest, Outside> {
        let proof = self.tree.proof(self.place).unwrap();
        let place = Place { class: &self.class, destination: self.destination, offer, proof: &proof };
        self.terms.covers(&place, &self.copy, &self.fill, record, self.now).map(|covered| covered.terms())
    }

    fn judge(&self) -> Result<Digest, Outside> {
        self.judge_with(&self.record(), Some(&self.step))
    }
}

#[test]
fn what_lies_inside_is_covered_and_a_price_within_tolerance_too() {
    let mut story = Story::new(5, 3);
    assert_eq!(story.judge(), Ok(story.terms.digest()));
    story.fill.products[0].fact = product("f90001", 10, 5_250);
    assert!(story.judge().is_ok(), "five per cent is what was approved");
    story.fill.products[0].fact = product("f90001", 10, 5_251);
    assert!(matches!(story.judge(), Err(Outside::Price { .. })));
}

proptest! {
    #[test]
    fn nothing_outside_is_covered(people in 1..40_usize, seed in 0..40_usize, change in 0..17_u8) {
        let mut story = Story::new(people, seed % people);
        prop_assert!(story.judge().is_ok());
        let record = story.record();
        let verdict = match change {
            0 => { story.destination = Digest::of_bytes(b"stranger"); story.judge() }
            1 => story.judge_with(&record, None),
            2 => { story.class = ClassId::new("cls-other").unwrap(); story.judge() }
            3 => { story.now = at("2026-11-19T08:59:59Z"); story.judge() }
            4 => { story.now = story.terms.not_after; story.judge() }
            5 => { story.fill.products.pop(); story.judge() }
            6 => {
                let third = SlotProduct { fact: product("f90003", 10, 5_000), ..story.fill.products[0].clone() };
                story.fill.products.push(third);
                story.judge()
            }
            7 => { story.fill.products[1].fact = product("f90002", 77, 5_000); story.judge() }
            8 => { story.fill.products[1].fact = product("f90002", 1, 10_000); story.judge() }
            9 => { story.fill.facts[0] = product("f101", 10, 5_000); story.judge() }
            10 => { story.fill.facts[0].fields.insert("url".into(), FactValue::url("https://else.example/")); story.judge() }
            11 => { story.fill.facts[1].fields.insert("percent".into(), FactValue::count(50)); story.judge() }
            12 => { story.fill.facts[1].fields.insert("label".into(), FactValue::text("50% off")); story.judge() }
            13 => { story.copy.mail.as_mut().unwrap().draft.blocks[0] = Block::Heading { text: "Else".into() }; story.judge() }
            14 => {
                let mut other = record.clone();
                other.draft.blocks[1] = Block::Product { fact: FactId::new("f101").unwrap(), reason: "Hurry.".into() };
                story.judge_with(&other, Some(&story.step.clone()))
            }
            15 => {
                let mut other = record.clone();
                other.facts.insert(product("f999", 10, 1));
                story.judge_with(&other, Some(&story.step.clone()))
            }
            _ => { story.copy.tested = 3; story.judge() }
        };
        prop_assert!(verdict.is_err(), "change {change} is covered");
    }

    #[test]
    fn any_other_terms_have_another_digest(change in 0..9_u8, people in 2..9_usize) {
        let story = Story::new(people, 0);
        let mut other = story.terms.clone();
        match change {
            0 => other.audience = Digest::of_bytes(b"others"),
            1 => other.not_after = at("2026-11-21T23:00:00Z"),
            2 => other.price_tolerance_permille = 51,
            3 => { other.products.pop_first(); }
            4 => other.slots.most = 4,
            5 => other.classes[0].copy = Digest::of_bytes(b"other words"),
            6 => other.classes[0].key.offer = None,
            7 => other.rules = Digest::of_bytes(b"other rules"),
            _ => other.recipients += 1,
        }
        prop_assert_ne!(other.digest(), story.terms.digest());
    }

    #[test]
    fn a_person_keeps_their_subject_and_both_are_used(number in any::<u64>()) {
        let story = Story::new(1, 0);
        let who = Digest::of_bytes(&number.to_be_bytes());
        let arm = story.copy.subject_for(&story.terms.campaign, who);
        prop_assert!(arm < 2);
        prop_assert_eq!(arm, story.copy.subject_for(&story.terms.campaign, who));
        let arms: BTreeSet<usize> =
            (0..64_u64).map(|n| story.copy.subject_for(&story.terms.campaign, Digest::of_bytes(&n.to_be_bytes()))).collect();
        prop_assert_eq!(arms.len(), 2);
    }
}
