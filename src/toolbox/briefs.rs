//! What the tools of a brief ask: customers as an audience, products with their reasons, what an offer may cost.

use std::sync::Arc;

use ::offers::{Concession, Step};
use audience::{Crowd, Member, Policy, Purchase, Question, Reach, Tally, Verdict, View};
use brief::{BriefDesk, Figures, Goods, Rung, ShopFacts, ShownProduct};
use catalog::Catalog;
use graph::{Availability, Live, PathStep, ProductGraph, Request};
use jiff::SignedDuration;
use kit::campaign::{Brief, BriefProduct, OfferChoice, OfferCost};
use kit::message::{Channel, in_holdout};
use kit::product::Shelf;
use kit::{BoxFuture, CategoryId, CustomerId, FlowId, Language, Money, ProductId, ShopId, StoreError, Timestamp};
use profile::{CustomerSnapshot, StoreNorms, Thresholds};

use super::people;
use crate::release::Release;
use crate::store::{AudienceRow, ShopStore, Since};
use crate::tenant::Learned;

/// Under this flow name the ladder allows steps to campaigns.
const CAMPAIGN_FLOW: &str = "campaign";
/// Customers read at once.
const PAGE: u32 = 500;
/// Views are kept for so long.
const VIEW_DAYS: i64 = 180;
/// A promotion within so many days after a purchase is too late or too much.
const BOUGHT_WITHIN_DAYS: u32 = 7;
/// Over so many days it is counted how often somebody buys anyway.
const HABIT_DAYS: i64 = 180;
/// Days over which an offer counts when the brief names no figure of success.
const USUAL_DAYS: u16 = 14;
/// Neighbours looked through for a path between two products.
const NEIGHBOURS: usize = 60;

/// The desk of a shop.
pub(crate) struct Briefs {
    pub(crate) store: ShopStore,
    pub(crate) release: Arc<Release>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) learned: Arc<Learned>,
}

/// A member, and what only the cost needs to know.
struct Counted {
    member: Member,
    /// What orders would have come to without discounts, in minor units.
    baskets: Vec<i64>,
    /// Orders of the last [`HABIT_DAYS`].
    of_late: u32,
}

impl Briefs {
    async fn read(
        &self,
        after: Option<&CustomerId>,
        now: Timestamp,
    ) -> Result<(Vec<Counted>, Option<CustomerId>), StoreError> {
        let since = |days: i64| now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(now);
        let window = Since { views: since(VIEW_DAYS), sent: since(7) };
        let (rows, last) = self.store.audience_page(after, PAGE, window).await?;
        let norms = self.learned.norms().await?;
        Ok((rows.into_iter().map(|row| self.counted(row, &norms, now)).collect(), last))
    }

    fn counted(&self, row: AudienceRow, norms: &StoreNorms, now: Timestamp) -> Counted {
        let AudienceRow {
            customer,
            orders,
            views,
            consents,
            suppressed,
            has_phone,
            phone_suppressed,
            open_ticket,
            sent,
        } = row;
        let since = |days: i64| now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(now);
        let reach = |has_address: bool, channel: Channel, suppressed: bool| {
            let reach = match (has_address && consents.contains(&channel), suppressed) {
                (false, _) => Reach::Closed,
                (true, true) => Reach::Suppressed,
                (true, false) => Reach::Open,
            };
            (channel, reach)
        };
        let reach = vec![
            reach(customer.email.is_some(), Channel::Email, suppressed),
            reach(has_phone, Channel::Sms, phone_suppressed),
        ];
        let (day, habit) = (since(1), since(HABIT_DAYS));
        let baskets = orders.iter().map(|o| o.total.minor.saturating_add(o.discount.minor)).collect();
        let of_late = count(orders.iter().filter(|o| o.placed_at >= habit));
        let purchases = orders.iter().flat_map(|order| {
            let line = |l: &crate::store::OrderLine| Purchase {
                product: l.product.clone(),
                category: l.category.clone(),
                at: order.placed_at,
            };
            order.lines.iter().filter(|l| !l.returned).map(line)
        });
        let member = Member {
            vip: customer.vip,
            language: self.release.shop.language_for(&customer.language),
            country: customer.country.clone(),
            loyalty_tier: customer.loyalty_tier.clone(),
            orders: count(orders.iter()),
            last_order: orders.iter().map(|o| o.placed_at).max(),
            purchases: purchases.collect(),
            views: views.into_iter().map(|(category, at)| View { category, at }).collect(),
            reach,
            open_ticket,
            sent_day: count(sent.iter().filter(|at| **at > day)),
            sent_week: count(sent.iter()),
            holdout: in_holdout(self.store.id(), &customer.id, self.release.sending.holdout_percent),
            stage: profile::Stage::New,
            customer: customer.id.clone(),
        };
        let snapshot = CustomerSnapshot {
            id: customer.id,
            first_name: None,
            language: customer.language,
            country: customer.country,
            time_zone: Some(customer.time_zone),
            created_at: customer.created_at,
            tags: Vec::new(),
            loyalty_tier: customer.loyalty_tier,
            consents: Vec::new(),
            orders: orders.into_iter().map(people::order).collect(),
            activity: Vec::new(),
            open_tickets: u32::from(open_ticket),
            said: Vec::new(),
            sent: Vec::new(),
        };
        let stage = profile::stage(&snapshot, norms, &Thresholds::default(), now);
        Counted { member: Member { stage, ..member }, baskets, of_late }
    }

