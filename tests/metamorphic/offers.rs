//! Offers as a property: whatever ladder a shop has, no sequence of tool calls breaks one of its limits, and none is refused
//! that every limit allows. The numbers are computed once more in `model`.

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use kit::fact::FactBook;
use kit::message::*;
use kit::person::Email;
use kit::tool::{Subject, ToolContext};
use kit::{
    CategoryId, Currency, CustomerId, FlowId, Language, Money, OfferStepId, OrderId, Principal, RunId, StoreError,
    Timestamp,
};
use mailwright::store::{Activity, NewRun, OfferHold, OfferLimits, Order, RunState};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use self::model::{Asker, FLOWS, Goods, Model, Past, Rules, rules};
use crate::world::{Terms, World};

const PLACES: usize = 12;
const PEOPLE: usize = 4;
const GOODS: usize = 9;

/// One call of the tool: by whom, for which rung (`None` is the smallest, too high a one is off the ladder), and whether what
/// the run learned before was lost in a crash.
#[derive(Debug, Clone, Copy)]
struct Quote {
    place: usize,
    asked: Option<usize>,
    forgets: bool,
}

/// What the provider said before the run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    NotYet,
    Sent,
    /// Nobody knows: it may have left.
    Unknown,
    Refused,
    /// It is refused when the run has ended already.
    RefusedLate,
}

#[derive(Debug, Clone)]
enum Act {
    Quote(Quote),
    AtOnce(Vec<Quote>),
    /// The run ends without a message.
    End(usize),
    Send(usize, Answer),
    Order(usize, bool),
    Cart(usize),
    Price(usize, i64),
    Days(i64),
}

fn quote() -> impl Strategy<Value = Quote> {
    let asked = prop_oneof![Just(None), (0_usize..7).prop_map(Some)];
    (0..PLACES, asked, any::<bool>()).prop_map(|(place, asked, forgets)| Quote { place, asked, forgets })
}

fn answer() -> impl Strategy<Value = Answer> {
    let refused = prop_oneof![Just(Answer::Refused), Just(Answer::RefusedLate)];
    prop_oneof![1 => Just(Answer::NotYet), 2 => Just(Answer::Sent), 1 => Just(Answer::Unknown), 1 => refused]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => quote().prop_map(Act::Quote),
        4 => proptest::collection::vec(quote(), 2..7).prop_map(Act::AtOnce),
        2 => (0..PLACES).prop_map(Act::End),
        3 => (0..PLACES, answer()).prop_map(|(place, answer)| Act::Send(place, answer)),
        1 => (0..PEOPLE, any::<bool>()).prop_map(|(person, discounted)| Act::Order(person, discounted)),
        1 => (0..PEOPLE).prop_map(Act::Cart),
        3 => (prop_oneof![3 => Just(0), 1 => 0..GOODS], 101_i64..125).prop_map(|(place, percent)| Act::Price(place, percent)),
        2 => (0_i64..20).prop_map(Act::Days),
    ]
}

/// What happened in all cases: a property about nothing would hold as well.
#[derive(Debug, Default)]
struct Tally {
    granted: AtomicU32,
    refused: AtomicU32,
    topped_up: AtomicU32,
    stood: AtomicU32,
    sent: AtomicU32,
    full: AtomicU32,
    months: AtomicU32,
    given_back: AtomicU32,
    refused_sends: AtomicU32,
}

/// A shop under test, beside the model of it.
struct Trial<'a> {
    world: World,
    model: Model,
    people: Vec<CustomerId>,
    /// How often a place has begun anew: each time as another run, about another occasion.
    rounds: [u32; PLACES],
    facts: BTreeMap<String, FactBook>,
    baskets: Vec<Vec<usize>>,
    tally: &'a Tally,
}

