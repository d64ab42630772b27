//! The process is gone between any two steps; the next one goes on, and nothing is lost or doubled.

use std::sync::atomic::{AtomicUsize, Ordering};

use agent::{Input, Step};
use kit::RunId;
use mailwright::briefs::View;

use super::twelve_turns::story;
use super::*;
use crate::binary::block_on;

/// Counts steps.
#[derive(Default)]
struct Steps(AtomicUsize);

impl Observer for Steps {
    fn step(&self, _: &RunId, _: &Step, _: &Input) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls a turn until so many steps were journaled, then drops it, as a killed process drops everything.
async fn cut_off(
    turn: impl Future<Output = Result<View, mailwright::briefs::ChatError>>,
    steps: &Steps,
    after: usize,
) -> bool {
    let mut turn = Box::pin(turn);
    std::future::poll_fn(|cx| {
        if steps.0.load(Ordering::SeqCst) >= after {
            return std::task::Poll::Ready(true);
        }
        match turn.as_mut().poll(cx) {
            std::task::Poll::Ready(done) => std::task::Poll::Ready(done.map(|_| false).unwrap()),
            std::task::Poll::Pending => std::task::Poll::Pending,
        }
    })
    .await
}

/// The first three turns, uninterrupted or cut off after so many steps of the turns.
async fn play(shop: &Shop, cut: Option<usize>) -> (View, usize) {
    let turns: Vec<_> = story().into_iter().take(3).collect();
    let lines: Vec<Says> = turns.iter().flat_map(|(_, lines)| lines.clone()).collect();
    let steps = Arc::new(Steps::default());
    let script = Script::of(lines.clone());
    let chat = shop.watched(&script, steps.clone()).await;
    let id = chat.start(&mia()).await.unwrap().id;
    let mut cut_at = None;
    for (n, (said, _)) in turns.iter().enumerate() {
        let turn = chat.say(&id, said);
        match cut {
            Some(after) if cut_at.is_none() => {
                if cut_off(turn, &steps, after).await {
                    cut_at = Some(n);
                    break;
                }
            }
            Some(_) | None => drop(turn.await.unwrap()),
        }
    }
    let view = match cut_at {
        None => chat.view(&id).await.unwrap(),
        Some(n) => {
            drop(chat);
            // The answers that were journaled are not asked for again.
            let rows = shop.store.shop(&shop.shop).journal(&RunId::new(id.as_str()).unwrap()).await.unwrap();
            let answered = rows.iter().filter(|row| row.step == "call_model").count();
            let script = Script::of(lines.into_iter().skip(answered));
            let chat = shop.watched(&script, steps.clone()).await;
            chat.resume(&id).await.unwrap();
            for (said, _) in turns.iter().skip(n + 1) {
                chat.say(&id, said).await.unwrap();
            }
            chat.view(&id).await.unwrap()
        }
    };
    (view, steps.0.load(Ordering::SeqCst))
}

#[test]
fn a_conversation_cut_off_between_any_two_steps_goes_on() {
    block_on(async {
        let shop = Shop::new().await;
        let (whole, steps) = play(&shop, None).await;
        assert!(steps > 12, "{steps} steps");
        for after in 1..steps {
            let (view, _) = play(&shop, Some(after)).await;
            assert_eq!(view.brief.digest().unwrap(), whole.brief.digest().unwrap(), "cut off after step {after}");
            let versions = |view: &View| view.versions.iter().map(|v| (v.version, v.digest)).collect::<Vec<_>>();
            assert_eq!(versions(&view), versions(&whole), "cut off after step {after}");
            assert_eq!((view.turn, view.ended), (whole.turn, whole.ended.clone()), "cut off after step {after}");
        }
    });
}

#[test]
fn a_turn_is_stopped_in_the_middle_of_a_model_call_and_the_next_goes_on() {
    block_on(async {
        let shop = Shop::new().await;
        let script = Script::of([update(json!({"include": lapsed()})), Says::Hangs, Says::Words("Here again.")]);
        let chat = Arc::new(shop.chat(&script).await);
        let id = chat.start(&mia()).await.unwrap().id;
        let turn = {
            let (chat, id) = (chat.clone(), id.clone());
            tokio::spawn(async move { chat.say(&id, "lapsed").await })
        };
        while script.seen().len() < 2 {
            tokio::task::yield_now().await;
        }
        chat.stop(&id).await.unwrap();
        let view = turn.await.unwrap().unwrap();
        assert_eq!((view.ended, view.brief.version), (agent::TurnEnd::Stopped, 1), "what was done before stays done");
        let view = chat.say(&id, "are you there?").await.unwrap();
        assert_eq!(view.answer.as_deref(), Some("Here again."));
        // With nothing under way a stop changes nothing.
        let again = chat.stop(&id).await.unwrap();
        assert_eq!((again.turn, again.ended), (2, agent::TurnEnd::Answered));
    });
}
