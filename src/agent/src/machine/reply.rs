//! Taking a model's answer: whatever it says becomes either a turn of calls or a bounded re-ask.

use kit::CallId;
use kit::tool::Effect;

use super::Machine;
use super::plan::{DECIDE_NO_SEND, PlannedTool};
use super::prompts;
use super::turn::{Refusal, Turn, Waiting};
use crate::step::TurnEnd;
use crate::transcript::{FinishReason, Message, ModelReply, RawCall, ToolCall};

/// Calls of one answer that are run. More in one go is guessing, not asking.
pub(super) const MAX_CALLS_RUN: usize = 8;
/// Calls of one answer that are taken note of. Beyond it the answer as a whole is unusable.
const MAX_CALLS_TAKEN: usize = 32;
/// Arguments that are kept; those of a full message are some thousand bytes.
pub(super) const MAX_ARGUMENT_BYTES: usize = 64 * 1024;
/// Characters of a model's words that stay in the conversation.
const MAX_TEXT_CHARS: usize = 2_000;
/// What every server accepts as the name of a function.
const MAX_NAME_CHARS: usize = 64;

impl Machine {
    pub(super) fn take_reply(&mut self, reply: ModelReply) {
        self.meter.count_turn(&reply.usage);
        let offer = self.plan.offer(self.phase);
        match reply.finish {
            FinishReason::Refused => return self.refused(&offer),
            // The last call may be cut in the middle, and a cut text may still parse: none of them is trusted.
            FinishReason::Length if self.talks() => return self.ask_again(reply.text, prompts::words_cut_off()),
            FinishReason::Length => return self.ask_again(reply.text, &prompts::cut_off(&offer)),
            FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other => {}
        }
        match reply.calls.len() {
            0 if self.talks() => self.take_words(reply.text),
            0 => self.ask_again(reply.text, &prompts::no_call(&offer)),
            1..=MAX_CALLS_TAKEN => self.take_calls(reply.text, reply.calls),
            flood => self.ask_again(reply.text, &prompts::flood(flood, &offer)),
        }
    }

    /// Notes that nothing came of an answer and asks again, as often as the limits allow.
    pub(super) fn retry(&mut self, note: Option<&str>) {
        self.patience.reasks = self.patience.reasks.saturating_add(1);
        let answers = self.patience.reasks;
        if answers > self.plan.limits.reasks {
            return self.give_up("reasks", format!("{answers} answers in a row could not be used"));
        }
        if let Some(note) = note {
            self.say(note);
        }
        self.ask();
    }

    fn ask_again(&mut self, said: Option<String>, note: &str) {
        if let Some(text) = said.and_then(clipped) {
            self.transcript.push(Message::Assistant { text: Some(text), calls: Vec::new() });
        }
        self.retry(Some(note));
    }

    /// In a conversation words end the turn. An empty answer is none.
    fn take_words(&mut self, said: Option<String>) {
        match said.and_then(clipped) {
            Some(text) => {
                self.transcript.push(Message::Assistant { text: Some(text), calls: Vec::new() });
                self.await_marketer(TurnEnd::Answered);
            }
            None => self.retry(Some(prompts::no_words())),
        }
    }

    /// The words of a refusal are not kept: a model that reads them refuses again.
    fn refused(&mut self, offer: &str) {
        self.patience.refusals = self.patience.refusals.saturating_add(1);
        if self.patience.refusals > 1 {
            return self.give_up("refused", "the model declined to answer, also when asked again".to_owned());
        }
        self.say(&prompts::refused(offer));
        self.ask();
    }

    fn take_calls(&mut self, text: Option<String>, raw: Vec<RawCall>) {
        let turn = Turn::new(self.sorted_out(raw));
        self.transcript
            .push(Message::Assistant { text: text.and_then(clipped), calls: turn.calls().cloned().collect() });
        self.advance(turn);
    }

    /// Gives every call its own id and decides what can be decided before anything runs.
    fn sorted_out(&mut self, raw: Vec<RawCall>) -> Vec<Waiting> {
        let no_send_wins = self.contradicts_itself(&raw);
        let mut to_run = 0;
        let mut sorted = Vec::with_capacity(raw.len());
        for (index, raw) in raw.into_iter().enumerate() {
            let mut refusal = self.refusal_before_running(&raw, no_send_wins);
            if refusal.is_none() {
                to_run += 1;
            }
            if to_run > MAX_CALLS_RUN {
                refusal = refusal.or(Some(Refusal::TooMany));
            }
            let arguments = if raw.arguments.len() > MAX_ARGUMENT_BYTES { "{}".to_owned() } else { raw.arguments };
            let call = ToolCall { id: self.unique_id(&raw.id, index + 1), name: wire_name(&raw.name), arguments };
            sorted.push(Waiting { call, refusal });
        }
        sorted
    }

    /// True for an answer that decides to send nothing and also wants to change something.
    fn contradicts_itself(&self, calls: &[RawCall]) -> bool {
        let changes = |tool: &PlannedTool| tool.effect != Effect::Read && tool.name != DECIDE_NO_SEND;
        calls.iter().any(|call| call.name == DECIDE_NO_SEND && self.is_offered(&call.name))
            && calls.iter().filter_map(|call| self.plan.tool(&call.name)).any(changes)
    }

    fn refusal_before_running(&self, call: &RawCall, no_send_wins: bool) -> Option<Refusal> {
        if self.plan.tool(&call.name).is_none() {
            return Some(Refusal::Unknown);
        }
        if no_send_wins && call.name != DECIDE_NO_SEND {
            return Some(Refusal::Contradicted);
        }
        if !self.is_offered(&call.name) {
            return Some(Refusal::NotOffered);
        }
        (call.arguments.len() > MAX_ARGUMENT_BYTES).then_some(Refusal::TooLong)
    }

    /// The id as sent, or `call_<turn>_<position>` when it is empty, malformed or was used before.
    fn unique_id(&mut self, raw: &str, position: usize) -> CallId {
        if let Ok(id) = CallId::new(raw)
            && self.taken.insert(id.clone())
        {
            return id;
        }
        let name = format!("call_{}_{position}", self.meter.spent().turns);
        let (mut candidate, mut n) = (name.clone(), 1_u64);
        // Ends: a model that makes up our own ids can have sent only so many.
        loop {
            if let Ok(id) = CallId::new(candidate.as_str())
                && self.taken.insert(id.clone())
            {
                return id;
            }
            n += 1;
            candidate = format!("{name}_{n}");
        }
    }
}

/// Words without blanks around them, cut to a sensible length; nothing for none.
fn clipped(text: String) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(MAX_TEXT_CHARS).collect())
}

/// The name as the conversation may hold it: servers refuse a history with other characters.
fn wire_name(raw: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let name: String = raw.chars().take(MAX_NAME_CHARS).map(safe).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}
