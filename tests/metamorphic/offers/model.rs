//! What the ladder must say, computed from the raw numbers of a test: no line of the code under test is used.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kit::{CustomerId, ProductId, Timestamp};
use proptest::prelude::*;

/// Flows by number; a campaign's people have no run of their own.
pub(super) const FLOWS: [&str; 3] = ["win-back", "abandoned-checkout", "campaign"];
/// What a parcel costs in every ladder.
const PARCEL: i128 = 500;

/// A ladder in plain numbers.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) max_percent: u32,
    pub(super) max_absolute: i64,
    pub(super) floor: i64,
    pub(super) per_customer: usize,
    pub(super) days: i64,
    pub(super) month: Option<i64>,
    pub(super) customer_month: Option<i64>,
    pub(super) in_a_row: usize,
    pub(super) carts: usize,
    /// Rung no VIP, and no new customer, is lifted above.
    pub(super) vip: usize,
    pub(super) new: usize,
    /// Rungs from 1: per cent (0 is a free parcel), days that it is good, flows by number.
    pub(super) steps: Vec<(u32, i64, Vec<usize>)>,
}

pub(super) fn rules() -> impl Strategy<Value = Rules> {
    let limits = (5_u32..=30, 400_i64..15_000, 0_i64..=40, 1_usize..=3, prop_oneof![Just(7_i64), Just(30), Just(90)]);
    let budgets = (proptest::option::of(1_000_i64..20_000), proptest::option::of(500_i64..9_000));
    let habits = (1_usize..=3, 1_usize..=3, 0_usize..=3, 0_usize..=3);
    let percents = proptest::collection::btree_set(1_u32..=30, 2..5);
    let flows = proptest::collection::vec((3_i64..=14, proptest::sample::subsequence(vec![0, 1, 2], 1..=3)), 5);
    (limits, budgets, habits, percents, flows).prop_map(|(limits, budgets, habits, percents, flows)| {
        let (max_percent, max_absolute, floor, per_customer, days) = limits;
        let percents = std::iter::once(0).chain(percents.into_iter().filter(|p| *p <= max_percent));
        let steps: Vec<_> = percents.zip(flows).map(|(percent, (days, flows))| (percent, days, flows)).collect();
        let (in_a_row, carts, vip, new) = habits;
        let rung = |rung: usize| rung.min(steps.len());
        let (vip, new) = (rung(vip), rung(new));
        let (month, customer_month) = budgets;
        Rules {
            max_percent,
            max_absolute,
            floor,
            per_customer,
            days,
            month,
            customer_month,
            in_a_row,
            carts,
            vip,
            new,
            steps,
        }
    })
}

impl Rules {
    /// The id of a rung.
    pub(super) fn id(&self, rung: usize) -> String {
        match rung {
            0 => "none".to_owned(),
            rung => self.steps.get(rung - 1).map_or("off-ladder".to_owned(), |(percent, ..)| format!("p{percent}")),
        }
    }

    pub(super) fn rung_of(&self, id: &str) -> usize {
        (0..=self.steps.len()).find(|rung| self.id(*rung) == id).unwrap()
    }

    /// The file.
    pub(super) fn toml(&self) -> String {
        let euros = |minor: i64| format!("\"{}.{:02}\"", minor / 100, minor % 100);
        let mut text = format!(
            "schema = \"mailwright.ladder/1\"\ncurrency = \"EUR\"\nzone = \"UTC\"\n[limits]\nmax_percent = {}\nmax_absolute = {}\n\
             min_margin_percent = {}\nshipping_cost = \"5.00\"\nper_customer = {{ max = {}, days = {} }}\n\
             exclude_categories = [\"food\"]\nexclude_tags = [\"map\"]\n[limits.budget]\n",
            self.max_percent,
            euros(self.max_absolute),
            self.floor,
            self.per_customer,
            self.days
        );
        for (name, budget) in [("month", self.month), ("customer_month", self.customer_month)] {
            if let Some(budget) = budget {
                let _ = writeln!(text, "{name} = {}", euros(budget));
            }
        }
        let _ = write!(
            text,
            "[limits.addiction]\ndiscounted_in_a_row = {}\nabandoned_carts = {}\nhigh_affinity_percentile = 90\n\
             [limits.ceiling]\nvip = \"{}\"\nnew_customer = \"{}\"\n[[step]]\nid = \"none\"\n",
            self.in_a_row,
            self.carts,
            self.id(self.vip),
            self.id(self.new)
        );
        for (rung, (percent, days, flows)) in self.steps.iter().enumerate() {
            let gives = if *percent == 0 { "free_shipping = true".to_owned() } else { format!("percent = {percent}") };
            let flows: Vec<String> = flows.iter().map(|flow| format!("\"{}\"", FLOWS[*flow])).collect();
            let _ = write!(
                text,
                "[[step]]\nid = \"{}\"\n{gives}\nlabel = \"L\"\nlabel_de = \"L\"\ncode_prefix = \"ABC\"\nvalid_days = {days}\n\
                 requires_approval = false\nflows = [{}]\n",
                self.id(rung + 1),
                flows.join(", ")
            );
        }
        text
    }
}

