//! Enough of a Rust lexer to tell code from comments and strings.
//!
//! Everything that is not wanted is blanked, so that lines keep their numbers.

use std::ops::Range;

/// A source file in two views. Neither has comments, nor modules under `#[cfg(test)]`.
pub(super) struct Source {
    /// Without what is inside quotes.
    pub(super) code: String,
    /// With strings as written.
    pub(super) code_and_strings: String,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Code,
    LineComment,
    /// Block comments nest.
    BlockComment(u32),
    /// `hashes` is `None` in a string with escapes.
    Text {
        hashes: Option<usize>,
    },
}

impl Source {
    pub(super) fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let (mut code, mut code_and_strings) = (chars.clone(), chars.clone());
        let mut state = State::Code;
        let mut at = 0;
        while at < chars.len() {
            let (next, length) = step(state, &chars, at);
            let piece = at..(at + length).min(chars.len());
            match (state, next) {
                (State::Code, State::Code) => blank_character(&mut code, piece.clone()),
                // Quotes stay in both views.
                (State::Code, State::Text { .. }) | (State::Text { .. }, State::Code) => {}
                (State::Text { .. }, _) => blank(&mut code, piece.clone()),
                _ => {
                    blank(&mut code, piece.clone());
                    blank(&mut code_and_strings, piece.clone());
                }
            }
            (state, at) = (next, piece.end);
        }
        for module in test_modules(&code) {
            blank(&mut code, module.clone());
            blank(&mut code_and_strings, module);
        }
        Self { code: code.into_iter().collect(), code_and_strings: code_and_strings.into_iter().collect() }
    }
}

/// The state after the piece that begins at `at`, and the piece's length in characters.
fn step(state: State, chars: &[char], at: usize) -> (State, usize) {
    let begins = |text: &str| text.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    match state {
        State::Code if begins("//") => (State::LineComment, 2),
        State::Code if begins("/*") => (State::BlockComment(1), 2),
        State::Code if begins("\"") => (State::Text { hashes: None }, 1),
        State::Code => match raw_string(chars, at) {
            Some(hashes) => (State::Text { hashes: Some(hashes) }, hashes + 2),
            None => (State::Code, character(chars, at).unwrap_or(1)),
        },
        State::LineComment if begins("\n") => (State::Code, 1),
        State::BlockComment(depth) if begins("/*") => (State::BlockComment(depth + 1), 2),
        State::BlockComment(1) if begins("*/") => (State::Code, 2),
        State::BlockComment(depth) if begins("*/") => (State::BlockComment(depth - 1), 2),
        State::Text { hashes: None } if begins("\\") => (state, 2),
        State::Text { hashes: None } if begins("\"") => (State::Code, 1),
        State::Text { hashes: Some(hashes) } if begins(&format!("\"{}", "#".repeat(hashes))) => {
            (State::Code, 1 + hashes)
        }
        State::LineComment | State::BlockComment(_) | State::Text { .. } => (state, 1),
    }
}

/// The hashes of a raw string that begins here: `r"`, `r#"`, also after `b` or `c`.
fn raw_string(chars: &[char], at: usize) -> Option<usize> {
    if chars[at] != 'r' {
        return None;
    }
    let in_word = |i: usize| chars.get(i).is_some_and(|c| is_word(*c));
    let prefixed = at > 0 && matches!(chars[at - 1], 'b' | 'c') && !(at > 1 && in_word(at - 2));
    if at > 0 && in_word(at - 1) && !prefixed {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// The length of a character literal that begins here; a lifetime is none.
fn character(chars: &[char], at: usize) -> Option<usize> {
    if chars[at] != '\'' {
        return None;
    }
    if chars.get(at + 1) == Some(&'\\') {
        // The escaped character itself may be a quote.
        return chars.get(at + 3..)?.iter().position(|c| *c == '\'').map(|more| more + 4);
    }
    (chars.get(at + 2) == Some(&'\'')).then_some(3)
}

/// Blanks what is inside the quotes of a character literal: it may be a quote or a brace.
fn blank_character(chars: &mut [char], piece: Range<usize>) {
    if piece.len() > 1 {
        blank(chars, piece.start + 1..piece.end - 1);
    }
}

fn blank(chars: &mut [char], piece: Range<usize>) {
    for c in &mut chars[piece] {
        if *c != '\n' {
            *c = ' ';
        }
    }
}

/// Where modules for tests stand: from the attribute to the closing brace.
fn test_modules(code: &[char]) -> Vec<Range<usize>> {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let text: String = code.iter().collect();
    let starts = text.match_indices(ATTRIBUTE).map(|(byte, _)| text[..byte].chars().count());
    let module = |start: usize| {
        let after = start + ATTRIBUTE.len();
        let open = after + code[after..].iter().position(|c| matches!(c, '{' | ';'))?;
        let is_module = code[after..open].iter().collect::<String>().split_whitespace().any(|word| word == "mod");
        if !is_module || code[open] == ';' {
            return None;
        }
        let mut depth = 0_i32;
        let length = code[open..].iter().position(|c| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            depth == 0
        })?;
        Some(start..open + length + 1)
    };
    starts.filter_map(module).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The lines, from 1, on which `word` stands as a whole word. It may hold signs, such as `Instant::now`.
pub(super) fn lines_with<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.lines().enumerate().filter(move |(_, line)| has_word(line, word)).map(|(index, _)| index + 1)
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[test]
fn comments_strings_and_test_modules_are_told_from_code() {
    let text = r###"//! prologue
/* block /* nested */ still */ let a = "text // no comment \" \\";
let b = r#"raw " text"#; let c = br"bytes"; // end
let d = '"'; let e: &'static str = '\''.x(); let f = '{';
/// doc
fn var() {}
#[cfg(test)]
mod tests {
    fn hidden() { "}" }
}
fn after() {}
#[cfg(test)]
fn stays() {}
"###;
    let source = Source::of(text);
    let lines: Vec<&str> = source.code.lines().map(str::trim).collect();
    let blank = |n: usize| " ".repeat(n);
    assert_eq!(
        lines,
        [
            String::new(),
            format!("let a = \"{}\";", blank(24)),
            format!("let b = r#\"{}\"#; let c = br\"{}\";", blank(10), blank(5)),
            "let d = ' '; let e: &'static str = '  '.x(); let f = ' ';".to_owned(),
            String::new(),
            "fn var() {}".to_owned(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            "fn after() {}".to_owned(),
            "#[cfg(test)]".to_owned(),
            "fn stays() {}".to_owned(),
        ]
    );
    let strings: Vec<&str> = source.code_and_strings.lines().map(str::trim).collect();
    assert_eq!(strings[1], r#"let a = "text // no comment \" \\";"#);
    assert_eq!(strings[2], r##"let b = r#"raw " text"#; let c = br"bytes";"##);
    assert_eq!(strings[9], "");
}

#[test]
fn words_are_whole() {
    let text = "sqlx::query\nmy_sqlx\nsqlxed\nx(sqlx)";
    assert_eq!(lines_with(text, "sqlx").collect::<Vec<_>>(), [1, 4]);
}
