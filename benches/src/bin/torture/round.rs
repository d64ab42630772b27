//! One round: a life of the server, what goes wrong in it, and what it leaves behind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use mailwright_bench::random::Random;

use crate::Failure;
use crate::clock::ShopClock;
use crate::disk::Disk;
use crate::esp::{Provider, Temper};
use crate::life::{End, Life};
use crate::plan::{Death, Planner, Round, Trouble};
use crate::platform::Platform;
use crate::postgres::Postgres;
use crate::shop::Shop;

/// The most that a full disk leaves free, in bytes: enough for some writes, too little for others.
const LEFT: u32 = 24_000;

/// Everything that torture plays with.
pub(crate) struct World {
    pub(crate) shop: Shop,
    pub(crate) platform: Platform,
    pub(crate) provider: Provider,
    pub(crate) clock: ShopClock,
    pub(crate) disk: Option<Disk>,
    pub(crate) postgres: Option<Postgres>,
    pub(crate) random: Random,
    pub(crate) planner: Planner,
    pub(crate) deaths: Vec<Died>,
    /// New carts a life, at most.
    pub(crate) carts: u32,
}

/// What a life left behind.
#[derive(Debug, Clone)]
pub(crate) struct Died {
    pub(crate) end: End,
    /// What had gone wrong, in a word.
    pub(crate) trouble: Option<&'static str>,
    pub(crate) jumped: bool,
    /// Hand-overs that had begun and were not settled, by the ledger.
    pub(crate) in_flight: Vec<String>,
    /// What the server said when it did not start.
    pub(crate) said: String,
}

impl Trouble {
    /// In a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::FullFromTheStart => "disk full from the start",
            Self::Full { .. } => "disk full",
            Self::FullForAWhile { .. } => "disk full for a while",
            Self::StoreGone { .. } => "database server gone",
        }
    }
}

impl World {
    /// Plays a round to its end; the disk has room and the database server runs after it.
    pub(crate) async fn live(&mut self, round: &Round) -> Result<(), Failure> {
        self.provider.temper(Temper::Bad);
        // Every other time nothing at all.
        let left = u64::from(self.random.below(2) * self.random.below(LEFT));
        if let (Some(Trouble::FullFromTheStart), Some(disk)) = (round.trouble, &self.disk) {
            disk.fill(left)?;
        }
        let failpoint = match &round.death {
            Death::Killed(_) => None,
            Death::At { failpoint, .. } => Some(failpoint.as_str()),
        };
        let life = Life::start(&self.shop, failpoint).await?;
        let (address, said) = (life.address.clone(), life.said.clone());
        let (now, over) = (self.clock.now(), AtomicBool::new(false));
        let load = Some((now, self.carts, &mut self.random));
        let platform = self.platform.live(&address, &self.shop.dir, load, &over);
        let troubles = trouble(round, left, self.disk.as_ref(), self.postgres.as_mut());
        let jumps = jump(round, &self.clock);
        let ends = async {
            let end = life.end(&round.death).await;
            over.store(true, Ordering::SeqCst);
            end
        };
        let ((), troubled, (), end) = tokio::join!(platform, troubles, jumps, ends);
        troubled?;
        let end = end?;
        self.clock.jump(SignedDuration::ZERO);
        self.provider.next_life();
        if let Some(disk) = &self.disk {
            disk.empty()?;
        }
        if let Some(postgres) = &mut self.postgres {
            postgres.up().await?;
        }
        if let End::At(name) = end {
            self.planner.note(Some(name));
        }
        let in_flight = self.shop.in_flight().await?;
        let trouble = round.trouble.map(Trouble::word);
        self.deaths.push(Died { end, trouble, jumped: round.jump.is_some(), in_flight, said });
        Ok(())
    }
}

async fn trouble(
    round: &Round,
    left: u64,
    disk: Option<&Disk>,
    postgres: Option<&mut Postgres>,
) -> Result<(), Failure> {
    match (round.trouble, disk, postgres) {
        (Some(Trouble::Full { after }), Some(disk), _) => {
            tokio::time::sleep(after).await;
            disk.fill(left)
        }
        (Some(Trouble::FullForAWhile { after, lasts }), Some(disk), _) => {
            tokio::time::sleep(after).await;
            disk.fill(left)?;
            tokio::time::sleep(lasts).await;
            disk.empty()
        }
        (Some(Trouble::StoreGone { after, lasts }), _, Some(postgres)) => {
            tokio::time::sleep(after).await;
            postgres.down()?;
            tokio::time::sleep(lasts).await;
            postgres.up().await
        }
        _ => Ok(()),
    }
}

async fn jump(round: &Round, clock: &ShopClock) {
    if let Some((at, by)) = round.jump {
        tokio::time::sleep(at.min(Duration::from_secs(1))).await;
        clock.jump(by);
    }
}