/// A product in plain numbers.
#[derive(Debug, Clone)]
pub(super) struct Goods {
    pub(super) id: ProductId,
    pub(super) price: i64,
    pub(super) cost: Option<i64>,
    /// Excluded, tagged, regulated or reduced already: its price is never lowered.
    pub(super) fixed_price: bool,
}

/// A grant that stands.
#[derive(Debug, Clone)]
pub(super) struct Stands {
    pub(super) rung: usize,
    pub(super) code: String,
    pub(super) paid: i64,
    pub(super) held_at: Timestamp,
    pub(super) sent_at: Option<Timestamp>,
    pub(super) live: bool,
    /// What it took of which budget, until it is given back.
    pub(super) took: BTreeMap<String, i64>,
}

/// A run, or a campaign's person.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) customer: CustomerId,
    pub(super) flow: usize,
    pub(super) basket: Vec<usize>,
    pub(super) since: Timestamp,
    pub(super) grant: Option<Stands>,
}

/// A customer's past.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    pub(super) vip: bool,
    /// When, and whether discounted.
    pub(super) orders: Vec<(Timestamp, bool)>,
    pub(super) carts: Vec<Timestamp>,
}

/// Everything that counts.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) rules: Rules,
    pub(super) goods: Vec<Goods>,
    pub(super) askers: BTreeMap<String, Asker>,
    pub(super) people: BTreeMap<CustomerId, Past>,
    /// What is spoken for, by budget.
    pub(super) spent: BTreeMap<String, i64>,
}

fn days(n: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_hours(24 * n)
}

impl Model {
    /// What a step costs on a basket in minor units, when price, margin, exclusions and currency let it.
    pub(super) fn cost(&self, rung: usize, basket: &[usize]) -> Option<i64> {
        let (percent, ..) = self.rules.steps.get(rung.checked_sub(1)?)?;
        let percent = i128::from(*percent);
        let floor = i128::from(self.rules.floor);
        let keeps = |paid: i128, cost: i128| (paid - cost) * 100 >= floor * paid;
        let (mut given, mut paid, mut cost) = (0_i128, 0_i128, 0_i128);
        for goods in basket.iter().map(|place| &self.goods[*place]) {
            let (price, line_cost) = (i128::from(goods.price), i128::from(goods.cost?));
            if percent > 0 && goods.fixed_price {
                return None;
            }
            let off = price * percent / 100;
            if !keeps(price - off, line_cost) {
                return None;
            }
            given += off;
            paid += price - off;
            cost += line_cost;
        }
        if percent == 0 {
            given = PARCEL;
            cost += PARCEL;
        }
        let fits = !basket.is_empty()
            && percent <= i128::from(self.rules.max_percent)
            && keeps(paid, cost)
            && given <= i128::from(self.rules.max_absolute);
        fits.then(|| i64::try_from(given).unwrap())
    }

    /// Offers of a customer that count now, those of one asker left out.
    pub(super) fn counted(&self, customer: &CustomerId, except: &str, now: Timestamp) -> usize {
        let others = self.askers.iter().filter(|(name, asker)| *name != except && asker.customer == *customer);
        others
            .filter_map(|(_, asker)| asker.grant.as_ref().map(|grant| (asker, grant)))
            .filter(|(asker, grant)| match grant.sent_at {
                Some(at) => at > now - days(self.rules.days),
                None if FLOWS[asker.flow] == "campaign" => grant.held_at > now - days(self.rules.days),
                None => grant.live,
            })
            .count()
    }

