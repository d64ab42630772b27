//! Brand rules: the content gate of every message.
//!
//! [`RuleBook`] compiles a shop's rule file (`knowledge/brand/rules.toml`) and claims register (`claims.toml`) once and
//! checks drafts against them: phrases, closed-world claims, urgency with proof, figures as placeholders, structure,
//! style, links. It returns findings, never a verdict; `kit::message::Checked` draws the conclusion.
//!
//! * [`rules`]: the built-in rules; `lexicon.toml` holds their word lists.
//! * `fold`, `phrases`: normal forms and matching, so that spelling tricks do not help.
//! * `checks`: what each rule looks at.
//! * [`examples`], [`legal`]: a passing and a failing example of every rule, and which rules keep which law.
//! * [`proposals`]: rules that people's decisions suggest.
//! * [`check_brand_rules`]: the tool that explains findings to a writer.

mod book;
pub mod check_brand_rules;
mod checks;
pub mod examples;
mod fold;
pub mod legal;
mod phrases;
pub mod proposals;
pub mod rules;
mod text;

pub use book::{CheckContext, RuleBook, RuleFileError, RuleFileErrors, RuleText};
pub use check_brand_rules::{CheckBrandRules, RuleBooks};
