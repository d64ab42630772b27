//! What orders teach: which products share customers, what follows what, how soon something is bought again.
//!
//! Both relations use the same kernel: for one product, walk the baskets of its customers and count the others in a
//! dense array; a list of touched places makes clearing as cheap as counting. The best few are taken by selection,
//! not by sorting all.

use std::cmp::Ordering;

use crate::build::Tuning;
use crate::graph::Product;
use crate::orders::{Line, Lists, Log};

/// One learned edge, before it is in the graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Learned {
    pub(crate) to: u32,
    pub(crate) weight: f32,
    pub(crate) support: u32,
}

/// A dense counter over products.
struct Counter {
    counts: Vec<u32>,
    touched: Vec<u32>,
}

impl Counter {
    fn new(products: usize) -> Self {
        Self { counts: vec![0; products], touched: Vec::new() }
    }

    #[inline]
    fn add(&mut self, product: u32) {
        let Some(count) = self.counts.get_mut(product as usize) else { return };
        if *count == 0 {
            self.touched.push(product);
        }
        *count += 1;
    }

    /// Empties the counter into `out`, leaving out what is below `min`.
    fn drain_into(&mut self, min: u32, out: &mut Vec<(u32, u32)>) {
        out.clear();
        for product in self.touched.drain(..) {
            let Some(count) = self.counts.get_mut(product as usize) else { continue };
            if *count >= min {
                out.push((product, *count));
            }
            *count = 0;
        }
    }
}

/// Bought together: cosine of the two sets of customers, `n_ab / sqrt(n_a · n_b)` (item-based collaborative
/// filtering, Sarwar et al. 2001). Calls `emit` once for each product that has neighbours, best first.
pub(crate) fn together(bought: &Lists, buyers: &Lists, tuning: &Tuning, mut emit: impl FnMut(u32, &[Learned])) {
    let products = buyers.rows();
    let degree = |product: u32| buyers.of(product as usize).len() as f32;
    let (mut counter, mut counts, mut edges) = (Counter::new(products), Vec::new(), Vec::new());
    for a in 0..products as u32 {
        let customers = buyers.of(a as usize);
        if customers.len() < tuning.min_support as usize {
            continue;
        }
        for customer in customers {
            for b in bought.of(*customer as usize) {
                counter.add(*b);
            }
        }
        counter.drain_into(tuning.min_support, &mut counts);
        edges.clear();
        edges.extend(counts.iter().filter(|(b, _)| *b != a).map(|(b, n)| Learned {
            to: *b,
            weight: *n as f32 / (degree(a) * degree(*b)).sqrt(),
            support: *n,
        }));
        keep_best(&mut edges, tuning.together_per_product);
        if !edges.is_empty() {
            emit(a, &edges);
        }
    }
}

/// Bought next: `b` in a later order within the window after `a`, each customer counted once for a pair.
///
/// The lift over independence, `n_ab / (n_a · n_b / N)`, is shrunk towards 1 by pseudo counts `k` on both sides
/// (the posterior mean of a Poisson rate under a Gamma(k, k) prior): `lift = (n_ab + k) / (n_a · n_b / N + k)`.
/// The weight is `1 − 1/lift = 1 − exp(−PMI)`; pairs that are no more frequent than chance have no edge.
pub(crate) fn next(log: &Log, buyers: &Lists, tuning: &Tuning, mut emit: impl FnMut(u32, &[Learned])) {
    let products = buyers.rows();
    let all = log.customers() as f32;
    let degree = |product: u32| buyers.of(product as usize).len() as f32;
    let (mut counter, mut counts, mut edges) = (Counter::new(products), Vec::new(), Vec::new());
    // The last visit (product, customer) that counted each product, so that nobody counts twice for a pair. Visits
    // are fewer than lines, and memory ends long before 2^32 of those.
    let (mut counted_in, mut visit) = (vec![0u32; products], 0u32);
    for a in 0..products as u32 {
        let customers = buyers.of(a as usize);
        if customers.len() < tuning.min_support as usize {
            continue;
        }
        for customer in customers {
            visit += 1;
            followers(log.of(*customer as usize), a, tuning.next_within_days, |b| {
                if let Some(last) = counted_in.get_mut(b as usize).filter(|last| **last != visit) {
                    *last = visit;
                    counter.add(b);
                }
            });
        }
        counter.drain_into(tuning.min_support, &mut counts);
        edges.clear();
        edges.extend(counts.iter().filter_map(|(b, n)| {
            let expected = degree(a) * degree(*b) / all;
            let lift = (*n as f32 + tuning.pseudo_counts) / (expected + tuning.pseudo_counts);
            (lift > 1.0).then(|| Learned { to: *b, weight: 1.0 - 1.0 / lift, support: *n })
        }));
        keep_best(&mut edges, tuning.next_per_product);
        if !edges.is_empty() {
            emit(a, &edges);
        }
    }
}

/// Visits every line of another product in an order after one with `a`, within the window of the latest such `a`.
fn followers(lines: &[Line], a: u32, window: u16, mut visit: impl FnMut(u32)) {
    let Some(first) = lines.iter().position(|line| line.product == a) else { return };
    // The latest `a`, and the one before it for lines of the same order as the latest.
    let (mut earlier, mut latest): (Option<Line>, Option<Line>) = (None, None);
    for line in lines.iter().skip(first) {
        if line.product == a {
            if latest.is_some_and(|l| l.basket < line.basket) {
                earlier = latest;
            }
            latest = Some(*line);
            continue;
        }
        let before = latest.filter(|l| l.basket < line.basket).or(earlier);
        if before.is_some_and(|l| line.day.saturating_sub(l.day) <= window) {
            visit(line.product);
        }
    }
}

/// Keeps the heaviest edges, heaviest first; equal weights in order of product.
fn keep_best(edges: &mut Vec<Learned>, keep: usize) {
    let best_first = |x: &Learned, y: &Learned| match y.weight.total_cmp(&x.weight) {
        Ordering::Equal => x.to.cmp(&y.to),
        other => other,
    };
    if edges.len() > keep && keep > 0 {
        edges.select_nth_unstable_by(keep - 1, best_first);
    }
    edges.truncate(keep);
    edges.sort_unstable_by(best_first);
}

/// The median number of days after which a customer buys the same product again, for products with enough gaps.
pub(crate) fn reorder_days(log: &Log, products: &[Product], tuning: &Tuning) -> Vec<Option<u16>> {
    let mut gaps: Vec<(u32, u16)> = Vec::new();
    let mut own: Vec<(u32, u16)> = Vec::new();
    for customer in 0..log.customers() {
        own.clear();
        let consumable = |line: &&Line| products.get(line.product as usize).is_some_and(|p| p.consumable);
        let lines = log.of(customer).iter().filter(consumable);
        own.extend(lines.map(|l| (l.product, l.day)));
        own.sort_unstable();
        own.dedup();
        gaps.extend(own.iter().zip(own.iter().skip(1)).filter(|(a, b)| a.0 == b.0).map(|(a, b)| (a.0, b.1 - a.1)));
    }
    gaps.sort_unstable();
    let mut days = vec![None; products.len()];
    for of_product in gaps.chunk_by(|a, b| a.0 == b.0) {
        let Some((product, median)) = of_product.get(of_product.len() / 2) else { continue };
        if let Some(slot) = days.get_mut(*product as usize).filter(|_| of_product.len() >= tuning.min_support as usize)
        {
            *slot = Some(*median);
        }
    }
    days
}
