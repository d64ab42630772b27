//! Runs of digits: cards by checksum, social security numbers and telephones by shape and by the words around them.

use super::{Class, Span, at, before, phone};

/// A stretch of digits without a separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) digits: &'a str,
}

/// Digits with separators, as they stand together in a text.
#[derive(Debug)]
struct Run<'a> {
    groups: Vec<Group<'a>>,
}

/// Part of a run that may be one number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) text: &'a str,
    pub(super) groups: &'a [Group<'a>],
}

impl Window<'_> {
    pub(super) fn digits(&self) -> String {
        self.groups.iter().map(|g| g.digits).collect()
    }
    pub(super) fn lengths(&self) -> Vec<usize> {
        self.groups.iter().map(|g| g.digits.len()).collect()
    }
    /// Where it begins, with a plus or a bracket before the first digit.
    pub(super) fn start(&self) -> usize {
        let first = self.groups.first().map_or(0, |g| g.start);
        let head = self.text.get(..first).unwrap_or_default();
        let lead = head.len() - head.trim_end_matches(['+', '(', '＋']).len();
        first - lead
    }
    pub(super) fn end(&self) -> usize {
        self.groups.last().map_or(0, |g| g.end)
    }
    pub(super) fn plus(&self) -> bool {
        self.text
            .get(self.start()..self.groups.first().map_or(0, |g| g.start))
            .is_some_and(|lead| lead.contains(['+', '＋']))
    }
    pub(super) fn bracket(&self) -> bool {
        self.text.get(self.start()..self.end()).is_some_and(|all| all.starts_with('('))
    }
    /// True when only these characters stand between the groups.
    fn separated_by(&self, allowed: &[char]) -> bool {
        self.groups.windows(2).all(|pair| match pair {
            [one, two] => {
                let gap = self.text.get(one.end..two.start).unwrap_or_default();
                gap.chars().count() == 1 && gap.chars().all(|c| allowed.contains(&c))
            }
            _ => true,
        })
    }
}

/// Groups of one number, at most; a longer run is a list.
const MAX_GROUPS: usize = 9;

/// Every card, social security number and telephone in a text.
pub(super) fn find(text: &str) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    for run in runs(text) {
        let mut from = 0;
        while from < run.groups.len() {
            if run.groups.get(from..from + 3).is_some_and(|groups| phone::is_date(&Window { text, groups })) {
                from += 3;
                continue;
            }
            let longest = (from + MAX_GROUPS).min(run.groups.len());
            let hit = (from + 1..=longest).rev().find_map(|to| {
                let window = Window { text, groups: run.groups.get(from..to)? };
                let alone = stands_alone(&run, from, to);
                Some((to, classify(&window, alone)?))
            });
            match hit {
                Some((to, class)) => {
                    let window = Window { text, groups: run.groups.get(from..to).unwrap_or_default() };
                    found.push(Span { start: window.start(), end: window.end(), class });
                    from = to;
                }
                None => from += 1,
            }
        }
    }
    found
}

/// No long group beside the window: `4111 …` in the middle of a parcel number is no card.
fn stands_alone(run: &Run<'_>, from: usize, to: usize) -> bool {
    let long = |group: Option<&Group<'_>>| group.is_some_and(|g| g.digits.len() >= 4);
    let before = from.checked_sub(1).and_then(|at| run.groups.get(at));
    !long(before) && !long(run.groups.get(to))
}

fn classify(window: &Window<'_>, alone: bool) -> Option<Class> {
    if alone && is_card(window) {
        return Some(Class::Card);
    }
    if alone && is_ssn(window) {
        return Some(Class::Ssn);
    }
    (alone && phone::is_phone(window)).then_some(Class::Phone)
}