impl<'a> Trial<'a> {
    async fn open(rules: Rules, baskets: Vec<Vec<usize>>, tally: &'a Tally) -> Self {
        let terms = Terms::of(7).shelf(|shelf| {
            let goods = &mut shelf.products[..GOODS];
            for (place, product) in goods.iter_mut().enumerate() {
                let price = [4_000, 1_200, 2_500, 3_000, 3_000, 3_000, 2_000, 2_000, 60_000][place];
                product.price = Money::new(price, Currency::EUR);
                product.cost = Some(Money::new(price * if place == 1 { 70 } else { 40 } / 100, Currency::EUR));
            }
            goods[2].compare_at = Some(Money::new(4_000, Currency::EUR));
            goods[3].tags = vec!["map".to_owned()];
            goods[4].category = CategoryId::new("food/bars").unwrap();
            goods[5].regulated = Some("supplement".to_owned());
            goods[6].cost = None;
        });
        let shelf: Vec<Goods> = terms
            .goods()
            .iter()
            .take(GOODS)
            .enumerate()
            .map(|(place, product)| Goods {
                id: product.id.clone(),
                price: product.price.minor,
                cost: product.cost.map(|cost| cost.minor),
                fixed_price: matches!(place, 2..=5),
            })
            .collect();
        let mut world = terms.open().await;
        world.release(|files| drop(files.insert("knowledge/offers/ladder.toml".to_owned(), rules.toml()))).await;
        let (mut people, mut past) = (Vec::new(), BTreeMap::new());
        for number in 0..PEOPLE {
            let mut person = world.person();
            person.vip = number == 0;
            let id = world.join(person).await;
            past.insert(id.clone(), Past { vip: number == 0, ..Past::default() });
            people.push(id);
        }
        let (askers, spent) = (BTreeMap::new(), BTreeMap::new());
        let model = Model { rules, goods: shelf, askers, people: past, spent };
        let mut trial = Self { world, model, people, rounds: [0; PLACES], facts: BTreeMap::new(), baskets, tally };
        // The last of the four is new to the shop.
        for person in 0..PEOPLE - 1 {
            trial.order(person, false).await;
        }
        trial
    }

    fn name(&self, place: usize) -> String {
        format!("run-{place}-{}", self.rounds[place])
    }

    /// Who asks from this place, begun when it is not.
    async fn asker(&mut self, place: usize) -> String {
        let name = self.name(place);
        if self.model.askers.contains_key(&name) {
            return name;
        }
        let (now, customer, flow) = (self.world.now(), self.people[place % PEOPLE].clone(), place / PEOPLE);
        if FLOWS[flow] != "campaign" {
            let new = NewRun {
                id: RunId::new(&name).unwrap(),
                flow: FlowId::new(FLOWS[flow]).unwrap(),
                customer: customer.clone(),
                occasion: name.clone(),
                step: 1,
                due: now,
                cause: "test".to_owned(),
                supersede: None,
                release: self.world.tenant.release.digest,
                plan: "{}".to_owned(),
            };
            assert!(self.world.tenant.store.admit(new, now).await.unwrap().new);
        }
        let basket = self.baskets[(place + self.rounds[place] as usize) % self.baskets.len()].clone();
        self.model.askers.insert(name.clone(), Asker { customer, flow, basket, since: now, grant: None });
        self.facts.insert(name.clone(), FactBook::new());
        name
    }

    fn subject(&self, name: &str) -> Subject {
        let asker = &self.model.askers[name];
        Subject {
            flow: FlowId::new(FLOWS[asker.flow]).unwrap(),
            customer: asker.customer.clone(),
            occasion: name.to_owned(),
            step: 1,
            triggered_at: asker.since,
            products: asker.basket.iter().map(|place| self.model.goods[*place].id.clone()).collect(),
            cart_url: None,
            stops_on_purchase: false,
            language: Language::EN,
            release: self.world.tenant.release.digest,
        }
    }

