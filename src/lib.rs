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
//! | what tools ask of us | [`toolbox`] |
//! | people decide | [`approvals`] |
//! | clearance, ledger, dispatch | [`delivery`] (types: `kit::message`) |
//! | all SQL | [`store`] |
//! | prompts, rules, policy | [`release`] |
//! | one shop put together | [`tenant`] |
//! | the sample shop | [`sample`], [`sample_shop`] |
//! | where tests make it die | [`failpoint`] |
//! | the command line | [`cli`] |

pub mod approvals;
pub mod campaigns;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod failpoint;
pub mod flows;
pub mod intake;
pub mod model;
pub mod release;
pub mod runs;
pub mod sample;
pub mod sample_shop;
pub mod store;
pub mod telemetry;
pub mod tenant;
pub mod toolbox;