/// Runs of digit groups with blanks, hyphens, full stops, slashes or brackets between, outside of codes made of letters and digits.
fn runs(text: &str) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for group in groups(text) {
        let joins = runs.last().and_then(|run| run.groups.last()).is_some_and(|last| {
            let gap = text.get(last.end..group.start).unwrap_or_default();
            let separator =
                |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '-' | '‑' | '–' | '.' | '/' | '(' | ')');
            !gap.is_empty() && gap.chars().count() <= 3 && gap.chars().all(separator)
        });
        match runs.last_mut().filter(|_| joins) {
            Some(run) => run.groups.push(group),
            None => runs.push(Run { groups: vec![group] }),
        }
    }
    runs
}

/// Digit groups that are no part of a code such as `SO-000123` or `1Z999`.
fn groups(text: &str) -> Vec<Group<'_>> {
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(offset) = text.get(rest..).and_then(|t| t.find(|c: char| c.is_ascii_digit())) {
        let start = rest + offset;
        let length = text.get(start..).map_or(0, |t| t.bytes().take_while(u8::is_ascii_digit).count());
        let end = start + length;
        rest = end;
        let head = text.get(..start).unwrap_or_default();
        let joined = head.trim_end_matches(['-', '_', '#']);
        let in_code = before(text, start).is_some_and(|c| c.is_alphanumeric() || matches!(c, '#' | ','))
            || (joined.len() < head.len() && joined.ends_with(char::is_alphabetic));
        let goes_on = at(text, end).is_some_and(char::is_alphabetic);
        let decimals = at(text, end) == Some(',') && at(text, end + 1).is_some_and(|c| c.is_ascii_digit());
        if let Some(digits) = text.get(start..end).filter(|_| !in_code && !goes_on && !decimals) {
            found.push(Group { start, end, digits });
        }
    }
    found
}

/// A number of a card scheme in the scheme's length, with a valid checksum, in one piece or in the usual groups.
fn is_card(window: &Window<'_>) -> bool {
    let lengths = window.lengths();
    let shaped = match lengths.as_slice() {
        [_] => true,
        [4, 6, 4 | 5] => true,
        [head @ .., last] => head.len() >= 3 && head.iter().all(|n| *n == 4) && (1..=4).contains(last),
        [] => false,
    };
    let digits = window.digits();
    shaped && window.separated_by(&[' ', '\u{a0}', '-']) && scheme(&digits) && luhn(&digits)
}

fn scheme(digits: &str) -> bool {
    let head = |n: usize| digits.get(..n).and_then(|d| d.parse::<u32>().ok()).unwrap_or(0);
    let (two, three, four) = (head(2), head(3), head(4));
    match digits.len() {
        14 => matches!(two, 36 | 38 | 39) || matches!(three, 300..=305),
        15 => matches!(two, 34 | 37),
        16 => {
            matches!(two, 40..=49 | 50..=58 | 62 | 65 | 67 | 63)
                || matches!(three, 644..=649)
                || matches!(four, 2221..=2720 | 3528..=3589 | 6011)
        }
        17 | 18 => matches!(two, 50 | 56..=58 | 62 | 63 | 67),
        19 => matches!(two, 40..=49 | 50 | 56..=58 | 62 | 63 | 65 | 67),
        _ => false,
    }
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            let doubled = if place % 2 == 1 { digit * 2 } else { digit };
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// `078-05-1120` by its shape; without hyphens only where the words say so.
fn is_ssn(window: &Window<'_>) -> bool {
    let digits = window.digits();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let issued = digits.len() == 9
        && !matches!(part(0, 3), "000" | "666")
        && !part(0, 1).starts_with('9')
        && part(3, 5) != "00"
        && part(5, 9) != "0000";
    if !issued {
        return false;
    }
    let named = || {
        let head = phone::words_before(window.text, window.start());
        head.iter().any(|w| matches!(w.as_str(), "ssn" | "social" | "itin"))
            || head.windows(2).any(|w| w == ["id", "tax"])
    };
    match window.lengths().as_slice() {
        [3, 2, 4] => window.separated_by(&['-', '‑']) || named(),
        [9] => named(),
        _ => false,
    }
}
