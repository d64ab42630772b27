//! Suites: YAML files that a marketer can read and write.
//!
//! ```yaml
//! suite: abandoned-checkout
//! about: A cart was left.
//! cases:
//!   - name: Boots are left for the first time
//!     customer: { first_name: Aoife, language: en }
//!     story:
//!       - cart: [TT-1001]
//!     then:
//!       outcome: sent
//!       shows: [TT-1001]
//! ```
//!
//! Keys that nobody knows are refused, and every mistake is named with file, line and column.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kit::{FlowId, Language, ProductId, Timestamp};
use serde::{Deserialize, Serialize};

/// A suite, read and checked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its name, unique among the suites that are run together.
    pub suite: String,
    /// What it is about, in a sentence.
    pub about: String,
    /// What the shop is like, unless a case says otherwise.
    #[serde(default)]
    pub shop: Terms,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name, unique within the suite: a baseline knows it by it.
    pub name: String,
    /// Why it is there, for whoever sees it fail.
    #[serde(default)]
    pub why: Option<String>,
    /// What the shop is like.
    #[serde(default)]
    pub shop: Option<Terms>,
    /// When the story begins; a Tuesday morning unless said.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Whom it is about.
    #[serde(default)]
    pub customer: Customer,
    /// What happens, in order.
    pub story: Vec<Step>,
    /// What must hold afterwards.
    pub then: Then,
}

/// Policy of the shop in a case. What is not said is as the release has it, but for two things that would make a case
/// depend on others: nobody is held out, and flows under a first watch are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// How far the two everyday flows are trusted.
    #[serde(default)]
    pub trust: Trust,
    /// Share of customers that gets nothing.
    #[serde(default)]
    pub holdout_percent: u32,
    /// Messages within a day.
    #[serde(default)]
    pub cap_day: Option<u32>,
    /// Messages within a week.
    #[serde(default)]
    pub cap_week: Option<u32>,
    /// Quiet hours: from, to.
    #[serde(default)]
    pub quiet: Option<(u8, u8)>,
    /// Phrases that the content rules forbid in this case, beside the shop's own.
    #[serde(default)]
    pub banned: Vec<String>,
}

/// How far a flow is trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Only what policy singles out is looked at.
    #[default]
    Open,
    /// A person sees every message.
    Review,
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Customer {
    /// Their first name; `null` when nobody knows it.
    pub first_name: Option<String>,
    /// What they read.
    pub language: Language,
    /// Where they live.
    pub zone: String,
    /// A very important one.
    pub vip: bool,
    /// Their loyalty tier.
    pub tier: Option<String>,
    /// Whether they agreed to mail.
    pub consent: Consent,
    /// Why their address takes no mail.
    pub suppressed: Option<String>,
    /// Whether a support ticket is open when the story begins.
    pub ticket: bool,
    /// Whether they belong to the holdout group; needs `shop: { holdout_percent: 50 }` or the like.
    pub held_out: bool,
    /// Orders of the past.
    pub bought: Vec<Purchase>,
}

impl Default for Customer {
    fn default() -> Self {
        Self {
            first_name: Some("Aoife".to_owned()),
            language: Language::EN,
            zone: "Europe/Dublin".to_owned(),
            vip: false,
            tier: None,
            consent: Consent::Subscribed,
            suppressed: None,
            ticket: false,
            held_out: false,
            bought: Vec::new(),
        }
    }
}

/// What somebody said about mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Yes.
    Subscribed,
    /// Nothing.
    None,
    /// No, after a yes.
    Withdrawn,
}