    /// The calls, all at once, then what each was told.
    async fn ask(&mut self, quotes: &[Quote]) {
        let now = self.world.now();
        let mut calls = tokio::task::JoinSet::new();
        for quote in quotes {
            let name = self.asker(quote.place).await;
            let known = if quote.forgets { FactBook::new() } else { self.facts[&name].clone() };
            let remembers = known.iter().next().is_some();
            let (shop, run) = (self.world.tenant.store.id().clone(), RunId::new(&name).unwrap());
            let subject = Arc::new(self.subject(&name));
            let cx = ToolContext::new(shop, run, Principal::System, now, subject, Arc::new(known), None, 1);
            let step = quote.asked.map(|rung| self.model.rules.id(rung));
            let args = json!({"step": step, "reason": "because the model says so"}).to_string();
            let tool = self.world.tenant.registry.get("quote_offer").unwrap().clone();
            // One alone is foreseen to the cent; of many at once only what comes of them together is.
            let expected = (quotes.len() == 1 && !remembers).then(|| self.model.expects(&name, quote.asked, now));
            calls.spawn(async move {
                let answer: Value = serde_json::from_str(&tool.call(&cx, &args).await.unwrap()).unwrap();
                (name, remembers, expected, answer, cx.finish().0)
            });
        }
        for (name, remembers, expected, answer, facts) in calls.join_all().await {
            let granted = (answer["answer"] == "granted").then(|| {
                let rung = self.model.rules.rung_of(answer["step"].as_str().unwrap());
                (rung, answer["code"].as_str().unwrap().to_owned())
            });
            if remembers {
                self.tally.stood.fetch_add(u32::from(granted.is_some()), Relaxed);
                if let (Some((rung, code)), Some(grant)) = (granted, &self.model.askers[&name].grant) {
                    assert_eq!((rung, &code), (grant.rung, &grant.code));
                }
                continue;
            }
            if let Some(expected) = expected {
                assert_eq!(granted.as_ref().map(|(rung, _)| *rung), expected.map(|(rung, _)| rung), "{name}: {answer}");
            }
            let Some((rung, code)) = granted else {
                self.tally.refused.fetch_add(1, Relaxed);
                continue;
            };
            let asker = &self.model.askers[&name];
            let cost = self.model.cost(rung, &asker.basket).expect("a limit of the basket is broken");
            assert!(self.model.rules.steps[rung - 1].2.contains(&asker.flow), "not in this flow");
            let past = &self.model.people[&asker.customer];
            assert!(!past.vip || rung <= self.model.rules.vip, "above the ceiling of VIPs");
            assert!(!past.orders.is_empty() || rung <= self.model.rules.new, "above the ceiling of new customers");
            let again = asker.grant.as_ref().is_some_and(|grant| grant.paid < cost);
            self.tally.topped_up.fetch_add(u32::from(again), Relaxed);
            self.tally.granted.fetch_add(1, Relaxed);
            self.model.note(&name, rung, &code, cost, now);
            let known = self.facts.get_mut(&name).unwrap();
            *known = FactBook::new();
            facts.into_iter().for_each(|fact| known.insert(fact));
        }
    }

