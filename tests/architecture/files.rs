//! Files: prologue, length, leftovers, and nothing of the machine they were written on.

use super::rust::lines_with;
use super::tree::Tree;
use super::{Violation, catches, holds};

/// Longer, and a file has two subjects.
const MAX_LINES: usize = 800;
/// Longer, and it is worth a look.
const LONG: usize = 400;
/// Macros of unfinished work.
const LEFTOVERS: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];
/// Folders of somebody's machine. Written in two parts, since this file is checked too.
const MACHINE_FOLDERS: [&str; 4] =
    [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/"), concat!("/", "Users/")];
/// Hosts of package registries: how packages come here is the machine's business.
const REGISTRY_HOSTS: [&str; 5] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("deb.debian", ".org"),
];
/// Written by cargo, which records where packages came from; that of the fuzz targets is nobody's but the machine's.
const LOCK_FILES: [&str; 2] = ["Cargo.lock", "fuzz/Cargo.lock"];

fn prologue(tree: &Tree) -> Vec<Violation> {
    let first = |text: &str| text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned();
    let without = tree.rust().filter(|(file, _)| !first(&file.text).starts_with("//!"));
    let what = "begin with `//!`: what this module is, and why it is one";
    without.map(|(file, _)| Violation::new(&file.path, what)).collect()
}

fn length(tree: &Tree) -> Vec<Violation> {
    let long = tree.rust().map(|(file, _)| (file, file.text.lines().count())).filter(|(_, lines)| *lines > MAX_LINES);
    let what = |lines| format!("{lines} lines, at most {MAX_LINES}: split it by meaning");
    long.map(|(file, lines)| Violation::new(&file.path, what(lines))).collect()
}

fn leftovers(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, source) in tree.rust() {
        for name in LEFTOVERS {
            let what = format!("`{name}`: finish it, or return an error that says what is missing");
            found.extend(lines_with(&source.code, name).map(|line| Violation::at(&file.path, line, &what)));
        }
    }
    found
}

fn machine(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree.files().filter(|file| !LOCK_FILES.contains(&file.path.as_str())) {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(folder) = MACHINE_FOLDERS.iter().find(|folder| has_path(line, folder)) {
                found.push(Violation::at(&file.path, index + 1, format!("a path of one machine: {folder}…")));
            }
            if let Some(host) = REGISTRY_HOSTS.iter().find(|host| line.contains(*host)) {
                found.push(Violation::at(&file.path, index + 1, format!("the host of a registry: {host}")));
            }
        }
    }
    found
}

/// True when a path begins with the folder; `https://shop.example/home/` and `../work/` do not.
fn has_path(line: &str, folder: &str) -> bool {
    let continues = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '}' | ')' | '*');
    line.match_indices(folder).any(|(at, _)| !line[..at].ends_with(continues))
}

#[test]
fn every_file_begins_with_its_purpose() {
    holds(prologue);
}

#[test]
fn no_file_is_too_long() {
    holds(length);
    for (file, _) in Tree::of_repository().rust() {
        let lines = file.text.lines().count();
        if lines > LONG {
            println!("warning: {} has {lines} lines; from {LONG} on a file is worth splitting", file.path);
        }
    }
}

#[test]
fn no_work_is_left_unfinished() {
    holds(leftovers);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    holds(machine);
}

#[test]
fn a_file_without_purpose_or_measure_is_caught() {
    let planted =
        [("src/a.rs", "\n//! Good.\n"), ("src/b.rs", "// Not a prologue.\n"), ("src/c.rs", "use x;\n//! Late.")];
    catches(prologue, &planted, &["src/b.rs", "src/c.rs"]);

    let (enough, more) = ("x\n".repeat(MAX_LINES), "x\n".repeat(MAX_LINES + 1));
    catches(length, &[("src/a.rs", &enough), ("src/b.rs", &more), ("README.md", &more)], &["src/b.rs"]);
}

#[test]
fn leftovers_are_caught() {
    let code = "fn f() {\n    // todo!() later\n    \"todo!\";\n    todo!()\n}\nfn g() { dbg!(1); my_todo!() }";
    catches(leftovers, &[("src/a.rs", code)], &["src/a.rs:4", "src/a.rs:6"]);
}

#[test]
fn traces_of_a_machine_are_caught() {
    let [folder, ..] = MACHINE_FOLDERS;
    let [host, ..] = REGISTRY_HOSTS;
    let text = format!(
        "cd {folder}main\nhttps://shop.example{folder}boots\nsee ..{folder}\n\"{folder}x\"\nfrom {host} it came"
    );
    let planted = [("Cargo.lock", text.as_str()), ("README.md", &text)];
    catches(machine, &planted, &["README.md:1", "README.md:4", "README.md:5"]);
}
