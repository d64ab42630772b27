//! Choosing a few from many: greedy maximal marginal relevance (Carbonell and Goldstein 1998) with one higher-margin
//! place among three or more. Exchanges of single picks afterwards keep the result near the optimum.

/// Weight of relevance against sameness.
const LAMBDA: f32 = 0.7;
/// From this many products on, one should be of higher margin.
pub(crate) const RICH_FROM: usize = 3;
/// More than any list is worth: no list without a higher margin beats one with it.
const UNLAWFUL: f32 = 1_000.0;

/// What choosing needs to know of a candidate.
pub(crate) trait Choosable {
    /// Higher is better, 0 or more.
    fn score(&self) -> f32;
    /// 0 (unlike) to 1 (the same kind of thing).
    fn similarity(&self, other: &Self) -> f32;
    /// Of higher margin than the shop's median.
    fn is_rich(&self) -> bool;
}

/// Moves the best of `pool` over to `chosen` until it holds `k`. Of equals, the earlier in the pool wins.
pub(crate) fn extend<C: Choosable>(chosen: &mut Vec<C>, pool: Vec<C>, k: usize) {
    let places = k.saturating_sub(chosen.len()).min(pool.len());
    let top = pool.iter().chain(chosen.iter()).map(C::score).fold(f32::MIN_POSITIVE, f32::max);
    let wants_rich = k >= RICH_FROM && chosen.len() + places == k && !chosen.iter().any(C::is_rich);
    let choice = Choice { fixed: chosen, pool: &pool, places, top, wants_rich };
    let picks = choice.exchanged(choice.greedy());
    let mut pool: Vec<Option<C>> = pool.into_iter().map(Some).collect();
    chosen.extend(picks.into_iter().filter_map(|place| pool.get_mut(place)?.take()));
}

/// One choice: what is already there, what there is to choose from, how many.
struct Choice<'a, C> {
    fixed: &'a [C],
    pool: &'a [C],
    places: usize,
    /// The best score: relevance is counted on its scale.
    top: f32,
    /// One of the places is for higher margin, if the pool has it.
    wants_rich: bool,
}

