//! The floor: the counter kernel with nothing around it.
//!
//! Customers' products and products' customers as compressed sparse rows, one dense counter, the 50 best neighbours by
//! selection, kept in flat arrays: what `bought together` costs when nobody asks for ids, reasons, times, the other
//! relations, or filters beyond one bit.
#![allow(clippy::indexing_slicing, reason = "a bare loop is what is measured")]

use graph::Interaction;

/// Neighbours kept for a product, and customers that must share it, as in [`graph::Tuning`].
const KEPT: usize = 50;
const MIN_SUPPORT: u32 = 3;

/// Rows of numbers, one behind the other.
struct Rows {
    starts: Vec<u32>,
    values: Vec<u32>,
}

impl Rows {
    /// Counting sort of pairs by their first number.
    fn of(rows: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0_u32; rows + 1];
        for (row, _) in pairs.clone() {
            starts[row as usize + 1] += 1;
        }
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let (mut next, mut values) = (starts.clone(), vec![0; starts[rows] as usize]);
        for (row, value) in pairs {
            let place = &mut next[row as usize];
            values[*place as usize] = value;
            *place += 1;
        }
        Self { starts, values }
    }

    fn row(&self, row: u32) -> &[u32] {
        &self.values[self.starts[row as usize] as usize..self.starts[row as usize + 1] as usize]
    }

    /// Each value of a row once.
    fn dedup(mut self) -> Self {
        let (mut write, mut begin) = (0, 0);
        for row in 0..self.starts.len() - 1 {
            let end = self.starts[row + 1] as usize;
            self.values[begin..end].sort_unstable();
            let first = write;
            for read in begin..end {
                if write == first || self.values[write - 1] != self.values[read] {
                    self.values[write] = self.values[read];
                    write += 1;
                }
            }
            begin = end;
            self.starts[row + 1] = write as u32;
        }
        self.values.truncate(write);
        self
    }
}

/// The best neighbours of each product.
pub(super) struct Kernel {
    starts: Vec<u32>,
    neighbours: Vec<(u32, f32)>,
}

impl Kernel {
    pub(super) fn build(products: u32, lines: &[Interaction]) -> Self {
        let customers = lines.iter().map(|line| line.customer + 1).max().unwrap_or(0);
        let bought = Rows::of(customers as usize, lines.iter().map(|line| (line.customer, line.product))).dedup();
        let pairs = (0..customers).flat_map(|customer| bought.row(customer).iter().map(move |p| (*p, customer)));
        let buyers = Rows::of(products as usize, pairs);
        let degree = |product: u32| buyers.row(product).len() as f32;
        let mut counts = vec![0_u32; products as usize];
        let (mut touched, mut best) = (Vec::new(), Vec::new());
        let (mut starts, mut neighbours) = (vec![0], Vec::new());
        for product in 0..products {
            for customer in buyers.row(product) {
                for other in bought.row(*customer) {
                    if counts[*other as usize] == 0 {
                        touched.push(*other);
                    }
                    counts[*other as usize] += 1;
                }
            }
            best.clear();
            for other in touched.drain(..) {
                let count = std::mem::take(&mut counts[other as usize]);
                if count >= MIN_SUPPORT && other != product {
                    best.push((other, count as f32 / (degree(product) * degree(other)).sqrt()));
                }
            }
            if best.len() > KEPT {
                best.select_nth_unstable_by(KEPT, |a, b| b.1.total_cmp(&a.1));
                best.truncate(KEPT);
            }
            best.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
            neighbours.extend_from_slice(&best);
            starts.push(neighbours.len() as u32);
        }
        neighbours.shrink_to_fit();
        Self { starts, neighbours }
    }

    /// Neighbours kept.
    pub(super) fn len(&self) -> usize {
        self.neighbours.len()
    }
}

/// The dense sums of one recommendation, kept from call to call.
pub(super) struct Sums {
    sums: Vec<f32>,
    touched: Vec<u32>,
}

impl Sums {
    pub(super) fn new(products: u32) -> Self {
        Self { sums: vec![0.0; products as usize], touched: Vec::new() }
    }

    /// The four best neighbours of a history by summed similarity that can be sold and are not owned.
    pub(super) fn recommend(&mut self, kernel: &Kernel, history: &[u32], sellable: &[bool]) -> Vec<u32> {
        for owned in history {
            let row = kernel.starts[*owned as usize] as usize..kernel.starts[*owned as usize + 1] as usize;
            for (other, weight) in &kernel.neighbours[row] {
                if self.sums[*other as usize] == 0.0 {
                    self.touched.push(*other);
                }
                self.sums[*other as usize] += weight;
            }
        }
        let mut found: Vec<(u32, f32)> = Vec::with_capacity(self.touched.len());
        for other in self.touched.drain(..) {
            let sum = std::mem::take(&mut self.sums[other as usize]);
            if sellable[other as usize] && !history.contains(&other) {
                found.push((other, sum));
            }
        }
        if found.len() > 4 {
            found.select_nth_unstable_by(4, |a, b| b.1.total_cmp(&a.1));
            found.truncate(4);
        }
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
        found.into_iter().map(|(product, _)| product).collect()
    }
}