/// An order of the past.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purchase {
    /// What.
    pub items: Vec<ProductId>,
    /// How long ago.
    pub days_ago: i64,
    /// All of it came back.
    #[serde(default)]
    pub returned: bool,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A cart with these products is left; the same cart when it is told again.
    Cart(Vec<ProductId>),
    /// As `cart`, with what a platform may tell beside it.
    CartWith(CartWith),
    /// Another cart, beside the first.
    OtherCart(Vec<ProductId>),
    /// The last event arrives once more, as webhooks do.
    Again,
    /// The cart's checkout was completed.
    CheckoutCompleted,
    /// An order is placed.
    Buys(Vec<ProductId>),
    /// An order left the warehouse.
    Fulfilled(Vec<ProductId>),
    /// An order was cancelled.
    Cancelled(Cancelled),
    /// The last order is cancelled after all.
    CancelsOrder,
    /// A flow is begun by hand.
    Start(FlowId),
    /// A ticket is opened or closed.
    Ticket(Door),
    /// They say yes or no to mail.
    Consent(Consent),
    /// They ask to be forgotten.
    Erased,
    /// Their address bounced.
    Suppressed(String),
    /// Units in stock change.
    Stock(BTreeMap<ProductId, i64>),
    /// Prices change, as decimal amounts.
    Price(BTreeMap<ProductId, String>),
    /// Sending is switched off, or on again.
    Kill(Switch),
    /// The rules of the shop change: this phrase is forbidden now.
    Bans(String),
    /// Hours pass.
    Wait(i64),
    /// What is due is done; the clock goes on to its time first.
    Due,
    /// What is due at this moment is done, without the clock moving.
    Now,
    /// A person approves what is asked.
    Approve,
    /// The author of an edit tries to approve it.
    EditAndApproveOneself(String),
    /// A person rewrites the subject, and another approves.
    EditAndApprove(String),
    /// A person turns it down, for good.
    Reject(String),
    /// A person turns it down and wants another one.
    Revise(String),
    /// The provider fails once, like this.
    EspFails(EspFault),
}

/// A cart with more said about it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CartWith {
    /// What is in it.
    pub items: Vec<ProductId>,
    /// What the customer wrote into the note field.
    #[serde(default)]
    pub note: Option<String>,
    /// The title that the event gives the first product.
    #[serde(default)]
    pub title: Option<String>,
    /// Where the link back leads.
    #[serde(default)]
    pub url: Option<String>,
    /// The first name that the event gives the customer.
    #[serde(default)]
    pub first_name: Option<String>,
}

/// An order that was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancelled {
    /// What was in it.
    pub items: Vec<ProductId>,
    /// Why, by the platform's word: `inventory`, `customer`, `declined`, `fraud`, `other`.
    pub reason: String,
}

/// Opened or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// Opened.
    Opened,
    /// Closed.
    Closed,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// The kill switch is on: nothing is sent.
    Engaged,
    /// It is off again.
    Lifted,
}

/// How the provider fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EspFault {
    /// It is over its limit: nothing was accepted.
    TooMany,
    /// It is broken: nothing was accepted.
    Broken,
    /// It accepted the message, and the connection was cut.
    AcceptsThenCuts,
    /// It will never take the message.
    Refuses,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// How it ends.
    pub outcome: Ending,
    /// The code of the reason, when nothing was sent or something waits.
    #[serde(default)]
    pub reason: Option<String>,
    /// How many mails left; one when the outcome is `sent`, else none.
    #[serde(default)]
    pub mails: Option<usize>,
    /// Products that the last mail shows.
    #[serde(default)]
    pub shows: Vec<ProductId>,
    /// Products of which it shows at least one.
    #[serde(default)]
    pub shows_one_of: Vec<ProductId>,
    /// Products that no mail shows.
    #[serde(default)]
    pub never_shows: Vec<ProductId>,
    /// Words in the last mail, in any letter case.
    #[serde(default)]
    pub says: Vec<String>,
    /// Words that no mail may hold.
    #[serde(default)]
    pub never_says: Vec<String>,
    /// Where the button leads: `cart`, `product` or `guide`.
    #[serde(default)]
    pub button: Option<Button>,
    /// Whether a person was asked. Nobody is, unless this says so.
    #[serde(default)]
    pub approval: Asked,
    /// Codes of the reasons for which they were asked.
    #[serde(default)]
    pub because: Vec<String>,
    /// Offers that may be made.
    #[serde(default)]
    pub offers: BTreeSet<String>,
    /// Tools that are called, in this order, whatever else is called between.
    #[serde(default)]
    pub calls: Vec<String>,
    /// Tools that are never called.
    #[serde(default)]
    pub never_calls: Vec<String>,
    /// Model calls that are enough.
    #[serde(default)]
    pub model_calls_at_most: Option<u64>,
}

