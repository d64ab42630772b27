//! A conversation about a brief, by rules. It recognises simple phrases, writes them into the brief, and otherwise asks form
//! questions: it does not pretend to converse.

mod heard;
mod lists;
mod shelf;
mod words;

use agent::Message;
use serde_json::{Map, Value, json};

use self::heard::{Ban, Heard, Wish, hear};

/// Updates tried in one turn: the patch, and once more without what was refused.
const MAX_UPDATES: usize = 2;

/// What to do now.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Turn {
    /// Call these tools.
    Calls(Vec<(&'static str, Value)>),
    /// Say this.
    Words(String),
}

/// A tool answer of this turn.
struct Done<'a> {
    name: &'a str,
    arguments: Value,
    content: &'a str,
    value: Option<Value>,
}

/// The turn as the transcript shows it.
struct Scene<'a> {
    standing: &'a str,
    task: &'a str,
    said: &'a str,
    answered_before: &'a str,
    /// Questions were asked in an earlier turn: there is one chance.
    asked_before: bool,
    done: Vec<Done<'a>>,
    last: bool,
}

const MARK: &str = ": the marketer writes\n\n";
const LAST: &str = "This is your last answer in this turn.";

impl<'a> Scene<'a> {
    fn of(messages: &'a [Message]) -> Option<Self> {
        let at = messages.iter().rposition(|m| matches!(m, Message::User { text } if text.contains(MARK)))?;
        let Some(Message::User { text: task }) = messages.get(at) else { return None };
        let (_, said) = task.split_once(MARK)?;
        let standing = match messages.first() {
            Some(Message::System { text }) => text.as_str(),
            Some(_) | None => "",
        };
        let earlier = messages.get(..at).unwrap_or_default();
        let answered_before = earlier.iter().rev().find_map(|m| match m {
            Message::Assistant { text: Some(text), .. } => Some(text.as_str()),
            Message::Assistant { .. } | Message::System { .. } | Message::User { .. } | Message::Tool { .. } => None,
        });
        let asked =
            |m: &Message| matches!(m, Message::Assistant { text: Some(text), .. } if words::is_a_question(text));
        let asked_before = earlier.iter().any(asked);
        let later = messages.get(at + 1..).unwrap_or_default();
        let calls: Vec<_> = later
            .iter()
            .filter_map(|m| match m {
                Message::Assistant { calls, .. } => Some(calls),
                Message::System { .. } | Message::User { .. } | Message::Tool { .. } => None,
            })
            .flatten()
            .collect();
        let done = later
            .iter()
            .filter_map(|m| match m {
                Message::Tool { call, name, content } => {
                    let made = calls.iter().find(|c| c.id == *call)?;
                    let arguments = serde_json::from_str(&made.arguments).unwrap_or(Value::Null);
                    Some(Done { name, arguments, content, value: serde_json::from_str(content).ok() })
                }
                Message::Assistant { .. } | Message::System { .. } | Message::User { .. } => None,
            })
            .collect();
        let last =
            task.contains(LAST) || later.iter().any(|m| matches!(m, Message::User { text } if text.contains(LAST)));
        let said = said.split(LAST).next().unwrap_or(said).trim();
        Some(Self {
            standing,
            task,
            said,
            answered_before: answered_before.unwrap_or_default(),
            asked_before,
            done,
            last,
        })
    }