    async fn figures_of(&self, campaign: &str, brief: &Brief, now: Timestamp) -> Result<Figures, StoreError> {
        if brief.audience.is_empty() {
            return Ok(Figures::default());
        }
        let shop = self.store.id();
        let question = Question::of(shop, campaign, brief, self.policy(shop), now);
        let (mut tally, mut baskets, mut habits) = (Tally::default(), Vec::new(), 0_u64);
        let days = u64::from(brief.success.map_or(USUAL_DAYS, |success| success.within_days));
        let mut after = None;
        loop {
            let (page, last) = self.read(after.as_ref(), now).await?;
            for Counted { member, baskets: own, of_late } in page {
                if let Verdict::Recipient { offered: true, .. } = tally.add(&question, &member) {
                    baskets.extend(own);
                    // In thousandths of a person: the share of such spans in which somebody of this habit buys.
                    habits += (u64::from(of_late) * days * 1000 / HABIT_DAYS.unsigned_abs()).min(1000);
                }
            }
            match last {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        let would_buy_anyway = u32::try_from(habits / 1000).unwrap_or(u32::MAX).min(tally.offered());
        let cost = self.cost(brief, tally.offered(), baskets, would_buy_anyway, now);
        Ok(Figures { audience: Some(tally.count(now)), cost })
    }

    /// What the brief's step may cost with these people.
    fn cost(
        &self,
        brief: &Brief,
        recipients: u32,
        mut baskets: Vec<i64>,
        would_buy_anyway: u32,
        as_of: Timestamp,
    ) -> Option<OfferCost> {
        let OfferChoice::Step { step } = &brief.offer.choice else { return None };
        let step = self.release.ladder.step(step)?;
        let currency = self.release.shop.currency;
        baskets.sort_unstable();
        let median = baskets.get(baskets.len() / 2).copied();
        // Nobody of them has bought yet: one of the first product is the best guess.
        let first = || self.catalog.live(&brief.products.first()?.product).map(|live| live.price.minor);
        let typical_basket = Money::new(median.or_else(first)?, currency);
        let limits = self.release.ladder.limits();
        let off = match step.concession {
            Concession::Percent(percent) => {
                Money::new(typical_basket.percent(percent).minor.min(limits.max_absolute.minor), currency)
            }
            Concession::FreeShipping => limits.shipping_cost,
        };
        Some(OfferCost {
            recipients,
            typical_basket,
            per_basket: off,
            maximum: off.times(recipients).ok()?,
            would_buy_anyway,
            margin_at_risk: off.times(would_buy_anyway).ok()?,
            as_of,
        })
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// The catalogue as the graph asks it.
struct Counter<'a> {
    catalog: &'a Catalog,
    language: &'a Language,
    now: Timestamp,
}

impl Live for Counter<'_> {
    fn availability(&self, product: &ProductId) -> Availability {
        match self.catalog.card(product, self.language, self.now) {
            Some(card) if card.stock > 0 => {
                Availability::Sellable { price: card.price, regulated: card.regulated.is_some() }
            }
            Some(_) | None => Availability::Unavailable,
        }
    }

    fn title(&self, product: &ProductId) -> Option<String> {
        self.catalog.card(product, self.language, self.now).map(|card| card.title)
    }
}

impl Crowd for Briefs {
    fn page<'a>(
        &'a self,
        _: &'a ShopId,
        after: Option<&'a CustomerId>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Member>, StoreError>> {
        Box::pin(async move {
            // A page of erased customers only is no end.
            let mut from = after.cloned();
            loop {
                let (page, last) = self.read(from.as_ref(), now).await?;
                if !page.is_empty() || last.is_none() {
                    return Ok(page.into_iter().map(|counted| counted.member).collect());
                }
                from = last;
            }
        })
    }

    fn policy(&self, _: &ShopId) -> Policy {
        let sending = &self.release.sending;
        Policy { cap_day: sending.cap_day, cap_week: sending.cap_week, bought_within_days: BOUGHT_WITHIN_DAYS }
    }
}

impl BriefDesk for Briefs {
    fn facts(&self, _: &ShopId) -> ShopFacts {
        facts(&self.release)
    }

