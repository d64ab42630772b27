//! The order log in little memory: 16 bytes a line while it is read, 8 once it is sorted.

use crate::model::Interaction;

/// Lines of one customer beyond this are left out, oldest first: a reseller with thousands of lines costs time with
/// the square of them and says nothing about people.
pub(crate) const MAX_LINES_PER_CUSTOMER: usize = 1_000;
const SECONDS_PER_DAY: u32 = 86_400;
/// Keys handled between two returns of memory.
const SHRINK_EVERY: usize = 1 << 18;

/// Lines as they come, packed as customer, second, basket, product so that sorting numbers sorts lines.
#[derive(Debug, Default)]
pub(crate) struct RawLog {
    keys: Vec<u128>,
}

impl RawLog {
    pub(crate) fn push(&mut self, line: Interaction) {
        let second = u32::try_from(line.at.as_second().max(0)).unwrap_or(u32::MAX);
        let fields = [line.customer, second, line.basket, line.product];
        self.keys.push(fields.iter().fold(0u128, |key, field| (key << 32) | u128::from(*field)));
    }

    /// Sorts by customer and time; an exact repeat of a line is dropped.
    ///
    /// Customers are taken off the end of the raw lines, so that these give their memory back while the sorted ones
    /// grow.
    pub(crate) fn sorted(mut self) -> Log {
        self.keys.sort_unstable();
        self.keys.dedup();
        let mut log = Log { starts: vec![0], lines: Vec::new(), newest: None };
        let mut kept_memory = self.keys.len();
        while let Some(last) = self.keys.last().copied() {
            let customer = customer(last);
            let from = self.keys.partition_point(|key| self::customer(*key) < customer);
            log.add(self.keys.get(from..).unwrap_or_default());
            self.keys.truncate(from);
            if kept_memory - from > SHRINK_EVERY {
                self.keys.shrink_to_fit();
                kept_memory = from;
            }
        }
        log
    }
}

fn customer(key: u128) -> u32 {
    (key >> 96) as u32
}

fn second(key: u128) -> u32 {
    (key >> 64) as u32
}

/// Time and basket: the same for all lines of an order.
fn order(key: u128) -> u64 {
    (key >> 32) as u64
}

fn product(key: u128) -> u32 {
    key as u32
}

/// One bought product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Its position.
    pub(crate) product: u32,
    /// Days since 1970.
    pub(crate) day: u16,
    /// The how-manieth order of the customer.
    pub(crate) basket: u16,
}

/// All lines by customer, then time. Customers are numbered anew from 0.
#[derive(Debug)]
pub(crate) struct Log {
    starts: Vec<usize>,
    lines: Vec<Line>,
    /// The time of the newest line, in seconds since 1970.
    pub(crate) newest: Option<u32>,
}

impl Log {
    fn add(&mut self, of_customer: &[u128]) {
        let skipped = of_customer.len().saturating_sub(MAX_LINES_PER_CUSTOMER);
        for (basket, of_order) in (0u16..).zip(of_customer.get(skipped..).unwrap_or_default().chunk_by(same_order)) {
            self.lines.extend(of_order.iter().map(|key| Line {
                product: product(*key),
                day: u16::try_from(second(*key) / SECONDS_PER_DAY).unwrap_or(u16::MAX),
                basket,
            }));
        }
        self.starts.push(self.lines.len());
        self.newest = self.newest.max(of_customer.last().map(|key| second(*key)));
    }

    pub(crate) fn customers(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn of(&self, customer: usize) -> &[Line] {
        span(&self.starts, &self.lines, customer)
    }

    /// The customers of each product, ascending.
    pub(crate) fn buyers(&self, products: usize) -> Lists {
        self.bought(|_| true).inverted(products)
    }

    /// The distinct products of each customer, ascending, of those wanted.
    pub(crate) fn bought(&self, wanted: impl Fn(u32) -> bool) -> Lists {
        let mut lists = Lists::default();
        let mut own: Vec<u32> = Vec::new();
        for customer in 0..self.customers() {
            own.clear();
            own.extend(self.of(customer).iter().map(|line| line.product).filter(|p| wanted(*p)));
            own.sort_unstable();
            own.dedup();
            lists.push(&own);
        }
        lists
    }
}

fn same_order(a: &u128, b: &u128) -> bool {
    order(*a) == order(*b)
}

/// Lists of numbers, one after another (compressed sparse rows).
#[derive(Debug)]
pub(crate) struct Lists {
    starts: Vec<usize>,
    values: Vec<u32>,
}

impl Default for Lists {
    fn default() -> Self {
        Self { starts: vec![0], values: Vec::new() }
    }
}

impl Lists {
    pub(crate) fn push(&mut self, list: &[u32]) {
        self.values.extend_from_slice(list);
        self.starts.push(self.values.len());
    }

    pub(crate) fn of(&self, row: usize) -> &[u32] {
        span(&self.starts, &self.values, row)
    }

    pub(crate) fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Row and value change places; values must be below `rows`.
    pub(crate) fn inverted(&self, rows: usize) -> Self {
        let mut starts = vec![0usize; rows + 1];
        for value in &self.values {
            if let Some(count) = starts.get_mut(*value as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut values = vec![0u32; self.values.len()];
        for (row, number) in (0..self.rows()).zip(0u32..) {
            for value in self.of(row) {
                let Some(at) = next.get_mut(*value as usize) else { continue };
                if let Some(slot) = values.get_mut(*at) {
                    *slot = number;
                }
                *at += 1;
            }
        }
        Self { starts, values }
    }
}

fn span<'a, T>(starts: &[usize], values: &'a [T], row: usize) -> &'a [T] {
    let (Some(from), Some(to)) = (starts.get(row), starts.get(row + 1)) else { return &[] };
    values.get(*from..*to).unwrap_or_default()
}
