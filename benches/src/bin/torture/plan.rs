//! What is to happen in a life of the server: how it ends, and what goes wrong before that.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use mailwright_bench::random::Random;

/// Named places, as `mailwright::failpoint` lists them; positions of the journal are drawn.
const FAILPOINTS: [&str; 15] = [
    "after_receive",
    "after_apply",
    "after_admit",
    "before_append.N",
    "after_append.N",
    "after_model",
    "after_tools",
    "after_open",
    "after_decide",
    "before_reserve",
    "after_reserve",
    "after_begin_attempt",
    "after_deliver",
    "after_settle",
    "before_finish",
];
/// The one that only a campaign comes by.
pub(crate) const CAMPAIGN: &str = "campaign_before_note";
/// Rows of a journal that failpoints are set at.
const POSITIONS: u32 = 12;
/// The longest that a life with a failpoint lasts before it is killed all the same.
const PATIENCE: Duration = Duration::from_secs(4);
/// The same for a chunk of a campaign, which waits for a provider that hangs.
const PATIENCE_WITH_CHUNKS: Duration = Duration::from_secs(25);

/// How a life is to end.
#[derive(Debug, Clone)]
pub(crate) enum Death {
    /// `kill -9` so long after it began to listen.
    Killed(Duration),
    /// At this place, or by `kill -9` where it does not come there.
    At { name: &'static str, failpoint: String, patience: Duration },
}

/// What goes wrong under a server at work.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    /// The disk is full before it starts.
    FullFromTheStart,
    /// The disk fills after this time, and stays full.
    Full { after: Duration },
    /// The disk fills, and has room again.
    FullForAWhile { after: Duration, lasts: Duration },
    /// The database server crashes, and is back.
    StoreGone { after: Duration, lasts: Duration },
}

/// One life.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) death: Death,
    pub(crate) trouble: Option<Trouble>,
    /// The clock is wrong from this moment on, by so much, until the life ends.
    pub(crate) jump: Option<(Duration, SignedDuration)>,
}

/// What can be made to go wrong here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Means {
    pub(crate) disk: bool,
    pub(crate) store: bool,
}

/// Draws rounds, and keeps count of the places met.
pub(crate) struct Planner {
    means: Means,
    quota: u32,
    hits: BTreeMap<&'static str, u32>,
    tries: BTreeMap<&'static str, u32>,
    rounds: u32,
}

impl Planner {
    pub(crate) fn new(means: Means, quota: u32) -> Self {
        let none = || FAILPOINTS.into_iter().chain([CAMPAIGN]).map(|name| (name, 0)).collect();
        Self { means, quota, hits: none(), tries: none(), rounds: 0 }
    }

    /// The next life: every other one ends at a place, those that lack hits and were tried least first.
    pub(crate) fn next(&mut self, random: &mut Random) -> Round {
        self.rounds += 1;
        if self.rounds.is_multiple_of(2) {
            return self.at_a_place(random);
        }
        let trouble = self.trouble(random);
        // Time enough to meet it, and to get over it.
        let more = if trouble.is_some() { 1000 } else { 0 };
        let death = Death::Killed(millis(random.below(1200) + more));
        Round { death, trouble, jump: jump(random) }
    }

    /// A life that ends at a place that still lacks hits.
    pub(crate) fn at_a_place(&mut self, random: &mut Random) -> Round {
        let lacking = FAILPOINTS.into_iter().filter(|name| self.lacks(name));
        let of_all = FAILPOINTS.into_iter().min_by_key(|name| self.tried(name));
        let name = lacking.min_by_key(|name| self.tried(name)).or(of_all).unwrap_or("after_receive");
        let failpoint = name.replace('N', &(random.below(POSITIONS) + 1).to_string());
        self.place(name, failpoint, PATIENCE, random)
    }

    /// A life of a campaign that is being sent: at its own place until that was met often enough, since a chunk that was
    /// noted does not come by it again; then killed at any moment.
    pub(crate) fn next_with_campaign(&mut self, random: &mut Random) -> Round {
        if self.lacks(CAMPAIGN) {
            return self.place(CAMPAIGN, CAMPAIGN.to_owned(), PATIENCE_WITH_CHUNKS, random);
        }
        Round { death: Death::Killed(millis(random.below(2500))), trouble: None, jump: None }
    }

    fn place(&mut self, name: &'static str, failpoint: String, patience: Duration, random: &mut Random) -> Round {
        *self.tries.entry(name).or_default() += 1;
        let jump = if name == CAMPAIGN { None } else { jump(random) };
        Round { death: Death::At { name, failpoint, patience }, trouble: None, jump }
    }

    pub(crate) fn note(&mut self, met: Option<&'static str>) {
        if let Some(name) = met {
            *self.hits.entry(name).or_default() += 1;
        }
    }

    /// True while a place lacks hits, the campaign's own left out.
    pub(crate) fn lacks_hits(&self) -> bool {
        FAILPOINTS.into_iter().any(|name| self.lacks(name))
    }

    /// True while this place lacks hits.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        self.hits.get(name).is_none_or(|hits| *hits < self.quota)
    }

    /// Hits of each place.
    pub(crate) fn hits(&self) -> &BTreeMap<&'static str, u32> {
        &self.hits
    }

    fn tried(&self, name: &str) -> u32 {
        self.tries.get(name).copied().unwrap_or(0)
    }

    fn trouble(&self, random: &mut Random) -> Option<Trouble> {
        // Every other time at once: webhooks come at the start of a life.
        let (after, lasts) = (millis(random.below(2) * random.below(500)), millis(random.below(600)));
        match random.below(20) {
            0 if self.means.disk => Some(Trouble::FullFromTheStart),
            1 | 2 if self.means.disk => Some(Trouble::Full { after }),
            3 | 4 if self.means.disk => Some(Trouble::FullForAWhile { after, lasts }),
            5 | 6 if self.means.store => Some(Trouble::StoreGone { after, lasts }),
            _ => None,
        }
    }
}

/// Now and then, an hour ahead or ten minutes back, from the start or in the middle.
fn jump(random: &mut Random) -> Option<(Duration, SignedDuration)> {
    let at = millis(random.below(2) * random.below(700));
    match random.below(20) {
        0 => Some((at, SignedDuration::from_hours(1))),
        1 => Some((at, SignedDuration::from_mins(-10))),
        2 => Some((at, SignedDuration::from_secs(-2))),
        _ => None,
    }
}

fn millis(count: u32) -> Duration {
    Duration::from_millis(u64::from(count))
}