    /// True when the customer's own limits and habits allow an offer.
    pub(super) fn person_may(&self, name: &str, now: Timestamp) -> bool {
        let asker = &self.askers[name];
        let past = &self.people[&asker.customer];
        let row = past.orders.iter().rev().take_while(|(_, discounted)| *discounted).count();
        let counted = self.counted(&asker.customer, name, now);
        let ordered = |cart: Timestamp| past.orders.iter().any(|(at, _)| *at >= cart && *at <= cart + days(3));
        let carts: std::collections::BTreeSet<Timestamp> = past.carts.iter().copied().collect();
        let abandoned = carts.into_iter().filter(|cart| *cart > now - days(90) && !ordered(*cart)).count();
        counted < self.rules.per_customer
            && row < self.rules.in_a_row
            && !((row > 0 || counted > 0) && abandoned > self.rules.carts)
    }

    /// What a rung costs this asker, when every limit but the budgets allows it.
    pub(super) fn may(&self, name: &str, rung: usize, now: Timestamp) -> Option<i64> {
        let asker = &self.askers[name];
        let (_, good_for, flows) = self.rules.steps.get(rung.checked_sub(1)?)?;
        let past = &self.people[&asker.customer];
        let lifted = (past.vip && rung > self.rules.vip) || (past.orders.is_empty() && rung > self.rules.new);
        let day = asker.since.to_zoned(jiff::tz::TimeZone::UTC).date();
        let last = day.checked_add(jiff::Span::new().days(*good_for)).unwrap().at(23, 59, 59, 0);
        let ends = last.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        let in_time = ends >= now + days(1);
        (self.person_may(name, now) && flows.contains(&asker.flow) && !lifted && in_time)
            .then(|| self.cost(rung, &asker.basket))
            .flatten()
    }

    /// The rung that is granted to who asks for one (`None` asks for the smallest), if any, with its cost. What stands takes
    /// the place of what is asked.
    pub(super) fn expects(&self, name: &str, asked: Option<usize>, now: Timestamp) -> Option<(usize, i64)> {
        let smallest = || (1..=self.rules.steps.len()).find(|rung| self.may(name, *rung, now).is_some());
        let rung = asked.or_else(smallest)?;
        self.may(name, rung, now)?;
        let (rung, paid) = match &self.askers[name].grant {
            Some(grant) => (grant.rung, grant.paid),
            None => (rung, 0),
        };
        let cost = self.may(name, rung, now)?;
        let more = (cost - paid).max(0);
        let customer = &self.askers[name].customer;
        let fits = self.budgets(customer, now).into_iter().all(|(budget, limit)| {
            more == 0 || limit.is_none_or(|limit| self.spent.get(&budget).copied().unwrap_or(0) + more <= limit)
        });
        fits.then_some((rung, cost))
    }

    pub(super) fn budgets(&self, customer: &CustomerId, now: Timestamp) -> [(String, Option<i64>); 2] {
        let month = now.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m").to_string();
        [
            (format!("month:{month}"), self.rules.month),
            (format!("customer:{customer}:{month}"), self.rules.customer_month),
        ]
    }

    /// Notes a grant that the shop made.
    pub(super) fn note(&mut self, name: &str, rung: usize, code: &str, cost: i64, now: Timestamp) {
        let customer = self.askers[name].customer.clone();
        let budgets = self.budgets(&customer, now);
        let asker = self.askers.get_mut(name).unwrap();
        let grant = asker.grant.get_or_insert_with(|| Stands {
            rung,
            code: code.to_owned(),
            paid: 0,
            held_at: now,
            sent_at: None,
            live: true,
            took: BTreeMap::new(),
        });
        assert_eq!((grant.rung, grant.code.as_str()), (rung, code), "{name} was given a second offer");
        let more = (cost - grant.paid).max(0);
        grant.paid += more;
        for (budget, limit) in budgets {
            if limit.is_some() {
                *grant.took.entry(budget.clone()).or_default() += more;
                *self.spent.entry(budget).or_default() += more;
            }
        }
    }

    /// What held this grant has ended, and nothing was sent with it.
    pub(super) fn give_back(&mut self, name: &str) -> bool {
        let took =
            self.askers.get_mut(name).and_then(|asker| asker.grant.as_mut()).map(|g| std::mem::take(&mut g.took));
        let mut any = false;
        for (budget, minor) in took.unwrap_or_default() {
            *self.spent.get_mut(&budget).unwrap() -= minor;
            any |= minor > 0;
        }
        any
    }
}
