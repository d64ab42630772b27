//! Flows: lifecycle programmes as files. Front matter says when they run; the text below tells the model what is special.
//!
//! A flow file is TOML between two `+++` lines, then Markdown. Everything in the front matter is typed and checked; an
//! unknown key or a duration that cannot be read is an error that names file and line.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kit::{FlowId, Language};
use serde::Deserialize;
use serde::de::Error as _;
use shop::Topic;

/// One flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// What the front matter says.
    pub rules: FlowRules,
    /// What the model is told about this flow.
    pub prompt: String,
}

/// The front matter of a flow file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowRules {
    /// The id; the file's name without `.md`.
    pub id: FlowId,
    /// For people.
    pub title: String,
    /// The team that answers for it.
    pub owner: String,
    /// Who approves its messages.
    pub approved_by: String,
    /// Topics that start it.
    #[serde(deserialize_with = "topics")]
    pub triggers: Vec<Topic>,
    /// How long it waits after the trigger.
    #[serde(deserialize_with = "duration")]
    pub wait: SignedDuration,
    /// How long it waits when a considered purchase is in the cart.
    #[serde(default, deserialize_with = "optional_duration")]
    pub considered_wait: Option<SignedDuration>,
    /// Occasions for the same customer that come within this time of each other are one: while the earlier still waits for
    /// its time, the later takes its place.
    #[serde(default, deserialize_with = "optional_duration")]
    pub debounce: Option<SignedDuration>,
    /// Topics that call off a run that has not ended.
    #[serde(deserialize_with = "topics")]
    pub cancel_on: Vec<Topic>,
    /// What makes one occasion.
    pub occasion: Occasion,
    /// An order after the trigger makes the message pointless.
    pub stops_on_purchase: bool,
    /// How long after the trigger the message is still worth sending.
    #[serde(deserialize_with = "duration")]
    pub window: SignedDuration,
    /// One success metric.
    pub goal: String,
    /// One failure metric.
    pub failure_metric: String,
    /// Channels it may use.
    pub channels: Vec<kit::message::Channel>,
    /// Its risk class.
    pub risk: RiskClass,
    /// The campaign name in links.
    pub utm_campaign: String,
    /// What happens when nobody decides about a message in time.
    #[serde(default)]
    pub on_expiry: OnExpiry,
    /// Why the reader gets this, by language: stands above the unsubscribe link.
    pub why: BTreeMap<Language, String>,
}

/// What makes one occasion of a flow: one message per cart, per order, or per month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The cart or checkout token.
    Cart,
    /// The order id.
    Order,
    /// The calendar month (UTC) of the trigger.
    Month,
}

/// What happens when nobody decides about a message in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// Nothing goes out.
    #[default]
    Skip,
    /// The flow's control goes out, where a person has approved it for the release in force and every gate passes.
    Control,
}

/// How closely people watch a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskClass {
    /// Policy decides message by message.
    Standard,
    /// A person approves every message.
    High,
}

/// A flow file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// No front matter.
    #[error("{file}: must begin with a line `+++`, TOML front matter, and another line `+++`")]
    NoFrontMatter {
        /// The file.
        file: String,
    },
    /// The front matter cannot be read.
    #[error("{file}, line {line}: {why}")]
    FrontMatter {
        /// The file.
        file: String,
        /// The line within the file.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// No text for the model.
    #[error("{file}: there is no prompt below the front matter")]
    Empty {
        /// The file.
        file: String,
    },
    /// The id is not the file's name.
    #[error("{file}: id `{id}` must be the file's name")]
    Name {
        /// The file.
        file: String,
        /// The id found.
        id: FlowId,
    },
}

