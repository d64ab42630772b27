//! The process is killed at any moment: `kill -9` after a random time, whatever it is doing then.

use std::process::Child;
use std::time::{Duration, Instant};

use super::*;

/// Rounds of each test, unless `MAILWRIGHT_KILL_ROUNDS` asks for more.
const ROUNDS: u32 = 16;

/// xorshift: the times are random enough, and a seed in the output is one more thing to know.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, limit: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let limit = u64::try_from(limit.as_micros()).unwrap();
        Duration::from_micros(self.0 % (limit + 1))
    }
}

/// Kills a process after a time; true when it had not ended by then.
fn kill_after(mut child: Child, wait: Duration) -> bool {
    std::thread::sleep(wait);
    let was_running = child.try_wait().unwrap().is_none();
    // SIGKILL on Unix: the process is not asked.
    child.kill().unwrap();
    child.wait().unwrap();
    was_running
}

fn start(folder: &Folder, at: &str, args: &[&str]) -> Child {
    use std::process::Stdio;
    folder.command(at, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The longest wait before a kill: as long as a whole start takes on this machine, and some more, so that every moment
/// of it is met.
fn longest(start: impl FnOnce()) -> Duration {
    let began = Instant::now();
    start();
    began.elapsed().max(Duration::from_millis(400)).mul_f64(1.1)
}

/// Plays rounds of two starts, both killed. The first is what `first` starts in a folder of its own; the second finds what
/// that one left. `then` is what people and platforms do afterwards.
fn play(folder: impl Fn() -> Folder, first: (&str, &[&str]), longest: Duration, then: impl Fn(&Folder)) {
    let rounds = std::env::var("MAILWRIGHT_KILL_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut killed = 0;
    for round in 0..rounds {
        let folder = folder();
        killed += u32::from(kill_after(start(&folder, first.0, first.1), dice.up_to(longest)));
        let second = start(&folder, AFTERNOON, &["runs", "resume"]);
        killed += u32::from(kill_after(second, dice.up_to(longest)));
        then(&folder);
        go_on(&folder);
        exactly_one_mail(&folder);
        if round + 1 == rounds {
            nothing_is_done_twice(&folder);
        }
    }
    assert!(killed >= rounds / 2, "only {killed} starts were killed in {rounds} rounds: the waits are too long");
}

#[test]
fn whenever_it_is_killed_on_the_way_to_the_person() {
    let args = trigger();
    let event: Vec<&str> = args.iter().map(String::as_str).collect();
    let longest = longest(|| drop(leave_checkout(&Folder::new())));
    // Nobody said that the webhook was taken, so the platform sends it again.
    let send_again = |folder: &Folder| assert!(leave_checkout(folder).status.success());
    play(Folder::new, (MORNING, &event), longest, send_again);
}

#[test]
fn whenever_it_is_killed_on_the_way_from_the_person_to_the_mail() {
    let (seen, approval) = waiting();
    let decision = ["approvals", "approve", &approval, "--as", "nora"];
    let longest = longest(|| drop(seen.copy().run(AFTERNOON, &decision)));
    play(|| seen.copy(), (AFTERNOON, &decision), longest, |_| {});
}
