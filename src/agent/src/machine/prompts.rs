//! Every word the machine itself says to a model: re-asks, refusals to run a call, notes about the run.
//!
//! Each says what happened and what to do now, and names the tools on offer, so that a weak model can mend its answer too.

use kit::campaign::{BriefChoice, Question};
use kit::fence::ThirdParty;
use kit::message::Hold;

use super::bounds::Bound;

/// After words without a call.
pub(super) fn no_call(offer: &str) -> String {
    format!("Your answer held no tool call, so nothing happened. {}", one_call(offer))
}

/// After an answer that ran into the length limit.
pub(super) fn cut_off(offer: &str) -> String {
    format!(
        "Your answer was cut off at the length limit and nothing of it was run. Answer shorter. {}",
        one_call(offer)
    )
}

/// After a refusal.
pub(super) fn refused(offer: &str) -> String {
    format!("You declined to answer. If no message should be sent, say so with a tool call. {}", one_call(offer))
}

/// After an answer with more calls than anybody can mean.
pub(super) fn flood(calls: usize, offer: &str) -> String {
    format!("Your answer held {calls} tool calls and none was run. {}", one_call(offer))
}

fn one_call(offer: &str) -> String {
    format!("Answer with exactly one tool call; on offer: {offer}.")
}

/// Before the last turn.
pub(super) fn last_turn(bound: Bound, closing: &str) -> String {
    let why = match bound {
        Bound::Turns => "This is your last turn.",
        Bound::ToolCalls => "This may be your last turn: the tool calls of this run are nearly used up.",
        Bound::Tokens => "This may be your last turn: the tokens of this run are nearly used up.",
        Bound::Cost => "This may be your last turn: the money for this run is nearly used up.",
        Bound::Seconds => "This may be your last turn: the time for this run is nearly used up.",
    };
    format!("{why} Gather no more; bring the run forward or end it now with one of: {closing}.")
}

/// A tool that does not exist.
pub(super) fn unknown_tool(name: &str, offer: &str) -> String {
    format!("not run: there is no tool `{name}`; on offer now: {offer}")
}

/// A tool of another phase.
pub(super) fn not_offered(name: &str, offer: &str) -> String {
    format!("not run: `{name}` is not on offer at this point of the run; on offer now: {offer}")
}

/// One call too many in an answer.
pub(super) fn too_many(max: usize) -> String {
    format!("not run: too many calls in one answer, the first {max} count; ask again if you still need it")
}

/// Arguments beyond any use.
pub(super) fn too_long(max_bytes: usize) -> String {
    format!("not run: the arguments are longer than {max_bytes} bytes; answer shorter")
}

/// A call that contradicts `decide_no_send`.
pub(super) fn contradicted() -> &'static str {
    "not run: the same answer decides to send nothing; of two contradicting calls the cautious one counts"
}

/// An act after a proposal that came to nothing: it would act on what the model meant to replace.
pub(super) fn unsettled() -> &'static str {
    "not run: the call before it changed nothing; read its answer first, then call again if you still mean it"
}

/// The same call once more.
pub(super) fn repeated() -> &'static str {
    "not run: you have asked this already; the answer stands above"
}

/// No tool call is left.
pub(super) fn tool_calls_used_up() -> &'static str {
    "not run: the tool calls of this run are used up"
}

/// A call after one that decided how the run goes on.
pub(super) fn overtaken() -> &'static str {
    "not run: an earlier call of the same answer decided how the run goes on"
}

/// A person wants it otherwise.
pub(super) fn revise(reason: &str, offer: &str) -> String {
    format!(
        "A marketer rejected the message and asks for another one. The reason, in their words: \"{reason}\". Propose a message that meets it, or decide to send nothing; on offer: {offer}."
    )
}

/// The message was right when it was checked and is not any more.
pub(super) fn recheck(hold: &Hold, offer: &str) -> String {
    // A changed fact may be a title or a review: words from outside.
    let why = ThirdParty::new(hold.to_string());
    format!(
        "The message was held and the draft dropped: {why}. Look up again what it builds on, then propose a message with what is true now, or decide to send nothing; on offer: {offer}."
    )
}

/// A turn of a conversation: the date, the brief as code keeps it, and the marketer's words.
pub(super) fn turn(turn: u32, today: &str, brief: &str, notes: &[String], said: &str) -> String {
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!("# What the marketer did to it since your last answer\n\n{}\n\n", notes.join("\n"))
    };
    format!(
        "Today is {today}.\n\n# The brief as it stands\n\n{brief}\n\n{notes}# Turn {turn}: the marketer writes\n\n{said}"
    )
}

/// A turn that is over.
pub(super) fn past_turn(turn: u32, said: &str) -> String {
    format!("# Turn {turn}: the marketer wrote\n\n{said}")
}

/// What was asked, as the answer of a turn.
pub(super) fn questions(asked: &[Question]) -> String {
    let line = |(n, question): (usize, &Question)| {
        let options =
            if question.options.is_empty() { String::new() } else { format!(" ({})", question.options.join(" / ")) };
        format!("{n}. {}{options}", question.text)
    };
    (1..).zip(asked).map(line).collect::<Vec<_>>().join("\n")
}

/// Briefs to choose from, as the answer of a turn.
pub(super) fn offered(choices: &[BriefChoice]) -> String {
    let line = |(n, choice): (usize, &BriefChoice)| {
        format!("{n}. {}: {}", choice.brief.title.as_deref().unwrap_or("a brief"), choice.why)
    };
    format!("Briefs to choose from:\n{}", (1..).zip(choices).map(line).collect::<Vec<_>>().join("\n"))
}

/// The marketer stopped the turn.
pub(super) fn stopped() -> &'static str {
    "not run: the marketer stopped this turn"
}

/// How a stopped turn ended.
pub(super) fn turn_stopped() -> &'static str {
    "(The marketer stopped this turn before it was answered.)"
}

/// How a turn ended that the model could not answer.
pub(super) fn turn_failed(code: &str) -> String {
    format!("(This turn ended without an answer: {code}.)")
}

/// Neither words nor a call.
pub(super) fn no_words() -> &'static str {
    "Your answer was empty. Answer the marketer in words, or call a tool."
}

/// After an answer to a marketer that ran into the length limit.
pub(super) fn words_cut_off() -> &'static str {
    "Your answer was cut off at the length limit and nothing of it was run. Answer the marketer shorter, or with one call."
}

/// Before the last call of a turn of a conversation.
pub(super) fn last_call() -> &'static str {
    "This is your last answer in this turn. Call nothing that only reads: say in words what the brief holds now and what is missing."
}
