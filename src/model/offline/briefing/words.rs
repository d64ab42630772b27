//! What the offline model says in a conversation: a form, filled in as far as it got. It says that it is one.

use serde_json::{Value, json};

use super::heard::{Heard, any, is_all_known};
use super::{Scene, missing, shelf};

/// When the transcript holds no turn.
pub(super) const LOST: &str = "I work by rules and find no turn of a marketer here.";

const FORM_EN: &str = "Write short phrases, such as: lapsed · backpacks · 10 % · Thursday at 9:00 · no SMS · VIPs at full price. Or fields: title: Back to school.";
const FORM_DE: &str = "Kurze Angaben reichen, etwa: inaktive Kunden · Rucksäcke · 10 % · Donnerstag um 9 Uhr · keine SMS · VIPs ohne Rabatt. Oder Felder: titel: Schulanfang.";

/// The answers that take no step of the ladder.
const NO_STEP_EN: &str = "no discount";
const NO_STEP_DE: &str = "kein Rabatt";

/// The answer of a turn.
pub(super) fn answer(scene: &Scene<'_>, heard: &Heard) -> String {
    let german = heard.german;
    let mut lines = vec![
        pick(
            german,
            "Offline model: I work by rules, not by understanding.",
            "Offline-Modell: Ich arbeite nach Regeln, ich verstehe nicht.",
        )
        .to_owned(),
    ];
    let last = scene.made("update_brief").last();
    match last.map(|done| (done.value.as_ref(), done.content)) {
        None => lines.push(
            pick(german, "I recognised nothing to write down.", "Ich habe nichts erkannt, was einzutragen wäre.")
                .to_owned(),
        ),
        Some((None, refusal)) if refusal.contains("says that already") => {
            lines.push(pick(german, "The brief says that already.", "Das steht schon im Brief.").to_owned());
        }
        Some((None, refusal)) => {
            lines.push(pick(german, "Nothing was changed:", "Nichts wurde geändert:").to_owned());
            lines.extend(refusal.lines().filter_map(|line| line.strip_prefix("- ")).map(|line| format!("- {line}")));
            if let Some(number) = constraint_in(refusal) {
                lines.push(match german {
                    false => format!("Is C{number} taken back? Answer \"forget C{number}\", or leave it."),
                    true => format!("Wird C{number} zurückgenommen? Antwort: \"vergiss C{number}\", sonst bleibt es."),
                });
            }
        }
        Some((Some(updated), _)) => {
            lines.push(pick(german, "Written down.", "Eingetragen.").to_owned());
            let missing = missing(updated);
            if missing.is_empty() && scene.unclear(heard).is_empty() {
                lines.push(
                    pick(
                        german,
                        "Nothing is missing: /write has the messages written.",
                        "Nichts fehlt: /write lässt schreiben.",
                    )
                    .to_owned(),
                );
                return lines.join("\n");
            }
            if !missing.is_empty() {
                lines.push(pick(german, "Still missing:", "Es fehlt noch:").to_owned());
                lines.extend((1..).zip(missing).map(|(n, gap): (u32, String)| format!("{n}. {gap}")));
            }
        }
    }
    lines.extend(scene.unclear(heard).iter().map(|clause| match german {
        false => format!("Not written down, since it can mean more than I have rules for: \"{clause}\""),
        true => format!("Nicht eingetragen, denn dafür habe ich keine Regel: \"{clause}\""),
    }));
    lines.extend(not_sold(scene, heard));
    lines.push(pick(german, FORM_EN, FORM_DE).to_owned());
    lines.join("\n")
}

/// What was looked up in the catalogue without finding goods of that kind: asked about, not guessed.
fn not_sold(scene: &Scene<'_>, heard: &Heard) -> Vec<String> {
    let ask = |(words, nearest): (&str, Vec<String>)| {
        let nearest = nearest.join(", ");
        match (heard.german, nearest.is_empty()) {
            (false, true) => format!("I found no goods for \"{words}\". Which category or product id is meant?"),
            (false, false) => format!(
                "I found no goods for \"{words}\"; the nearest lie in {nearest}. Which category or product id is meant?"
            ),
            (true, true) => {
                format!("Zu \"{words}\" habe ich keine Ware gefunden. Welche Kategorie oder Artikelnummer ist gemeint?")
            }
            (true, false) => format!(
                "Zu \"{words}\" habe ich keine Ware gefunden; am nächsten liegt {nearest}. Welche Kategorie oder Artikelnummer ist gemeint?"
            ),
        }
    };
    shelf::not_found(scene, heard).into_iter().map(ask).collect()
}