/// How a case ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A mail left.
    Sent,
    /// It was decided that nothing is sent.
    NoSend,
    /// A cleared message was dropped for good.
    Dropped,
    /// A cleared message waits for its cause to pass.
    Held,
    /// It waits for a person.
    Waiting,
    /// It waits for its time.
    Delayed,
    /// No run began.
    NoRun,
    /// An operator must look.
    Parked,
    /// Nobody knows whether the mail left.
    Unknown,
}

/// Where a button leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// To the cart.
    Cart,
    /// To a product.
    Product,
    /// To a guide.
    Guide,
}

/// Whether a person was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Nobody was.
    #[default]
    None,
    /// Somebody was.
    Asked,
}

/// A suite that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SuiteError {
    /// It cannot be read.
    #[error("{}: {why}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// It is not what a suite looks like.
    #[error("{}:{line}:{column}: {why}", file.display())]
    Form {
        /// Which file.
        file: PathBuf,
        /// The line.
        line: u64,
        /// The column.
        column: u64,
        /// What is wrong.
        why: String,
    },
    /// It can be read, and means nothing.
    #[error("{}: {place}: {why}", file.display())]
    Sense {
        /// Which file.
        file: PathBuf,
        /// The case.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// There is none.
    #[error("{} holds no suite: a suite is a file that ends in .yaml", .0.display())]
    Empty(PathBuf),
}

impl Suite {
    /// Reads a suite.
    ///
    /// # Errors
    /// [`SuiteError`] with file, line and column.
    pub fn parse(file: &Path, text: &str) -> Result<Self, SuiteError> {
        let suite: Self = serde_saphyr::from_str(text).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let told = error.without_snippet().to_string();
            // The place stands in front already.
            let why = told.split(" at line ").next().unwrap_or(&told).trim_end_matches(" at").to_owned();
            SuiteError::Form { file: file.to_owned(), line, column, why }
        })?;
        suite.makes_sense().map_err(|(place, why)| SuiteError::Sense { file: file.to_owned(), place, why })?;
        Ok(suite)
    }

    fn makes_sense(&self) -> Result<(), (String, String)> {
        let mut names = BTreeSet::new();
        if self.cases.is_empty() {
            return Err((self.suite.clone(), "it has no cases".to_owned()));
        }
        for case in &self.cases {
            let bad = |why: String| Err((format!("case `{}`", case.name), why));
            if case.name.trim().is_empty() || !names.insert(case.name.as_str()) {
                return bad("every case has a name of its own".to_owned());
            }
            if case.story.is_empty() {
                return bad("nothing happens in its story".to_owned());
            }
            let then = &case.then;
            let mails = then.mails.unwrap_or_default();
            let about_mail = !(then.shows.is_empty() && then.says.is_empty() && then.shows_one_of.is_empty())
                || then.button.is_some();
            if about_mail && then.outcome != Ending::Sent && mails == 0 {
                return bad("it says what the mail shows, and expects no mail".to_owned());
            }
            if then.approval == Asked::None && !then.because.is_empty() {
                return bad("`because` needs `approval: asked`".to_owned());
            }
            if jiff::tz::TimeZone::get(&case.customer.zone).is_err() {
                return bad(format!("`{}` is no IANA zone such as Europe/Dublin", case.customer.zone));
            }
        }
        Ok(())
    }
}

/// Reads a suite, or every suite of a folder, in order of their file names.
///
/// # Errors
/// The first file that is wrong.
pub fn read(path: &Path) -> Result<Vec<Suite>, SuiteError> {
    let cannot = |file: &Path, why: std::io::Error| SuiteError::File { file: file.to_owned(), why: why.to_string() };
    let files = if path.is_dir() {
        let entries =
            std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|e| cannot(path, e))?;
        let mut files: Vec<PathBuf> = entries
            .into_iter()
            .map(|entry| entry.path())
            .filter(|p| p.extension().is_some_and(|e| e == "yaml"))
            .collect();
        files.sort();
        files
    } else {
        vec![path.to_owned()]
    };
    if files.is_empty() {
        return Err(SuiteError::Empty(path.to_owned()));
    }
    let mut suites: Vec<Suite> = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|e| cannot(&file, e))?;
        let suite = Suite::parse(&file, &text)?;
        if suites.iter().any(|known| known.suite == suite.suite) {
            return Err(SuiteError::Sense {
                file,
                place: suite.suite,
                why: "another file has a suite of this name".to_owned(),
            });
        }
        suites.push(suite);
    }
    Ok(suites)
}