    fn made(&self, name: &str) -> impl Iterator<Item = &Done<'a>> {
        self.done.iter().filter(move |done| done.name == name)
    }

    /// A line of the brief at the head of the turn.
    fn line(&self, label: &str) -> Option<&'a str> {
        self.task.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(": "))
    }

    /// The steps of the ladder with their per cent.
    fn ladder(&self) -> Vec<(&'a str, Option<u32>)> {
        let steps = self.standing.split("Steps of the ladder:\n").nth(1).unwrap_or_default();
        let step = |line: &'a str| {
            let (id, _) = line.strip_prefix("- ")?.split_once(": ")?;
            let (id, percent) = id.split_once(" (").unwrap_or((id, ""));
            Some((id, percent.split_whitespace().next().and_then(|n| n.parse().ok())))
        };
        steps.lines().map_while(step).collect()
    }

    /// What this turn answers to the question what VIPs get, when that was asked and is still open: clause and treatment.
    fn vip_answer(&self, heard: &Heard) -> Option<(String, &'static str)> {
        let open = self.line("VIPs") == Some("not said") && self.answered_before.contains("VIP");
        if !open || heard.vip.is_some() {
            return None;
        }
        let answers = heard::clauses(self.said).into_iter().filter(|clause| !words::is_step_option(clause));
        answers.filter_map(|clause| words::vip_answer(&clause).map(|treatment| (clause, treatment))).next()
    }

    /// "Without a discount", while both what VIPs get and the step are open: it may answer either.
    fn answers_both(&self, answer: &(String, &'static str)) -> bool {
        answer.1 == "undiscounted" && self.line("wish beyond the ladder").is_some()
    }

    /// Clauses that are told back instead of being written down.
    fn unclear(&self, heard: &Heard) -> Vec<String> {
        let both = self.vip_answer(heard).filter(|answer| self.answers_both(answer)).map(|(clause, _)| clause);
        heard.unclear.iter().cloned().chain(both).collect()
    }

    /// Standing constraints: number and words.
    fn constraints(&self) -> Vec<(u32, &'a str)> {
        let constraint = |line: &'a str| {
            let (number, words) = line.strip_prefix("- C")?.split_once(" (turn ")?;
            Some((number.parse().ok()?, words))
        };
        self.task.lines().filter_map(constraint).collect()
    }
}

/// The next move of a conversation.
pub(super) fn next(messages: &[Message], offered: &[String]) -> Turn {
    let Some(scene) = Scene::of(messages) else { return Turn::Words(words::LOST.to_owned()) };
    let heard = hear(scene.said);
    let turn = if scene.last { None } else { act(&scene, &heard) };
    match turn {
        Some(calls) if calls.iter().all(|(name, _)| offered.iter().any(|o| o == name)) => Turn::Calls(calls),
        Some(_) | None => Turn::Words(words::answer(&scene, &heard)),
    }
}

fn act(scene: &Scene<'_>, heard: &Heard) -> Option<Vec<(&'static str, Value)>> {
    if is_goal_alone(scene, heard) {
        return propose(scene, heard);
    }
    if scene.made("search_catalog").next().is_none() && scene.made("update_brief").next().is_none() {
        let searches = shelf::searches(heard);
        if !searches.is_empty() {
            return Some(searches);
        }
    }
    let updates: Vec<&Done<'_>> = scene.made("update_brief").collect();
    let Some(last) = updates.last() else {
        let patch = patch(scene, heard, true)?;
        return Some(vec![("update_brief", patch)]);
    };
    let Some(updated) = last.value.as_ref() else {
        // What VIPs get was not said clearly enough: keep their words as a rule, and ask.
        let unclear = last.content.contains("can mean more than one thing") && updates.len() < MAX_UPDATES;
        return unclear.then(|| patch(scene, heard, false)).flatten().map(|patch| vec![("update_brief", patch)]);
    };
    let reach_changed =
        ["include", "channels", "vip"].iter().any(|key| last.arguments.get(*key).is_some_and(|value| !value.is_null()));
    if reach_changed && updated.get("recipients").is_some() && scene.made("preview_audience").next().is_none() {
        return Some(vec![("preview_audience", json!({ "include": null, "exclude": null }))]);
    }
    if !scene.asked_before && scene.made("ask_marketer").next().is_none() {
        let questions = words::questions(&missing(updated), heard.german);
        if !questions.is_empty() {
            return Some(vec![("ask_marketer", json!({ "questions": questions }))]);
        }
    }
    None
}

