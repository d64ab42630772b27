//! Dense arrays that collect evidence for candidates, cleared by a list of touched places.

use petgraph::graph::{EdgeIndex, NodeIndex};

/// How a candidate was reached from a product the customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// Along one edge.
    Edge(EdgeIndex),
    /// Both serve this intent.
    Intent(NodeIndex),
}

/// One reason to offer a candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Evidence {
    /// 0 to below 1.
    pub(crate) strength: f32,
    /// Position of the product the customer has.
    pub(crate) seed: u32,
    pub(crate) via: Via,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    best: Option<Evidence>,
    /// Product of `1 − strength` over all evidence but the best.
    others_fail: f32,
}

const EMPTY: Slot = Slot { best: None, others_fail: 1.0 };
/// What all other evidence together may add to the best, as a share of what is missing to 1.
const CORROBORATION: f32 = 0.2;

/// The pooled arrays of one question.
#[derive(Debug)]
pub(crate) struct Scratch {
    slots: Vec<Slot>,
    touched: Vec<u32>,
}

impl Scratch {
    pub(crate) fn new(products: usize) -> Self {
        Self { slots: vec![EMPTY; products], touched: Vec::new() }
    }

    /// Adds evidence. The best is kept as the reason; of equals, the first.
    pub(crate) fn add(&mut self, product: u32, evidence: Evidence) {
        let Some(slot) = self.slots.get_mut(product as usize) else { return };
        match slot.best {
            None => {
                self.touched.push(product);
                slot.best = Some(evidence);
            }
            Some(best) if evidence.strength > best.strength => {
                slot.others_fail *= 1.0 - best.strength;
                slot.best = Some(evidence);
            }
            Some(_) => slot.others_fail *= 1.0 - evidence.strength,
        }
    }

    /// All candidates with their relevance (0 to 1) and best evidence, in order of first touch.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = (u32, f32, Evidence)> {
        self.touched.iter().filter_map(|product| {
            let slot = self.slots.get(*product as usize)?;
            let best = slot.best?;
            let relevance = best.strength + (1.0 - best.strength) * CORROBORATION * (1.0 - slot.others_fail);
            Some((*product, relevance, best))
        })
    }

    pub(crate) fn clear(&mut self) {
        for product in self.touched.drain(..) {
            if let Some(slot) = self.slots.get_mut(product as usize) {
                *slot = EMPTY;
            }
        }
    }
}