impl Flow {
    /// Reads one flow file.
    ///
    /// # Errors
    /// Names the file and, where there is one, the line.
    pub fn parse(file: &str, text: &str) -> Result<Self, FlowError> {
        let text = text.replace("\r\n", "\n");
        let no_front_matter = || FlowError::NoFrontMatter { file: file.to_owned() };
        let rest = text.strip_prefix("+++\n").ok_or_else(no_front_matter)?;
        let (front, prompt) = rest.split_once("\n+++").ok_or_else(no_front_matter)?;
        let rules: FlowRules = toml::from_str(front).map_err(|e| {
            let before = e.span().and_then(|s| front.get(..s.start)).unwrap_or_default();
            FlowError::FrontMatter {
                file: file.to_owned(),
                line: before.matches('\n').count() + 2,
                why: e.message().to_owned(),
            }
        })?;
        let stem = file.rsplit('/').next().and_then(|n| n.strip_suffix(".md")).unwrap_or_default();
        if rules.id.as_str() != stem {
            return Err(FlowError::Name { file: file.to_owned(), id: rules.id });
        }
        let prompt = prompt.trim().to_owned();
        if prompt.is_empty() {
            return Err(FlowError::Empty { file: file.to_owned() });
        }
        Ok(Self { rules, prompt })
    }

    /// How long a run of this flow waits.
    pub fn delay(&self, considered: bool) -> SignedDuration {
        match self.rules.considered_wait {
            Some(longer) if considered => longer,
            Some(_) | None => self.rules.wait,
        }
    }

    /// What names the occasion of a trigger.
    pub fn occasion(&self, cart: Option<&str>, order: Option<&str>, at: Timestamp) -> Option<String> {
        match self.rules.occasion {
            Occasion::Cart => cart.map(|id| format!("cart:{id}")),
            Occasion::Order => order.map(|id| format!("order:{id}")),
            Occasion::Month => Some(format!("month:{}", at.strftime("%Y-%m"))),
        }
    }
}

/// The flows of a release, by id.
pub type Flows = BTreeMap<FlowId, Flow>;

fn topics<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Topic>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let known = || Topic::ALL.iter().map(|topic| topic.as_str()).collect::<Vec<_>>().join(", ");
    let topic = |name: &String| {
        let found = Topic::ALL.iter().find(|topic| topic.as_str() == name).copied();
        found.ok_or_else(|| D::Error::custom(format!("`{name}` is no topic; there are {}", known())))
    };
    names.iter().map(topic).collect()
}

fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let duration: SignedDuration =
        text.parse().map_err(|_| D::Error::custom(format!("`{text}` is no duration such as 1h or 90m")))?;
    if duration.is_negative() {
        return Err(D::Error::custom(format!("`{text}` is negative")));
    }
    Ok(duration)
}

fn optional_duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SignedDuration>, D::Error> {
    duration(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = include_str!("../prompts/flows/abandoned-checkout.md");

    #[test]
    fn the_shipped_flow_reads_and_windows_line_ends_change_nothing() {
        let flow = Flow::parse("prompts/flows/abandoned-checkout.md", GOOD).unwrap();
        assert_eq!(flow.delay(true), SignedDuration::from_hours(4));
        assert_eq!(Flow::parse("abandoned-checkout.md", &GOOD.replace('\n', "\r\n")), Ok(flow));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let told = |text: &str| Flow::parse("abandoned-checkout.md", text).unwrap_err().to_string();
        assert_eq!(
            told("hello"),
            "abandoned-checkout.md: must begin with a line `+++`, TOML front matter, and another line `+++`"
        );
        assert_eq!(
            told(&GOOD.replace("wait = \"1h\"", "wait = \"soon\"")),
            "abandoned-checkout.md, line 7: `soon` is no duration such as 1h or 90m"
        );
        assert!(
            told(&GOOD.replace("risk =", "rsik =")).contains("line 17: unknown field `rsik`"),
            "{}",
            told(&GOOD.replace("risk =", "rsik ="))
        );
        assert_eq!(
            Flow::parse("other.md", GOOD).unwrap_err().to_string(),
            "other.md: id `abandoned-checkout` must be the file's name"
        );
    }
}
