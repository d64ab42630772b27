//! A frozen audience that is given an offer, beside runs that quote the same people: one budget, one limit a customer and one
//! owner a code over both, in whatever order they come. What it must come to is counted here from prices and answers alone.

use std::collections::{BTreeMap, BTreeSet};

use kit::fact::FactBook;
use kit::message::ConsentState;
use kit::tool::{Subject, ToolContext};
use kit::{CustomerId, FlowId, ProductId, RunId};
use mailwright::campaigns::CampaignError;
use mailwright::store::{CampaignState, Consent, DATABASE, NewRun, Recipient, RecipientState, RunState};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::task::JoinSet;

use super::*;

/// What the month may cost, in cents.
const MONTH: i64 = 9_000;
/// Offers a customer may have.
const MOST: usize = 1;
const BUDGET: &str = "month:2026-11";

fn is_offered(recipient: &Recipient) -> bool {
    recipient.offer.is_some() && recipient.channel == Channel::Email
}

/// A run that asked for an offer.
struct Quoted {
    customer: CustomerId,
    /// Code and cost, when it was granted one.
    granted: Option<(String, i64)>,
    ended: bool,
}

/// A campaign on its schedule, and runs beside it.
struct Trial {
    shop: Shop,
    campaign: CampaignId,
    /// Whoever of the audience has an offer.
    offered: Vec<CustomerId>,
    lead: ProductId,
    runs: BTreeMap<String, Quoted>,
    state: u64,
}

#[derive(Default)]
struct Tally {
    quoted: usize,
    refused: usize,
    given_back: usize,
    mailed: usize,
    left_out: usize,
    withdrawn: usize,
}

impl Trial {
    async fn open(seed: u64) -> Self {
        let mut shop = Shop::open(200).await;
        shop.release(|files| {
            let ladder = files.get_mut("knowledge/offers/ladder.toml").unwrap();
            for (shipped, tight) in [("month = \"2500.00\"", "month = \"90.00\""), ("max = 2", "max = 1")] {
                assert!(ladder.contains(shipped));
                *ladder = ladder.replacen(shipped, tight, 1);
            }
        })
        .await;
        let brief = shop.with_offer("five-percent");
        let lead = brief.products[0].product.clone();
        let campaign = shop.scheduled(&brief).await;
        let recipients = shop.tenant.store.recipients(&campaign, 0, 10_000).await.unwrap();
        let offered: Vec<CustomerId> = recipients.into_iter().filter(is_offered).map(|r| r.customer).collect();
        assert!(offered.len() > 20, "{}", offered.len());
        Self { shop, campaign, offered, lead, runs: BTreeMap::new(), state: seed }
    }

