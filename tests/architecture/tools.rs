//! A tool is one folder and one line: description, schema and registration belong to it, and prompts name no other.

use std::collections::BTreeSet;

use super::rust::lines_with;
use super::tree::{File, Tree};
use super::{Violation, catches, holds};

/// Where tools are registered.
const REGISTRY: &str = "src/toolbox.rs";

/// An `impl Tool for …`.
struct Found<'a> {
    file: &'a File,
    line: usize,
    /// The type.
    type_name: &'a str,
    /// `NAME`, when it is written out.
    name: Option<&'a str>,
    /// The file behind `DESCRIPTION`, when it is included.
    description: Option<&'a str>,
}

impl Found<'_> {
    /// The crate's folder, such as `tools/esp`.
    fn folder(&self) -> &str {
        self.file.path.split_once("/src/").map_or(self.file.path.as_str(), |(folder, _)| folder)
    }
}

fn found(tree: &Tree) -> Vec<Found<'_>> {
    let mut all = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| file.path.starts_with("tools/") && !file.is_test()) {
        let text = source.code_and_strings.as_str();
        let heads: Vec<usize> = text.match_indices("Tool for ").map(|(at, _)| at).collect();
        for (index, head) in heads.iter().enumerate() {
            let line_start = text[..*head].rfind('\n').map_or(0, |at| at + 1);
            if !text[line_start..].trim_start().starts_with("impl") {
                continue;
            }
            let block = &text[*head..heads.get(index + 1).copied().unwrap_or(text.len())];
            let type_name = block["Tool for ".len()..].split([' ', '<', '{', '\n']).next().unwrap_or_default();
            all.push(Found {
                file,
                line: text[..*head].lines().count(),
                type_name,
                name: quoted_after(block, "const NAME: &'static str ="),
                description: quoted_after(block, "const DESCRIPTION: &'static str = include_str!("),
            });
        }
    }
    // The blanket machinery of kit is no tool.
    all.retain(|tool| !tool.file.path.starts_with("tools/kit/"));
    all
}

/// The string literal that follows `before` directly.
fn quoted_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(before)?;
    after.trim_start().strip_prefix('"')?.split('"').next()
}

fn names(tools: &[Found<'_>]) -> BTreeSet<String> {
    tools.iter().filter_map(|tool| tool.name).map(str::to_owned).collect()
}

fn complete(tree: &Tree) -> Vec<Violation> {
    let tools = found(tree);
    let mut broken = Vec::new();
    for tool in &tools {
        let mut report = |what: String| broken.push(Violation::at(&tool.file.path, tool.line, what));
        let Some(name) = tool.name else {
            report("write NAME out as a string".to_owned());
            continue;
        };
        let schema = format!("{}/{name}.schema.json", tool.folder());
        match tree.get(&schema).map(|file| serde_json::from_str::<serde_json::Value>(&file.text)) {
            Some(Ok(_)) => {}
            Some(Err(error)) => report(format!("{schema}: {error}")),
            None => report(format!("{schema} is missing: UPDATE_SCHEMAS=1 cargo test in this crate")),
        }
        let description = format!("{name}.md");
        let included = tool.description.and_then(|path| path.rsplit('/').next());
        if included != Some(description.as_str()) {
            report(format!("DESCRIPTION must include {description}"));
        }
        let registry = tree.get(REGISTRY).and_then(|file| file.rust.as_ref());
        if registry.is_none_or(|source| lines_with(&source.code, tool.type_name).next().is_none()) {
            report(format!("`{}` is not registered in {REGISTRY}", tool.type_name));
        }
    }
    let names = names(&tools);
    for file in tree.under("tools/").filter(|file| file.path.ends_with(".schema.json")) {
        let name = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".schema.json"));
        if !name.is_some_and(|name| names.contains(name)) {
            broken.push(Violation::new(&file.path, "a schema without a tool: remove it"));
        }
    }
    broken
}

