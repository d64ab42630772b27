//! Evals: cases that a marketer can read, played through the real pipeline, judged from what left.
//!
//! ```text
//! evals/*.yaml ─► suite ─► stage (shop, store, clock, ESP) ─► play (intake → run → tools → ledger → recording ESP)
//!                                                              │
//!              gate ◄─ stats ◄─ outcome ◄─ score ◄─ the oracle's never-events, the rendered mail, the trajectory
//! ```
//!
//! * [`suite`]: the files; every mistake is named with line and column.
//! * [`template`]: a shop set up once for its terms; [`stage`]: a copy of it on which cases are played; [`world`]: the people of a case and what the oracle is told of them.
//! * [`play`]: one case from its first event to its last mail.
//! * [`score`]: what must hold. Never-events come from the crate `oracle`, which imports nothing of ours.
//! * [`outcome`], [`stats`], [`gate`]: results, intervals, paired comparison with a blessed baseline, the verdict.
//! * [`report`]: terminal, JUnit, HTML.

pub mod gate;
pub mod outcome;
pub mod play;
pub mod proof;
pub mod report;
pub mod run;
pub mod score;
pub mod stage;
pub mod stats;
pub mod suite;
pub mod template;
pub mod world;