    fn goods<'a>(&'a self, _: &'a ShopId) -> BoxFuture<'a, Result<Arc<dyn Goods>, StoreError>> {
        Box::pin(async move {
            let (release, catalog, graph) = (self.release.clone(), self.catalog.clone(), self.learned.graph().await?);
            Ok(Arc::new(OnShow { release, catalog, graph }) as Arc<dyn Goods>)
        })
    }

    fn figures<'a>(
        &'a self,
        _: &'a ShopId,
        campaign: &'a str,
        brief: &'a Brief,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Figures, StoreError>> {
        Box::pin(self.figures_of(campaign, brief, now))
    }
}

/// Products with their relations.
struct OnShow {
    release: Arc<Release>,
    catalog: Arc<Catalog>,
    graph: Arc<ProductGraph>,
}

impl OnShow {
    /// The path by which a product belongs to others, in words and in ids.
    fn reason(&self, product: &ProductId, others: &[ProductId], now: Timestamp) -> Option<(String, String)> {
        let language = &self.release.shop.default_language;
        let live = Counter { catalog: &self.catalog, language, now };
        let request = Request {
            basket: others,
            exclude: &[],
            history: &[],
            favourites: &[],
            k: NEIGHBOURS,
            language,
            now,
            regulated: true,
            price_band: None,
        };
        let found = self.graph.related_products(None, &request, &live);
        let found = found.into_iter().find(|r| r.product == *product)?;
        Some((found.reason, graph::compact(&found.path)))
    }
}

impl Goods for OnShow {
    fn has_category(&self, category: &CategoryId) -> bool {
        self.catalog.has_category(category)
    }

    fn product(&self, id: &ProductId, others: &[ProductId], now: Timestamp) -> Option<ShownProduct> {
        let card = self.catalog.card(id, &self.release.shop.default_language, now)?;
        let (because, path) = match self.reason(id, others, now).filter(|_| !others.is_empty()) {
            Some(found) => found,
            None => {
                let step = PathStep {
                    from: graph::NodeRef::Product(id.clone()),
                    to: graph::NodeRef::Category(card.category.clone()),
                    relation: graph::Relation::InCategory,
                    reversed: false,
                    why: None,
                };
                (format!("lies in {}", card.category), graph::compact(&[step]))
            }
        };
        let product = BriefProduct {
            product: id.clone(),
            title: card.title,
            category: card.category,
            because,
            path,
            regulated: card.regulated,
        };
        let cost_known = self.catalog.get(id).is_some_and(|product| product.cost.is_some());
        Some(ShownProduct { product, in_stock: card.stock > 0, cost_known })
    }
}

/// What a release fixes for briefs.
pub(crate) fn facts(release: &Release) -> ShopFacts {
    let shop = &release.shop;
    let mut languages = vec![shop.default_language.clone()];
    languages.extend(shop.identity.languages.iter().filter(|l| **l != shop.default_language).cloned());
    ShopFacts {
        zone: shop.identity.zone.clone(),
        ladder: steps(release).map(|step| rung(step, &shop.default_language)).collect(),
        languages,
        channels: vec![Channel::Email, Channel::Sms],
        vips_get_offers: release.ladder.vips_get_offers(),
    }
}

/// The steps that campaigns may offer.
fn steps(release: &Release) -> impl Iterator<Item = &Step> {
    let allowed = |flow: &FlowId| flow.as_str() == CAMPAIGN_FLOW;
    release.ladder.steps().iter().filter(move |step| step.flows.iter().any(allowed))
}

fn rung(step: &Step, language: &Language) -> Rung {
    let percent = match step.concession {
        Concession::Percent(percent) => u8::try_from(percent).ok(),
        Concession::FreeShipping => None,
    };
    Rung {
        step: step.id.clone(),
        label: step.label(language).to_owned(),
        percent,
        needs_approval: step.requires_approval,
    }
}
