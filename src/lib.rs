//! Mailwright: an agent for e-commerce lifecycle email. The model proposes, code disposes.
//!
//! The way of one message, and where each station lives:
//!
//! | station | module |
//! | --- | --- |
//! | a webhook becomes data and runs | [`intake`] (parsing: the `shop` crate) |
//! | which flow, when | [`flows`] |
//! | a run, step by step, durably | [`runs`] over the pure `agent` crate |
//! | which model answers | [`model`] |
//! | what models may cost | [`spend`] |
//! | the one way out over HTTP, and its recordings | [`egress`], [`cassette`] |
//! | what tools ask of us | [`toolbox`] |
//! | one active process, and how the command line talks to it | [`control`] |
//! | a marketer briefs a campaign | [`briefs`] |
//! | people decide | [`approvals`]; who they are on the command line: [`access`] |
//! | clearance, ledger, dispatch | [`delivery`] (types: `kit::message`) |
//! | all SQL | [`store`] |
//! | prompts, rules, policy | [`release`] |
//! | one shop put together | [`tenant`] |
//! | cases played and judged: the eval gate | [`eval`] |
//! | the sample shop | [`sample`], [`sample_shop`] |
//! | webhooks, the API, workers | [`server`] |
//! | how long data is kept | [`retention`] |
//! | where tests make it die | [`failpoint`] |
//! | the command line | [`cli`] |

pub mod access;
pub mod approvals;
pub mod briefs;
pub mod campaigns;
pub mod cassette;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod delivery;
pub mod egress;
pub mod eval;
pub mod failpoint;
pub mod flows;
pub mod intake;
pub mod keyfile;
pub mod model;
pub mod reading;
pub mod release;
pub mod retention;
pub mod rule_proposals;
pub mod rule_trial;
pub mod runs;
pub mod sample;
pub mod sample_shop;
pub mod server;
pub mod spend;
pub mod store;
pub mod telemetry;
pub mod tenant;
pub mod toolbox;
