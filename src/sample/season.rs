//! What the year does to a shop for walking and camping: factors in permille, 1,000 being an average month.

/// Factors from January to December.
type Curve = [u64; 12];

/// The whole shop: gifts in December, holidays in early summer, a quiet January.
const SHOP: Curve = [700, 760, 900, 1_020, 1_150, 1_150, 1_060, 920, 940, 1_010, 1_160, 1_420];
const EVEN: Curve = [1_000; 12];
const CAMPING: Curve = [300, 450, 900, 1_500, 2_000, 2_100, 1_800, 1_200, 650, 400, 350, 450];
const WARM: Curve = [1_400, 1_100, 800, 550, 350, 300, 300, 450, 1_500, 2_200, 2_200, 1_700];
const RAIN: Curve = [1_000, 1_000, 1_000, 900, 700, 550, 600, 800, 1_500, 1_900, 1_600, 1_200];
const SUN: Curve = [200, 250, 600, 1_100, 1_800, 2_300, 2_300, 1_700, 700, 300, 200, 250];
const DARK: Curve = [1_300, 1_000, 750, 600, 500, 500, 550, 800, 1_200, 1_700, 1_700, 1_700];

/// Categories by the beginning of their path; the first that fits counts.
const CURVES: [(&str, &Curve); 15] = [
    ("camping/", &CAMPING),
    ("water/filters", &CAMPING),
    ("food/meals", &CAMPING),
    ("packs/trekking", &CAMPING),
    ("care/skin", &SUN),
    ("clothing/insulation", &WARM),
    ("clothing/fleece", &WARM),
    ("clothing/base-layers", &WARM),
    ("care/down", &WARM),
    ("accessories/gloves", &WARM),
    ("clothing/rain", &RAIN),
    ("clothing/wind-shells", &RAIN),
    ("care/shells", &RAIN),
    ("lights/lanterns", &CAMPING),
    ("lights/", &DARK),
];

/// How much a category is wanted in a month (1 to 12).
pub(super) fn of_category(category: &str, month: i8) -> u64 {
    let curve = CURVES.iter().find(|(prefix, _)| category.starts_with(prefix)).map_or(&EVEN, |(_, curve)| *curve);
    at(curve, month)
}

/// How busy the shop is in a month (1 to 12).
pub(super) fn of_shop(month: i8) -> u64 {
    at(&SHOP, month)
}

/// How much more a thing that makes a good gift is wanted in a month (1 to 12).
pub(super) fn of_gifts(month: i8) -> u64 {
    match month {
        12 => 4_000,
        11 => 1_800,
        _ => 800,
    }
}

fn at(curve: &Curve, month: i8) -> u64 {
    usize::try_from(i16::from(month) - 1).ok().and_then(|index| curve.get(index)).copied().unwrap_or(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tents_belong_to_june_and_down_to_november() {
        assert!(of_category("camping/tents", 6) > 4 * of_category("camping/tents", 11));
        assert!(of_category("clothing/insulation", 11) > 4 * of_category("clothing/insulation", 6));
        assert_eq!(of_category("gift-cards", 3), 1_000);
        assert_eq!(of_shop(13), 1_000);
    }

    #[test]
    fn the_shop_curve_keeps_the_year() {
        let sum: u64 = SHOP.iter().sum();
        assert!((11_800..=12_300).contains(&sum), "{sum}");
    }
}
