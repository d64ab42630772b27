//! Words of shops that nobody has seen: invented names, and plain sentences that fit any object.

/// A stream of numbers that a seed decides (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// An invented word of two or three syllables, with a capital.
    pub(crate) fn word(&mut self) -> String {
        const SYLLABLES: [&str; 20] = [
            "va", "ro", "tes", "kel", "mir", "do", "lun", "pes", "tak", "bri", "sol", "nef", "gul", "gra", "hem",
            "ost", "wik", "zan", "ruv", "qui",
        ];
        let count = 2 + self.below(2);
        let word: String = (0..count).map(|_| self.one_of(&SYLLABLES)).collect();
        let mut chars = word.chars();
        chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap()
    }
}

/// English and German of the same sentence.
pub(crate) type Pair = (&'static str, &'static str);

pub(crate) const HIGHLIGHTS: [Pair; 8] = [
    (
        "The lid turns both ways, so either hand can open it.",
        "Der Deckel dreht in beide Richtungen, so öffnet ihn jede Hand.",
    ),
    ("The base is wide, so it stands on uneven ground.", "Der Boden ist breit und steht auch auf unebenem Grund."),
    (
        "The strap sits outside the seam and can be swapped at home.",
        "Der Riemen sitzt außen an der Naht und lässt sich daheim tauschen.",
    ),
    ("It folds flat and fits behind a door.", "Es lässt sich flach falten und passt hinter eine Tür."),
    (
        "The handle is wrapped in cork, so cold hands can hold it.",
        "Der Griff ist mit Kork umwickelt, den halten auch kalte Hände.",
    ),
    (
        "Every screw is the same size, so one key does it all.",
        "Jede Schraube hat dieselbe Größe, darum genügt ein Schlüssel.",
    ),
    (
        "The inner pocket opens from the side when the top is full.",
        "Die Innentasche öffnet sich seitlich, wenn oben alles voll ist.",
    ),
    ("The spout pours in a thin line and does not drip.", "Die Tülle gießt in dünnem Strahl und tropft nicht."),
];

pub(crate) const CARE: [Pair; 5] = [
    ("Wipe it with a damp cloth and let it dry open.", "Wisch es feucht ab und lass es offen trocknen."),
    ("Rinse it in cold water and hang it up to dry.", "Spül es kalt aus und häng es zum Trocknen auf."),
    ("Rub the wood with a little oil when it looks pale.", "Reib das Holz mit etwas Öl ein, wenn es blass wird."),
    ("Brush out the dust before you wash it.", "Bürste den Staub heraus, bevor du es wäschst."),
    ("Store it loosely rolled, away from the heater.", "Lagere es locker gerollt und nicht an der Heizung."),
];

pub(crate) const REVIEWS: [&str; 4] = [
    "Sits on our kitchen shelf and gets used most days.",
    "Does what it should, and the colour is as in the picture.",
    "My sister borrowed it and has not given it back.",
    "Took me a week to get used to the lid, then I liked it.",
];

pub(crate) const GOES_WITH: [Pair; 4] = [
    ("keeps the lid from rattling", "hält den Deckel vom Klappern ab"),
    ("clips on to the same rail", "wird an derselben Schiene befestigt"),
    ("holds the base steady on stone", "hält den Boden auf Stein ruhig"),
    ("goes in the inner pocket", "kommt in die Innentasche"),
];

pub(crate) const STANDS_IN: [Pair; 3] = [
    ("opens the same way and stores as flat", "öffnet sich genauso und wird ebenso flach"),
    ("the same shape in another cloth", "dieselbe Form in einem anderen Stoff"),
    ("does the same work with a shorter handle", "tut dasselbe mit einem kürzeren Griff"),
];

pub(crate) const COMES_NEXT: [Pair; 2] = [
    ("the larger one for a second room", "das größere für ein zweites Zimmer"),
    ("what people reach for once the first is full", "wonach man greift, sobald das erste voll ist"),
];

pub(crate) const GUIDES: [(Pair, Pair); 2] = [
    (
        ("Choosing the right size", "Die passende Größe wählen"),
        (
            "Measure the shelf first, then the door it has to pass.",
            "Miss zuerst das Regal, dann die Tür, durch die es muss.",
        ),
    ),
    (
        ("Setting it up at home", "Zu Hause aufstellen"),
        (
            "Unpack it on a blanket and turn the screws by hand.",
            "Pack es auf einer Decke aus und dreh die Schrauben von Hand ein.",
        ),
    ),
];