/// The constraint that a refusal says stands in the way.
fn constraint_in(refusal: &str) -> Option<u32> {
    let (_, after) = refusal.split_once("name it as C")?;
    after.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// Questions worth the one chance: VIPs, and an offer beyond the ladder; a missing day comes along.
pub(super) fn questions(missing: &[String], german: bool) -> Vec<Value> {
    let vip = missing.iter().any(|gap| gap.contains("do VIPs get no message"));
    let beyond = missing.iter().find(|gap| gap.contains("is beyond the ladder"));
    if !vip && beyond.is_none() {
        return Vec::new();
    }
    let mut questions = Vec::new();
    if vip {
        questions.push(json!({
            "text": pick(german, "Nothing for VIPs: should they get no message, or the message without the offer?", "Nichts für VIPs: keine Nachricht, oder die Nachricht ohne Rabatt?"),
            "changes": "audience",
            "options": [pick(german, "VIPs: no message", "VIPs: keine Nachricht"), pick(german, "VIPs: full price", "VIPs: ohne Rabatt")],
        }));
    }
    if let Some(gap) = beyond {
        let steps =
            gap.split_once("the ladder (").and_then(|(_, rest)| rest.split_once(')')).map_or("", |(steps, _)| steps);
        let deepest = steps.rsplit(", ").next().filter(|step| !step.is_empty());
        let mut options: Vec<&str> = deepest.into_iter().collect();
        options.push(pick(german, NO_STEP_EN, NO_STEP_DE));
        options.push(pick(german, "wait for a person to change the ladder", "warten, bis jemand die Leiter ändert"));
        questions.push(json!({
            "text": pick(german, "That discount is not on the ladder: which step instead, or none?", "Diesen Rabatt gibt es nicht: welche Stufe stattdessen, oder keine?"),
            "changes": "offer",
            "options": options,
        }));
    }
    if missing.iter().any(|gap| gap.contains("on which day")) {
        questions.push(json!({
            "text": pick(german, "On which day does it leave?", "An welchem Tag geht es hinaus?"),
            "changes": "date",
            "options": [pick(german, "tomorrow", "morgen"), pick(german, "Thursday", "Donnerstag")],
        }));
    }
    questions
}

/// True for the answer "none" to the question about a step, word for word.
pub(super) fn is_step_option(clause: &str) -> bool {
    [NO_STEP_EN, NO_STEP_DE].iter().any(|option| option.eq_ignore_ascii_case(clause))
}

/// True for the answer of a turn that asked.
pub(super) fn is_a_question(answer: &str) -> bool {
    let beginnings = [
        "Nothing for VIPs: should",
        "Nichts für VIPs: keine",
        "That discount is not on the ladder",
        "Diesen Rabatt gibt es nicht",
    ];
    beginnings.iter().any(|beginning| answer.contains(beginning))
}

const NO_MESSAGE: &[&str] = &[
    "exclude",
    "excluded",
    "leave out",
    "leave them out",
    "left out",
    "no message",
    "no mail",
    "no email",
    "ausschließen",
    "keine nachricht",
    "keine mail",
    "gar nicht",
];
const NO_OFFER: &[&str] = &[
    "full price",
    "no discount",
    "without the offer",
    "without a discount",
    "without offer",
    "without discount",
    "undiscounted",
    "ohne rabatt",
    "kein rabatt",
    "keinen rabatt",
    "voller preis",
];
const LIKE_ALL: &[&str] = &["included", "include", "too", "as well", "same", "auch", "wie alle"];

/// What a clause says VIPs get, when it says it.
pub(super) fn vip_treatment(clause: &str) -> Option<&'static str> {
    match (any(clause, NO_MESSAGE), any(clause, NO_OFFER), any(clause, LIKE_ALL)) {
        (true, false, _) => Some("excluded"),
        (false, true, _) => Some("undiscounted"),
        (false, false, true) => Some("included"),
        (true, true, _) | (false, false, false) => None,
    }
}

/// The same of an answer that need not name them: it must say nothing else, or it speaks of other people.
pub(super) fn vip_answer(clause: &str) -> Option<&'static str> {
    let all: Vec<&str> = [NO_MESSAGE, NO_OFFER, LIKE_ALL].concat();
    is_all_known(&clause.to_lowercase(), &all).then(|| vip_treatment(clause)).flatten()
}

/// A name for the brief: words that are no goods, or the first words.
pub(super) fn title(left: Option<&str>, said: &str) -> Option<String> {
    let first = said.split([',', '.', '\n', ';']).next().unwrap_or_default().trim();
    let title: String = if first.chars().count() <= 40 { first } else { left? }.chars().take(60).collect();
    (title.chars().count() >= 3).then_some(title)
}

/// The figure that fits a goal.
pub(super) fn measure(goal: &str) -> &'static str {
    if any(goal, &["second", "repeat", "again", "zweitkauf", "zweitkäufe", "wiederkäufe"]) {
        "second_purchases"
    } else if any(goal, &["lapsed", "win back", "back", "zurück", "zurückgewinnen"]) {
        "reactivations"
    } else {
        "margin_per_recipient"
    }
}

/// Title and reason of the three ways.
pub(super) fn sketch(n: usize, german: bool) -> (&'static str, &'static str) {
    match n {
        0 => (
            pick(german, "Help after the first order", "Hilfe nach dem ersten Kauf"),
            pick(
                german,
                "No discount: advice for people who bought once, lately.",
                "Ohne Rabatt: Rat für alle, die vor kurzem zum ersten Mal gekauft haben.",
            ),
        ),
        1 => (
            pick(german, "A nudge when it is time", "Ein Anstoß zur rechten Zeit"),
            pick(
                german,
                "The mildest offer, for people who are due or late by their own rhythm.",
                "Das kleinste Angebot für alle, die nach eigenem Rhythmus fällig oder spät dran sind.",
            ),
        ),
        _ => (
            pick(german, "What is new since you were here", "Neu seit dem letzten Besuch"),
            pick(
                german,
                "No discount: new arrivals for people who have been away for long.",
                "Ohne Rabatt: Neues für alle, die lange nicht hier waren.",
            ),
        ),
    }
}

fn pick<'t>(german: bool, english: &'t str, deutsch: &'t str) -> &'t str {
    if german { deutsch } else { english }
}
