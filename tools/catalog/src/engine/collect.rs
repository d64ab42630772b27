//! The collector: filters by the live columns, keeps the best, counts all.
//!
//! Nothing in the loop over matches leaves memory: a document number is a row of the columns.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use super::facets::{Counts, FacetColumns};
use super::live::{LiveColumns, LiveFilter};

/// One match. Ordered best first: higher score, then lower ordinal, which is the order of ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) score: Score,
    pub(super) ordinal: u32,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.ordinal.cmp(&other.ordinal))
    }
}
impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Candidate {}

/// What a search found.
#[derive(Debug)]
pub(super) struct Collected {
    /// Best first.
    pub(super) best: Vec<Candidate>,
    pub(super) total: u64,
    pub(super) counts: Option<Counts>,
}

/// How to collect.
#[derive(Clone)]
pub(super) struct Collect {
    pub(super) live: Arc<LiveColumns>,
    pub(super) filter: LiveFilter,
    /// Set when matches are to be counted by facet.
    pub(super) facets: Option<Arc<FacetColumns>>,
    /// How many of the best to keep.
    pub(super) keep: usize,
    /// False when all matches are worth the same.
    pub(super) scored: bool,
}

pub(super) struct Collecting {
    how: Collect,
    /// False when the filter admits all.
    filtered: bool,
    /// The worst of the best on top.
    best: BinaryHeap<Candidate>,
    total: u64,
    counts: Option<Counts>,
}

impl Collector for Collect {
    type Fruit = Collected;
    type Child = Collecting;

    fn for_segment(&self, _: SegmentOrdinal, _: &SegmentReader) -> tantivy::Result<Collecting> {
        let counts = self.facets.as_ref().map(|facets| facets.counts());
        let filtered = self.filter != LiveFilter::OPEN;
        Ok(Collecting { how: self.clone(), filtered, best: BinaryHeap::new(), total: 0, counts })
    }

    fn requires_scoring(&self) -> bool {
        self.scored
    }

    /// There is one segment, or none when the catalogue is empty.
    fn merge_fruits(&self, fruits: Vec<Collected>) -> tantivy::Result<Collected> {
        Ok(fruits.into_iter().next().unwrap_or(Collected { best: Vec::new(), total: 0, counts: None }))
    }
}

impl SegmentCollector for Collecting {
    type Fruit = Collected;

    fn collect(&mut self, ordinal: DocId, score: Score) {
        if self.filtered && !self.how.filter.admits(&self.how.live, ordinal) {
            return;
        }
        self.total += 1;
        if let (Some(facets), Some(counts)) = (&self.how.facets, &mut self.counts) {
            facets.count(ordinal, self.how.live.price(ordinal), counts);
        }
        let candidate = Candidate { score, ordinal };
        if self.best.len() < self.how.keep {
            self.best.push(candidate);
        } else if self.best.peek().is_some_and(|worst| candidate < *worst)
            && let Some(mut worst) = self.best.peek_mut()
        {
            *worst = candidate;
        }
    }

    fn harvest(self) -> Collected {
        Collected { best: self.best.into_sorted_vec(), total: self.total, counts: self.counts }
    }
}