impl<C: Choosable> Choice<'_, C> {
    /// Takes the candidate that gains most until all places are filled.
    fn greedy(&self) -> Vec<usize> {
        let mut picks: Vec<usize> = Vec::new();
        while picks.len() < self.places {
            let open = (0..self.pool.len()).filter(|place| !picks.contains(place));
            let gains = open.map(|place| (place, self.gain(place, &picks)));
            let Some((best, _)) = gains.max_by(|x, y| x.1.total_cmp(&y.1).then(y.0.cmp(&x.0))) else { break };
            picks.push(best);
        }
        self.best_first(picks)
    }

    /// Exchanges one pick for one outside while that makes the list better: mends what greed got wrong, and brings in
    /// a higher margin at the least loss.
    fn exchanged(&self, mut picks: Vec<usize>) -> Vec<usize> {
        let mut worth = self.worth(&picks);
        // Each round makes the list better, so this ends; the bound keeps rounding from making it long.
        for _ in 0..self.places * 2 {
            let better = |x: &(f32, Vec<usize>), y: &(f32, Vec<usize>)| x.0.total_cmp(&y.0).then(y.1.cmp(&x.1));
            let all = self.exchanges(&picks).map(|list| (self.worth(&list), list));
            match all.max_by(better) {
                Some((more, list)) if more > worth => (worth, picks) = (more, list),
                Some(_) | None => break,
            }
        }
        picks
    }

    /// Every list that differs from this one in one pick.
    fn exchanges<'b>(&'b self, picks: &'b [usize]) -> impl Iterator<Item = Vec<usize>> + 'b {
        let outside = (0..self.pool.len()).filter(|place| !picks.contains(place));
        outside.flat_map(move |new| {
            picks.iter().map(move |old| {
                let list = picks.iter().map(|pick| if pick == old { new } else { *pick });
                self.best_first(list.collect())
            })
        })
    }

    fn best_first(&self, mut picks: Vec<usize>) -> Vec<usize> {
        let score = |place: &usize| self.pool.get(*place).map_or(0.0, C::score);
        picks.sort_by(|x, y| score(y).total_cmp(&score(x)).then(x.cmp(y)));
        picks
    }

    /// What a list is worth to the reader, best first; the higher-margin rule goes before that.
    fn worth(&self, picks: &[usize]) -> f32 {
        let lawful = !self.wants_rich || picks.iter().any(|place| self.pool.get(*place).is_some_and(C::is_rich));
        let before = (0..picks.len()).filter_map(|n| picks.split_at_checked(n));
        let gains = before.filter_map(|(before, rest)| Some(self.gain(*rest.first()?, before)));
        gains.sum::<f32>() - if lawful { 0.0 } else { UNLAWFUL }
    }

    /// What one more product gains: its relevance, less its likeness to what is there.
    fn gain(&self, place: usize, picks: &[usize]) -> f32 {
        let Some(candidate) = self.pool.get(place) else { return f32::MIN };
        let there = self.fixed.iter().chain(picks.iter().filter_map(|pick| self.pool.get(*pick)));
        let likeness = there.map(|other| candidate.similarity(other)).fold(0.0, f32::max);
        LAMBDA * candidate.score() / self.top - (1.0 - LAMBDA) * likeness
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Fake {
        score: f32,
        category: u8,
        root: Option<u8>,
        rich: bool,
    }

    impl Choosable for Fake {
        fn score(&self) -> f32 {
            self.score
        }
        fn similarity(&self, other: &Self) -> f32 {
            crate::recommend::likeness(self.category == other.category, self.root.is_some() && self.root == other.root)
        }
        fn is_rich(&self) -> bool {
            self.rich
        }
    }

    /// Every set of `size` places that keeps the higher-margin rule, best score first.
    fn lawful_sets(pool: &[Fake], size: usize, rule: bool) -> impl Iterator<Item = Vec<usize>> {
        (0u32..1 << pool.len()).filter(move |mask| mask.count_ones() as usize == size).filter_map(move |mask| {
            let mut set: Vec<usize> = (0..pool.len()).filter(|p| mask >> p & 1 == 1).collect();
            set.sort_by(|x, y| pool[*y].score.total_cmp(&pool[*x].score));
            (!rule || set.iter().any(|p| pool[*p].rich)).then_some(set)
        })
    }

    fn pool() -> impl Strategy<Value = Vec<Fake>> {
        let one = (1u32..=100, 0u8..4, proptest::option::of(0u8..3), any::<bool>());
        proptest::collection::vec(one, 1..8).prop_map(|all| {
            all.into_iter()
                .enumerate()
                .map(|(n, (score, category, root, rich))| {
                    // No two are equal, so that a place can be found again.
                    Fake { score: score as f32 / 100.0 + n as f32 / 10_000.0, category, root, rich }
                })
                .collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
        #[test]
        fn greedy_reaches_nine_tenths_of_the_optimum(pool in pool(), k in 1usize..=4) {
            let size = k.min(pool.len());
            let top = pool.iter().map(|c| c.score).fold(f32::MIN_POSITIVE, f32::max);
            let rule = k >= RICH_FROM && size == k && pool.iter().any(|c| c.rich);
            let choice = Choice { fixed: &[], pool: &pool, places: size, top, wants_rich: rule };
            let optimum = lawful_sets(&pool, size, rule).map(|set| choice.worth(&set)).fold(f32::MIN, f32::max);

            let mut chosen = Vec::new();
            extend(&mut chosen, pool.clone(), k);
            let found = |c: &Fake| pool.iter().position(|p| p == c).unwrap();
            let places: Vec<usize> = chosen.iter().map(found).collect();
            let greedy = choice.worth(&places);
            prop_assert_eq!(chosen.len(), size);
            prop_assert!(!rule || chosen.iter().any(|c| c.rich));
            prop_assert!(greedy >= optimum - 0.1 * optimum.abs() - 1e-5, "greedy {} of {}", greedy, optimum);
        }
    }

    #[test]
    fn variety_beats_a_little_more_relevance() {
        let of = |score, category| Fake { score, category, root: None, rich: false };
        let mut chosen = Vec::new();
        extend(&mut chosen, vec![of(1.0, 1), of(0.9, 1), of(0.6, 2)], 2);
        assert_eq!(chosen, [of(1.0, 1), of(0.6, 2)]);
    }

    #[test]
    fn the_last_of_three_is_of_higher_margin_when_none_was() {
        let of = |score, rich| Fake { score, category: (score * 100.0) as u8, root: None, rich };
        let mut chosen = Vec::new();
        extend(&mut chosen, vec![of(1.0, false), of(0.9, false), of(0.8, false), of(0.1, true)], 3);
        assert_eq!(chosen, [of(1.0, false), of(0.9, false), of(0.1, true)]);
    }
}