/// Prompts may name tools and the words of their schemas; a description that says what looks like a tool (it begins
/// with the verb of one) must mean one that exists.
fn known(tree: &Tree) -> Vec<Violation> {
    let names = names(&found(tree));
    let schemas: String =
        tree.under("tools/").filter(|f| f.path.ends_with(".schema.json")).map(|f| f.text.as_str()).collect();
    let verbs: BTreeSet<&str> = names.iter().filter_map(|name| name.split('_').next()).collect();
    let mut broken = Vec::new();
    for file in tree.files().filter(|file| file.path.ends_with(".md")) {
        let is_prompt = file.path.starts_with("prompts/");
        let is_description = file.path.starts_with("tools/") && file.path.contains("/src/");
        if !is_prompt && !is_description {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            for word in snake_words(line).filter(|word| !names.contains(*word)) {
                let is_of_a_schema = schemas.contains(&format!("\"{word}\""));
                let looks_like_a_tool = word.split('_').next().is_some_and(|verb| verbs.contains(verb));
                if !is_of_a_schema && (is_prompt || looks_like_a_tool) {
                    broken.push(Violation::at(&file.path, index + 1, format!("there is no tool `{word}`")));
                }
            }
        }
    }
    broken
}

/// Words such as `queue_send` that stand alone between backticks.
fn snake_words(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|word| {
        let letters = word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        letters && word.trim_matches('_').contains('_')
    })
}

#[test]
fn a_tool_is_complete() {
    holds(complete);
    assert!(
        found(Tree::of_repository()).len() >= 10,
        "tools are no longer found: has the form of `impl Tool` changed?"
    );
}

#[test]
fn prompts_name_only_tools_that_exist() {
    holds(known);
    let prompts: String = Tree::of_repository().under("prompts/").map(|file| file.text.as_str()).collect();
    assert!(prompts.lines().flat_map(snake_words).count() > 0, "no tool is named in any prompt any more");
}

const TOOL: &str = "impl<S: Store> Tool for QueueSend<S> {
    const NAME: &'static str = \"queue_send\";
    const DESCRIPTION: &'static str = include_str!(\"../queue_send.md\");
}
";

#[test]
fn an_incomplete_tool_is_caught() {
    let whole = [
        ("src/toolbox.rs", "Registry::new().with(QueueSend::new(gate))?"),
        ("tools/esp/queue_send.schema.json", "{}"),
        ("tools/esp/src/queue.rs", TOOL),
    ];
    catches(complete, &whole, &[]);

    let at = "tools/esp/src/queue.rs:1";
    catches(complete, &[("tools/esp/src/queue.rs", TOOL)], &[at, at]);
    let without = |from: &str, to: &str| {
        let tool = TOOL.replace(from, to);
        let mut planted = whole;
        planted[2].1 = &tool;
        Tree::planted(&planted)
    };
    let what = |tree: Tree| complete(&tree).into_iter().map(|v| v.what).collect::<Vec<_>>();
    assert_eq!(what(without("../queue_send.md", "../send.md")), ["DESCRIPTION must include queue_send.md"]);
    assert_eq!(
        what(without("\"queue_send\"", "NAME")),
        ["write NAME out as a string", "a schema without a tool: remove it"]
    );

    let broken = [whole[0], ("tools/esp/queue_send.schema.json", "{"), whole[2]];
    catches(complete, &broken, &[at]);
    let unregistered = [("src/toolbox.rs", "// QueueSend comes later"), whole[1], whole[2]];
    catches(complete, &unregistered, &[at]);
    let stray = [whole[0], whole[1], whole[2], ("tools/shop/old.schema.json", "{}")];
    catches(complete, &stray, &["tools/shop/old.schema.json"]);
}

#[test]
fn a_tool_that_does_not_exist_is_caught() {
    let planted = [
        (
            "prompts/agent/system.md",
            "Call `queue_send`, with `risk_notes`.\nCall `send_now` or {{f1.price}} or `stock`.",
        ),
        ("tools/esp/queue_send.schema.json", "{\"properties\":{\"risk_notes\":{}}}"),
        ("tools/esp/src/queue.rs", TOOL),
        ("tools/esp/src/queue_send.md", "Answers `was_held`.\nNot `queue_mail`."),
    ];
    catches(known, &planted, &["prompts/agent/system.md:2", "tools/esp/src/queue_send.md:2"]);
}