    /// What must be true whatever happened.
    async fn invariants(&self) {
        let now = self.world.now();
        let (model, store) = (&self.model, &self.world.tenant.store);
        for person in &self.people {
            let counted = model.counted(person, "", now);
            assert!(counted <= model.rules.per_customer, "{person} has {counted} offers");
            self.tally.full.fetch_add(u32::from(counted == model.rules.per_customer), Relaxed);
        }
        let codes: Vec<&str> =
            model.askers.values().filter_map(|a| a.grant.as_ref()).map(|grant| grant.code.as_str()).collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "a code stands twice");
        for (budget, spent) in &model.spent {
            let limit = if budget.starts_with("month:") { model.rules.month } else { model.rules.customer_month };
            assert!(limit.is_none_or(|limit| *spent <= limit), "{budget}: {spent} of {limit:?}");
            assert_eq!(store.budget_spent(budget).await.unwrap(), *spent, "{budget}");
        }
    }

    async fn act(&mut self, act: &Act) {
        match act {
            Act::Quote(quote) => self.ask(std::slice::from_ref(quote)).await,
            Act::AtOnce(quotes) => self.ask(quotes).await,
            Act::End(place) => self.end(*place).await,
            Act::Send(place, answer) => self.send(*place, *answer).await,
            Act::Order(person, discounted) => self.order(*person, *discounted).await,
            Act::Cart(person) => {
                let (customer, at) = (self.people[*person].clone(), self.world.now());
                self.model.people.get_mut(&customer).unwrap().carts.push(at);
                let cart =
                    Activity { customer, at, kind: "cart".to_owned(), product: None, category: None, dwell_s: 0 };
                self.world.tenant.store.add_activity(vec![cart]).await.unwrap();
                self.world.later(1);
            }
            Act::Price(place, percent) => {
                let goods = &mut self.model.goods[*place];
                // What is reduced stays so.
                if *place != 2 {
                    goods.price = goods.price * percent / 100;
                    let (id, price) = (goods.id.clone(), goods.price);
                    self.world.price(&id, price).await;
                }
            }
            Act::Days(days) => {
                let month = |now: Timestamp| now.to_zoned(jiff::tz::TimeZone::UTC).month();
                let before = month(self.world.now());
                self.world.later(24 * days + 1);
                self.tally.months.fetch_add(u32::from(month(self.world.now()) != before), Relaxed);
            }
        }
    }

    async fn end(&mut self, place: usize) {
        let (name, now) = (self.name(place), self.world.now());
        let Some(asker) = self.model.askers.get_mut(&name).filter(|a| FLOWS[a.flow] != "campaign") else { return };
        let store = &self.world.tenant.store;
        store.end_run(&RunId::new(&name).unwrap(), RunState::Done, None, Some("{}".to_owned()), now).await.unwrap();
        if let Some(grant) = &mut asker.grant {
            grant.live = false;
        }
        // Whoever is still at it is not given anything any more.
        let late = OfferHold {
            run: RunId::new(&name).unwrap(),
            customer: asker.customer.clone(),
            step: OfferStepId::new("late").unwrap(),
            code: "LATE".to_owned(),
            cost: Money::new(100, Currency::EUR),
        };
        let limits = OfferLimits { budgets: Vec::new(), per_customer: 9, since: now };
        assert!(matches!(store.hold_offer(late, limits, now).await, Err(StoreError::Conflict(_))));
        // Ending it once more gives nothing back once more.
        store.end_run(&RunId::new(&name).unwrap(), RunState::Done, None, Some("{}".to_owned()), now).await.unwrap();
        self.tally.given_back.fetch_add(u32::from(self.model.give_back(&name)), Relaxed);
        self.rounds[place] += 1;
    }

    /// Through the ledger, as any message that carries an offer.
    async fn send(&mut self, place: usize, answer: Answer) {
        let (name, now) = (self.name(place), self.world.now());
        let Some(asker) = self.model.askers.get(&name) else { return };
        let Some(grant) = &asker.grant else { return };
        let campaign = FLOWS[asker.flow] == "campaign";
        // A campaign holds an offer right before it sends it.
        if campaign && grant.held_at != now {
            return;
        }
        let (subject, facts) = (self.subject(&name), self.facts[&name].clone());
        let offer = facts.iter().next().unwrap().clone();
        let store = &self.world.tenant.store;
        let draft = Draft {
            channel: Channel::Email,
            language: Language::EN,
            angle: "offer".to_owned(),
            subjects: vec!["For you".to_owned()],
            preheader: "A line".to_owned(),
            blocks: vec![
                Block::Heading { text: "Hello".to_owned() },
                Block::Offer { fact: offer.id.clone(), text: "For your next order.".to_owned() },
            ],
            confidence: Confidence::High,
        };
        let report = CheckReport {
            content: draft.content_hash(&facts).unwrap(),
            rules_version: store.limits().await.unwrap().unwrap().rules,
            findings: Vec::new(),
            checked_at: now,
        };
        let to = store.customer(&subject.customer).await.unwrap().unwrap().email.unwrap();
        let message: Outgoing = Rendered {
            subject: "For you".to_owned(),
            html: "<p>Hello</p>".to_owned(),
            text: "Hello".to_owned(),
            headers: Vec::new(),
            from_name: "Shop".to_owned(),
            from: Email::parse("hello@shop.example").unwrap(),
            reply_to: Email::parse("care@shop.example").unwrap(),
            to,
        }
        .into();
        let envelope = Envelope {
            shop: store.id().clone(),
            flow: subject.flow.clone(),
            channel: Channel::Email,
            content: report.content,
            audience: message.to().digest(store.id()),
            offer: Some(OfferStepId::new(&offer.subject).unwrap()),
            not_after: now + jiff::SignedDuration::from_hours(24),
            rules: report.rules_version,
            release: subject.release,
        };
        let record = DraftRecord { draft, facts, report, authors: BTreeSet::new() };
        let risk = RiskAssessment { reasons: Vec::new(), policy: kit::Digest::of_bytes(b"policy") };
        let customer = subject.customer.clone();
        let cleared = Cleared::by_policy(Checked::new(record).unwrap(), envelope, customer, &risk).unwrap();
        let ledger = Ledger::new(Arc::new(self.world.store().clone()));
        let run = RunId::new(if campaign { "campaign-run" } else { name.as_str() }).unwrap();
        let key = match ledger.reserve(cleared, run.clone(), subject, message, now).await.unwrap() {
            ReserveOutcome::Reserved(reserved) => reserved.key(),
            // The offer has ended meanwhile.
            ReserveOutcome::Held(Hold::FactsChanged { .. }) => return,
            other => panic!("{other:?}"),
        };
        if !campaign {
            let settled = match answer {
                Answer::NotYet => None,
                Answer::Sent => Some(SendState::Sent { provider_id: "x".to_owned(), at: now }),
                Answer::Unknown => Some(SendState::Unknown { why: "cut off".to_owned() }),
                Answer::Refused | Answer::RefusedLate => Some(SendState::Refused { why: "no".to_owned() }),
            };
            let settle = async || {
                if let Some(state) = &settled {
                    LedgerStore::settle(self.world.store(), store.id(), key, state.clone(), now).await.unwrap();
                }
            };
            if answer != Answer::RefusedLate {
                settle().await;
            }
            store.end_run(&run, RunState::Done, None, Some("{}".to_owned()), now).await.unwrap();
            settle().await;
            if matches!(answer, Answer::Refused | Answer::RefusedLate) {
                self.tally.refused_sends.fetch_add(u32::from(self.model.give_back(&name)), Relaxed);
            }
        }
        self.tally.sent.fetch_add(1, Relaxed);
        let grant = self.model.askers.get_mut(&name).unwrap().grant.as_mut().unwrap();
        (grant.sent_at, grant.live) = (Some(now), false);
        self.rounds[place] += 1;
    }

    async fn order(&mut self, person: usize, discounted: bool) {
        let (customer, now) = (self.people[person].clone(), self.world.now());
        let orders = &mut self.model.people.get_mut(&customer).unwrap().orders;
        let order = Order {
            id: OrderId::new(format!("O{person}-{}", orders.len())).unwrap(),
            customer,
            cart: None,
            placed_at: now,
            total: Money::new(5_000, Currency::EUR),
            discount: Money::new(if discounted { 500 } else { 0 }, Currency::EUR),
            cancelled_at: None,
            cancel_reason: None,
            fulfilled_at: None,
            lines: Vec::new(),
        };
        orders.push((now, discounted));
        self.world.tenant.store.put_orders(vec![order]).await.unwrap();
        self.world.later(1);
    }
}

#[test]
fn no_sequence_of_calls_breaks_a_limit_of_any_ladder() {
    let cases = std::env::var("MAILWRIGHT_OFFER_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let tally = Tally::default();
    let baskets = proptest::collection::vec(proptest::collection::vec(0..GOODS, 0..4), 4);
    let plain = proptest::collection::vec(prop_oneof![Just(vec![0_usize]), Just(vec![0, 8])], 8);
    let baskets = (baskets, plain).prop_map(|(mut any, plain)| {
        any.extend(plain);
        any
    });
    let story = (rules(), baskets, proptest::collection::vec(act(), 30..90));
    let outcome = runner.run(&story, |(rules, baskets, acts)| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut trial = Trial::open(rules, baskets, &tally).await;
            for act in &acts {
                trial.act(act).await;
                trial.invariants().await;
            }
        });
        Ok(())
    });
    println!("{tally:?}");
    outcome.unwrap();
    let Tally { granted, refused, topped_up, stood, sent, full, months, given_back, refused_sends } = tally;
    for count in [granted, refused, topped_up, stood, sent, full, months, given_back, refused_sends] {
        assert!(count.into_inner() > 0, "the property is about nothing");
    }
}