    fn roll(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).unwrap() % end
    }

    /// What five per cent off one product cost.
    fn cost(&self, product: &ProductId) -> i64 {
        self.shop.tenant.catalog.live(product).unwrap().price.minor * 5 / 100
    }

    /// Runs of people of the audience, begun and about to quote.
    async fn begin(&mut self, count: usize) -> Vec<(String, CustomerId)> {
        let now = self.shop.clock.now();
        let mut begun = Vec::new();
        for _ in 0..count {
            let at = self.roll(self.offered.len());
            let (customer, name) = (self.offered[at].clone(), format!("run-{}", self.runs.len()));
            let new = NewRun {
                id: RunId::new(&name).unwrap(),
                flow: FlowId::new("win-back").unwrap(),
                customer: customer.clone(),
                occasion: name.clone(),
                step: 1,
                due: now,
                cause: "test".to_owned(),
                supersede: None,
                release: self.shop.tenant.release.digest,
                plan: "{}".to_owned(),
            };
            assert!(self.shop.tenant.store.admit(new, now).await.unwrap().new);
            self.runs.insert(name.clone(), Quoted { customer: customer.clone(), granted: None, ended: false });
            begun.push((name, customer));
        }
        begun
    }

    /// The runs quote all at once, while the campaign is dispatched.
    async fn at_once(&mut self, runs: Vec<(String, CustomerId)>, dispatch: bool) {
        let now = self.shop.clock.now();
        let mut calls = JoinSet::new();
        for (name, customer) in runs {
            let subject = Subject {
                flow: FlowId::new("win-back").unwrap(),
                customer,
                occasion: name.clone(),
                step: 1,
                triggered_at: now,
                products: vec![self.lead.clone()],
                cart_url: None,
                stops_on_purchase: false,
                language: Language::EN,
                release: self.shop.tenant.release.digest,
            };
            let (shop, run) = (self.shop.tenant.store.id().clone(), RunId::new(&name).unwrap());
            let facts = Arc::new(FactBook::new());
            let cx = ToolContext::new(shop, run, Principal::System, now, Arc::new(subject), facts, None, 1);
            let tool = self.shop.tenant.registry.get("quote_offer").unwrap().clone();
            calls.spawn(async move {
                let args = json!({"step": "five-percent", "reason": "because the model says so"}).to_string();
                let answer: Value = serde_json::from_str(&tool.call(&cx, &args).await.unwrap()).unwrap();
                (name, answer)
            });
        }
        let sending = async {
            if dispatch {
                match self.shop.tenant.run_campaign(&self.campaign, &|_| {}).await {
                    Ok(_) | Err(CampaignError::State(..)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let (answers, ()) = tokio::join!(calls.join_all(), sending);
        let cost = self.cost(&self.lead);
        for (name, answer) in answers {
            if answer["answer"] == "granted" {
                assert_eq!(answer["step"], "five-percent");
                let code = answer["code"].as_str().unwrap().to_owned();
                self.runs.get_mut(&name).unwrap().granted = Some((code, cost));
            }
        }
    }

    /// Some of the runs under way end without a message.
    async fn end_some(&mut self, tally: &mut Tally) {
        let names: Vec<String> = self.runs.iter().filter(|(_, run)| !run.ended).map(|(name, _)| name.clone()).collect();
        for name in names {
            if self.roll(3) > 0 {
                continue;
            }
            let (id, now) = (RunId::new(&name).unwrap(), self.shop.clock.now());
            let outcome = Some("{}".to_owned());
            self.shop.tenant.store.end_run(&id, RunState::Done, None, outcome, now).await.unwrap();
            let run = self.runs.get_mut(&name).unwrap();
            run.ended = true;
            tally.given_back += usize::from(run.granted.is_some());
        }
    }

    async fn withdraws(&mut self) {
        let at = self.roll(self.offered.len());
        let now = self.shop.clock.now();
        let consent = |channel| Consent {
            channel,
            state: ConsentState::Withdrawn,
            at: now,
            source: "unsubscribe link".to_owned(),
            wording: "v1".to_owned(),
        };
        let person = self.offered[at].clone();
        let both = [Channel::Email, Channel::Sms].map(|channel| (person.clone(), consent(channel)));
        self.shop.tenant.store.add_consents(both.to_vec()).await.unwrap();
    }

    /// Whoever was sent an offer by the campaign, with the product it was about. A text message has no room for one.
    async fn sent(&self) -> Vec<(Recipient, ProductId)> {
        let store = &self.shop.tenant.store;
        let leads: BTreeMap<_, ProductId> = store
            .campaign_classes(&self.campaign)
            .await
            .unwrap()
            .into_iter()
            .map(|row| {
                let facts: Value = serde_json::from_str(&row.facts).unwrap();
                (row.id, ProductId::new(facts["key"]["lead"].as_str().unwrap()).unwrap())
            })
            .collect();
        let all = store.recipients(&self.campaign, 0, 10_000).await.unwrap();
        let sent = all.into_iter().filter(|r| r.state == RecipientState::Sent && is_offered(r));
        sent.map(|r| (r.clone(), leads[&r.class].clone())).collect()
    }

    async fn codes(&self) -> Vec<(String, String)> {
        let options = SqliteConnectOptions::new().filename(self.shop.folder.join(DATABASE));
        let mut connection = options.connect().await.unwrap();
        let sql = "SELECT code, customer_id FROM offers_granted ORDER BY code";
        let rows = sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows
    }

    /// What must be true between any two acts.
    async fn invariants(&self) {
        let sent = self.sent().await;
        let standing = || {
            self.runs.values().filter(|run| !run.ended).filter_map(|run| Some((&run.customer, run.granted.as_ref()?)))
        };
        let by_campaign: i64 = sent.iter().map(|(_, lead)| self.cost(lead)).sum();
        let by_runs: i64 = standing().map(|(_, (_, cost))| cost).sum();
        let spent = self.shop.tenant.store.budget_spent(BUDGET).await.unwrap();
        assert_eq!(spent, by_campaign + by_runs, "{} mails and {} runs", sent.len(), standing().count());
        assert!(spent <= MONTH, "{spent}");
        for person in &self.offered {
            let mails = sent.iter().filter(|(r, _)| r.customer == *person).count();
            let runs = standing().filter(|(customer, _)| *customer == person).count();
            assert!(mails + runs <= MOST, "{person} has {mails} and {runs}");
        }
        let codes = self.codes().await;
        let whose: BTreeSet<&str> = codes.iter().map(|(_, customer)| customer.as_str()).collect();
        assert_eq!(whose, sent.iter().map(|(r, _)| r.customer.as_str()).collect());
        assert_eq!(codes.len(), sent.len());
        let mut seen: BTreeMap<&str, &str> = codes.iter().map(|(code, who)| (code.as_str(), who.as_str())).collect();
        for run in self.runs.values() {
            let Some((code, _)) = &run.granted else { continue };
            let other = seen.insert(code, run.customer.as_str());
            assert!(other.is_none_or(|other| other == run.customer.as_str()), "{code} is two customers'");
        }
    }
}

#[test]
fn a_frozen_audience_and_single_runs_keep_within_the_same_limits() {
    let mut tally = Tally::default();
    for seed in [3, 17, 2026] {
        println!("story {seed}");
        block_on(async {
            let mut trial = Trial::open(seed).await;
            for hour in ["2026-11-18T09:00:00Z", "2026-11-19T09:30:00Z", "2026-11-19T10:30:00Z", THURSDAY_EVENING] {
                trial.shop.clock.set(hour.parse().unwrap());
                for round in 0..3 {
                    let count = 1 + trial.roll(5);
                    let runs = trial.begin(count).await;
                    trial.at_once(runs, round > 0).await;
                    trial.invariants().await;
                    trial.end_some(&mut tally).await;
                    trial.withdraws().await;
                    trial.invariants().await;
                }
            }
            let campaign = trial.shop.tenant.store.campaign(&trial.campaign).await.unwrap().unwrap();
            assert_eq!(campaign.state, CampaignState::Done);
            let all = trial.shop.tenant.store.recipients(&trial.campaign, 0, 10_000).await.unwrap();
            let offered = || all.iter().filter(|r| is_offered(r));
            let reason = |r: &&Recipient, code: &str| r.detail.as_deref() == Some(code);
            tally.quoted += trial.runs.values().filter(|run| run.granted.is_some()).count();
            tally.refused += trial.runs.values().filter(|run| run.granted.is_none()).count();
            tally.mailed += offered().filter(|r| r.state == RecipientState::Sent).count();
            tally.left_out += offered().filter(|r| reason(r, "offer_budget")).count();
            tally.withdrawn += offered().filter(|r| reason(r, "withdrawn")).count();
        });
    }
    let Tally { quoted, refused, given_back, mailed, left_out, withdrawn } = tally;
    println!(
        "{quoted} quoted, {refused} refused, {given_back} given back, {mailed} mailed, {left_out} left out, {withdrawn} withdrawn"
    );
    for count in [quoted, refused, given_back, mailed, left_out, withdrawn] {
        assert!(count > 0, "the story is about nothing");
    }
}