fn missing(updated: &Value) -> Vec<String> {
    let list = updated.get("missing").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The patch of what was heard, or nothing when it says nothing new. `vip_said`: try what VIPs get as said.
fn patch(scene: &Scene<'_>, heard: &Heard, vip_said: bool) -> Option<Value> {
    const KEYS: &[&str] = &[
        "title",
        "objective",
        "success",
        "failure",
        "include",
        "exclude",
        "vip",
        "offer",
        "products",
        "channels",
        "send",
        "holdout_percent",
        "angles",
        "tone",
        "languages",
        "legal",
        "rules",
        "take_back",
        "assume",
    ];
    let mut patch: Map<String, Value> = KEYS.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
    let mut set = |key: &str, value: Value| patch.insert(key.to_owned(), value);
    let mut rules: Vec<Value> = Vec::new();
    let mut products = heard.products.clone();
    let mut titles = Vec::new();
    for left in &heard.left {
        match shelf::found(scene, left) {
            Some(goods) => products.extend(goods.products),
            None => titles.push(left.as_str()),
        }
    }
    products.truncate(8);
    if !products.is_empty() {
        set("products", json!(products));
    }
    if !heard.stages.is_empty() {
        set("include", json!([{ "is": "stage", "any": heard.stages }]));
    }
    let vip_answer = scene.vip_answer(heard);
    let answers_vips = |quote: &str| vip_answer.as_ref().is_some_and(|(clause, _)| clause == quote);
    let ladder = scene.ladder();
    let by_name = ladder.iter().find(|(id, _)| heard::any(scene.said, &[id, id.replace('-', " ").as_str()]));
    match (by_name, &heard.offer) {
        (Some((step, _)), _) => drop(set("offer", json!({ "choice": "step", "step": step }))),
        (None, Some(Wish::None)) if heard.rules.iter().any(|(quote, _)| answers_vips(quote)) => {}
        (None, Some(wish)) => drop(set("offer", offer(wish, &ladder))),
        (None, None) => {}
    }
    if let Some(day) = &heard.day {
        set("send", json!({ "on": day, "at": heard.time, "zone": null, "last_day": null }));
    } else if let (Some(time), Some(before)) = (&heard.time, scene.line("schedule")) {
        // Another time on the same day.
        let day = date_of(before);
        set("send", json!({ "on": day?, "at": time, "zone": null, "last_day": null }));
    }
    if !heard.channels.is_empty() {
        set("channels", json!(heard.channels));
    }
    if let Some(percent) = heard.holdout {
        set("holdout_percent", json!(percent));
    }
    for (field, value) in &heard.fields {
        set(field, json!(value));
    }
    for (quote, ban) in heard.rules.iter().filter(|(quote, _)| !answers_vips(quote)) {
        rules.push(json!({ "quote": quote, "rule": rule(scene, ban) }));
    }
    if let Some(clause) = &heard.vip {
        match words::vip_treatment(clause).filter(|_| vip_said) {
            Some(treatment) => drop(set("vip", json!({ "treatment": treatment, "quote": clause }))),
            None => rules.push(json!({ "quote": clause, "rule": { "kind": "vip" } })),
        }
    } else if let Some((clause, treatment)) = vip_answer.as_ref().filter(|answer| !scene.answers_both(answer)) {
        set("vip", json!({ "treatment": treatment, "quote": clause }));
    }
    if !rules.is_empty() {
        set("rules", json!(rules));
    }
    let back = taken_back(scene, heard);
    if !back.is_empty() {
        set("take_back", json!(back));
    }
    if patch.values().all(Value::is_null) {
        return None;
    }
    if scene.line("objective").is_none() && patch.get("objective").is_none_or(Value::is_null) {
        patch.insert("objective".to_owned(), json!(scene.said.chars().take(300).collect::<String>()));
    }
    if scene.line("title").is_none()
        && patch.get("title").is_none_or(Value::is_null)
        && let Some(title) = words::title(titles.first().copied(), scene.said)
    {
        patch.insert("title".to_owned(), json!(title));
    }
    Some(Value::Object(patch))
}

fn offer(wish: &Wish, ladder: &[(&str, Option<u32>)]) -> Value {
    let step = |id: &str| json!({ "choice": "step", "step": id });
    match wish {
        Wish::None => json!({ "choice": "none" }),
        Wish::FreeShipping => match ladder.iter().find(|(id, percent)| percent.is_none() && id.contains("shipping")) {
            Some((id, _)) => step(id),
            None => json!({ "choice": "beyond_ladder", "asked": "free shipping" }),
        },
        Wish::Percent(wanted) => match ladder.iter().find(|(_, percent)| *percent == Some(*wanted)) {
            Some((id, _)) => step(id),
            None => json!({ "choice": "beyond_ladder", "asked": format!("{wanted} %") }),
        },
    }
}

fn rule(scene: &Scene<'_>, ban: &Ban) -> Value {
    match ban {
        Ban::Sms => json!({ "kind": "no_channel", "channel": "sms" }),
        Ban::Email => json!({ "kind": "no_channel", "channel": "email" }),
        Ban::Offer => json!({ "kind": "no_offer" }),
        Ban::AtMost(percent) => json!({ "kind": "at_most_percent", "percent": percent }),
        Ban::Goods(goods) => match shelf::found(scene, goods).and_then(|goods| goods.category) {
            Some(category) => json!({ "kind": "no_category", "category": category }),
            None => json!({ "kind": "words" }),
        },
    }
}

/// Constraints that the words take back: by number, by what was asked about, or by a word they share.
fn taken_back(scene: &Scene<'_>, heard: &Heard) -> Vec<Value> {
    let standing = scene.constraints();
    let named = |text: &str| {
        let numbers: Vec<u32> = heard::words(text).filter_map(|w| w.strip_prefix('C')?.parse().ok()).collect();
        standing.iter().map(|(n, _)| *n).find(|n| numbers.contains(n))
    };
    let shared = |clause: &str| {
        let telling = |w: &&str| {
            w.chars().count() > 2 && !heard::any(w, &["the", "rule", "about", "forget", "drop", "doch", "vergiss"])
        };
        let words: Vec<String> = heard::words(clause).filter(telling).map(str::to_lowercase).collect();
        let holds = |(_, text): &&(u32, &str)| heard::words(text).any(|w| words.contains(&w.to_lowercase()));
        standing.iter().find(holds).map(|(n, _)| *n)
    };
    let number = |(clause, number): &(String, Option<u32>)| {
        let number = number.or_else(|| named(scene.answered_before)).or_else(|| shared(clause))?;
        Some(json!({ "constraint": number, "quote": clause }))
    };
    heard.take_back.iter().filter_map(number).collect()
}

/// `Thu 3 Dec 2026 at …` as a date that the tool takes.
fn date_of(schedule: &str) -> Option<String> {
    let head: Vec<&str> = schedule.split_whitespace().take(4).collect();
    let date = jiff::civil::Date::strptime("%a %d %b %Y", head.join(" ")).ok()?;
    Some(date.to_string())
}

/// A goal and nothing else, before anything stands.
fn is_goal_alone(scene: &Scene<'_>, heard: &Heard) -> bool {
    let nothing = heard.stages.is_empty() && heard.offer.is_none() && heard.day.is_none() && heard.products.is_empty();
    let empty = scene.line("audience").is_none() && scene.made("update_brief").next().is_none();
    heard.goal && nothing && heard.vip.is_none() && empty
}

/// Three ways to reach a goal: other people, other products, an offer or none.
fn propose(scene: &Scene<'_>, heard: &Heard) -> Option<Vec<(&'static str, Value)>> {
    let Some(shelf) = scene.made("search_catalog").next() else {
        let all = json!({ "query": "", "category": null, "max_price": null, "in_stock": null, "limit": 8 });
        return Some(vec![("search_catalog", all)]);
    };
    if scene.made("propose_briefs").next().is_some() {
        return None;
    }
    let products: Vec<&str> =
        shelf.value.as_ref()?.get("products")?.as_array()?.iter().filter_map(|p| p["product"].as_str()).collect();
    let third = products.len() / 3;
    let part = |n: usize| products.iter().skip(n * third).take(third.clamp(1, 3)).copied().collect::<Vec<_>>();
    let step = scene.ladder().first().map(|(id, _)| json!({ "choice": "step", "step": id }));
    let success = json!({ "measure": words::measure(scene.said), "within_days": 30 });
    let brief = |n: usize, stages: &[&str], offer: Value, angles: &[&str]| {
        let (title, why) = words::sketch(n, heard.german);
        json!({
            "title": title, "why": why, "include": [{ "is": "stage", "any": stages }], "exclude": [], "offer": offer,
            "products": part(n), "success": success, "angles": angles, "send": null,
        })
    };
    let none = json!({ "choice": "none" });
    let briefs = [
        brief(0, &["first_time"], none.clone(), &["advice", "benefit", "review", "occasion"]),
        brief(1, &["due", "at_risk"], step.unwrap_or_else(|| none.clone()), &["benefit", "offer", "review", "advice"]),
        brief(2, &["lapsed"], none, &["comeback", "new_arrivals", "review", "benefit"]),
    ];
    let goal: String = scene.said.chars().take(300).collect();
    Some(vec![("propose_briefs", json!({ "goal": goal, "briefs": briefs }))])
}
