//! What people reject by name or take out again and again is proposed as a rule; nothing else is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{BOOK, CLAIMS, RULES, flow, good, now, paragraph};
use kit::message::{Draft, Severity};
use mailwright_brand::RuleBook;
use mailwright_brand::proposals::{Decided, Proposal, Verdict, proposals};

fn saying(text: &str) -> Draft {
    let mut draft = good();
    draft.blocks[1] = paragraph(text);
    draft
}

fn rejected(approval: &str, text: &str, reason: &str) -> Decided {
    let verdict = Verdict::Rejected { reason: reason.to_owned() };
    Decided { approval: approval.to_owned(), draft: saying(text), verdict }
}

fn edited(approval: &str, before: &str, after: &str) -> Decided {
    let verdict = Verdict::Edited { after: Box::new(saying(after)) };
    Decided { approval: approval.to_owned(), draft: saying(before), verdict }
}

fn proposed(decisions: &[Decided]) -> Vec<Proposal> {
    proposals(decisions, &BOOK, &flow("abandoned-checkout"), now())
}

fn named(decisions: &[Decided]) -> Vec<(String, usize, usize)> {
    let told = |p: Proposal| (p.phrase, p.rejected.len(), p.edited.len());
    proposed(decisions).into_iter().map(told).collect()
}

#[test]
fn words_that_a_rejection_quotes_from_the_message_are_proposed() {
    let text = "These boots are worth every penny. They sit well.";
    let decisions = [
        rejected("apr-1", text, "we never say “worth every penny”"),
        rejected("apr-2", text, "not \"Worth every penny\" again"),
        // Words that do not stand in the message, and reasons without a quotation, name nothing.
        rejected("apr-3", text, "this is 'simply the thing' for nobody"),
        rejected("apr-4", text, "she is on the phone with us"),
    ];
    assert_eq!(named(&decisions), [("worth every penny".to_owned(), 2, 0)]);
}

#[test]
fn words_taken_out_of_two_messages_are_proposed_and_of_one_are_not() {
    let once = edited("apr-1", "Our crew says hello. The heel is wide.", "The heel is wide.");
    assert_eq!(named(std::slice::from_ref(&once)), []);
    let twice = edited("apr-2", "Our crew says hello to you. It is light.", "It is light.");
    assert_eq!(named(&[once, twice]), [("our crew says hello".to_owned(), 0, 2)]);
}

#[test]
fn what_a_rule_finds_already_is_not_proposed() {
    let decisions = [
        rejected("apr-1", "This is the best boot for you.", "“the best boot” is a claim"),
        rejected("apr-2", "The boots are a treat for dry feet.", "'a treat for dry feet' is not us"),
    ];
    assert_eq!(named(&decisions), [("a treat for dry feet".to_owned(), 1, 0)]);
}

#[test]
fn an_accepted_rule_is_found_and_not_proposed_again() {
    let decisions = [rejected("apr-1", "These boots are worth every penny.", "“worth every penny” \\ \"quoted\"")];
    let proposal = proposed(&decisions).remove(0);
    let mut rules = RULES.to_owned();
    rules.push_str(&proposal.to_toml(Severity::Block));
    let book = RuleBook::parse("rules.toml", &rules, "claims.toml", CLAIMS).unwrap();
    let told = book.explain("learned.worth-every-penny").unwrap();
    assert_eq!((told.severity, told.owner.as_str()), (Severity::Block, "brand"));
    assert_eq!(told.source, "decisions of approvers: apr-1");
    let language = kit::Language::EN;
    let draft = saying("These boots are wörth éverÿ penny.");
    let findings = book.check(&draft, &common::facts(), &common::context(&language));
    assert_eq!(common::found(&findings), [("learned.worth-every-penny", Severity::Block)]);
    assert_eq!(proposals(&decisions, &book, &flow("abandoned-checkout"), now()), []);
}
