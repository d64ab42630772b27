//! The process dies at named places (`mailwright::failpoint`).

use super::*;

/// Starts a command that dies at a failpoint, and passes when it did.
#[track_caller]
pub(super) fn dies(folder: &Folder, at: &str, args: &[&str], failpoint: &str) {
    let died = folder.command(at, args).env("MAILWRIGHT_FAILPOINT", failpoint).output().unwrap();
    assert!(aborted(&died.status), "{failpoint} was not reached: {:?}", Told::of(&died));
}

fn aborted(status: &std::process::ExitStatus) -> bool {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(status).is_some();
    #[cfg(not(unix))]
    return !matches!(status.code(), Some(0 | 1 | 2));
}

fn dies_at_the_event(failpoint: &str) -> Folder {
    let folder = Folder::new();
    let args = trigger();
    dies(&folder, MORNING, &args.iter().map(String::as_str).collect::<Vec<_>>(), failpoint);
    assert_eq!(folder.mails(), []);
    folder
}

#[test]
fn on_the_way_to_the_person() {
    for failpoint in ["after_receive", "after_apply", "after_admit", "after_model", "after_tools", "after_open"] {
        let folder = dies_at_the_event(failpoint);
        go_on(&folder);
        exactly_one_mail(&folder);
    }
}

/// The approval is open and the run does not know it yet: the person may be faster than the next start.
#[test]
fn before_a_person_who_is_faster_than_the_next_start() {
    let folder = dies_at_the_event("after_open");
    let approval = pending(&folder).unwrap();
    let approved = folder.run(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"]);
    assert!(approved.status.success(), "{approved:?}");
    exactly_one_mail(&folder);
}

#[test]
fn while_the_platform_sends_its_webhook_again() {
    for failpoint in ["after_receive", "after_apply", "after_admit"] {
        let folder = dies_at_the_event(failpoint);
        assert!(leave_checkout(&folder).status.success());
        go_on(&folder);
        exactly_one_mail(&folder);
    }
}

#[test]
fn on_the_way_from_the_person_to_the_mail() {
    let (seen, approval) = waiting();
    let places = [
        ("after_decide", 0),
        ("before_reserve", 0),
        ("after_reserve", 0),
        ("after_begin_attempt", 0),
        ("after_deliver", 1),
        ("after_settle", 1),
        ("before_finish", 1),
    ];
    for (failpoint, mails) in places {
        let folder = seen.copy();
        dies(&folder, AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"], failpoint);
        assert_eq!(folder.mails().len(), mails, "{failpoint}");
        // Whoever does not know that their decision counted, tries again, and is told.
        folder
            .run(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"])
            .failed(1, &[&approval, "is Approved already"]);
        go_on(&folder);
        exactly_one_mail(&folder);
    }
}

/// One run, and every start of it dies at the next journal row: before it is written, then right after.
#[test]
fn around_every_row_of_the_journal() {
    let folder = Folder::new();
    let args = trigger();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    dies(&folder, MORNING, &args, "before_append.1");
    let mut row = 1;
    loop {
        for place in [format!("before_append.{row}"), format!("after_append.{row}")] {
            let rows = folder.rows("SELECT CAST(COUNT(*) AS TEXT) FROM journal");
            let journaled = if row == 1 { "0" } else { &(row - 1).to_string() };
            assert_eq!(rows, [journaled], "{place}");
            match pending(&folder).filter(|_| at_rest(&folder)) {
                Some(approval) => {
                    dies(&folder, AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"], &place);
                }
                None => dies(&folder, AFTERNOON, &["runs", "resume"], &place),
            }
        }
        let ended = folder.rows("SELECT step FROM journal WHERE step = 'deliver'");
        if !ended.is_empty() {
            break;
        }
        if !at_rest(&folder) && pending(&folder).is_some() {
            // The row with the open approval is written: one quiet start brings the run to its rest.
            folder.json(AFTERNOON, &["runs", "resume"]);
        }
        row += 1;
    }
    assert!(row >= 10, "the story has more than {row} rows");
    go_on(&folder);
    exactly_one_mail(&folder);
    nothing_is_done_twice(&folder);
}
