//! Reading suites: every mistake is named with its place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Asked, Case, Ending, Step, Suite};

/// A suite that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SuiteError {
    /// It cannot be read.
    #[error("{}: {why}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// It is not what a suite looks like.
    #[error("{}:{line}:{column}: {why}", file.display())]
    Form {
        /// Which file.
        file: PathBuf,
        /// The line.
        line: u64,
        /// The column.
        column: u64,
        /// What is wrong.
        why: String,
    },
    /// It can be read, and means nothing.
    #[error("{}: {place}: {why}", file.display())]
    Sense {
        /// Which file.
        file: PathBuf,
        /// The case.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// There is none.
    #[error("{} holds no suite: a suite is a file that ends in .yaml", .0.display())]
    Empty(PathBuf),
}

impl Suite {
    /// Reads a suite.
    ///
    /// # Errors
    /// [`SuiteError`] with file, line and column.
    pub fn parse(file: &Path, text: &str) -> Result<Self, SuiteError> {
        let suite: Self = serde_saphyr::from_str(text).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let told = error.without_snippet().to_string();
            // The place stands in front already.
            let why = told.split(" at line ").next().unwrap_or(&told).trim_end_matches(" at").to_owned();
            SuiteError::Form { file: file.to_owned(), line, column, why }
        })?;
        suite.makes_sense().map_err(|(place, why)| SuiteError::Sense { file: file.to_owned(), place, why })?;
        Ok(suite)
    }

    fn makes_sense(&self) -> Result<(), (String, String)> {
        let mut names = BTreeSet::new();
        if self.cases.is_empty() {
            return Err((self.suite.clone(), "it has no cases".to_owned()));
        }
        for case in &self.cases {
            let bad = |why: String| Err((format!("case `{}`", case.name), why));
            if case.name.trim().is_empty() || !names.insert(case.name.as_str()) {
                return bad("every case has a name of its own".to_owned());
            }
            if case.story.is_empty() {
                return bad("nothing happens in its story".to_owned());
            }
            let then = &case.then;
            let mails = then.mails.unwrap_or_default();
            let about_mail = !(then.shows.is_empty() && then.says.is_empty() && then.shows_one_of.is_empty())
                || then.button.is_some();
            if about_mail && then.outcome != Ending::Sent && mails == 0 {
                return bad("it says what the mail shows, and expects no mail".to_owned());
            }
            if then.approval == Asked::None && !then.because.is_empty() {
                return bad("`because` needs `approval: asked`".to_owned());
            }
            for person in case.people() {
                if jiff::tz::TimeZone::get(&person.zone).is_err() {
                    return bad(format!("`{}` is no IANA zone such as Europe/Dublin", person.zone));
                }
            }
            if let Err(why) = brief_makes_sense(case) {
                return bad(why);
            }
        }
        Ok(())
    }
}

/// What only a case with a marketer may say, and that it is about people whom the case knows.
fn brief_makes_sense(case: &Case) -> Result<(), String> {
    let then = &case.then;
    let of_a_brief = |step: &Step| {
        matches!(
            step,
            Step::Changed(_)
                | Step::Undo
                | Step::Flip(_)
                | Step::TakeBack(_)
                | Step::Choose(_)
                | Step::Write
                | Step::ApproveOneself
        )
    };
    let before_it = case.story.iter().take_while(|step| !matches!(step, Step::Chat(_)));
    if before_it.into_iter().any(of_a_brief) {
        return Err("a brief begins with `chat`, and this is done to it before".to_owned());
    }
    let says = !case.others.is_empty() || then.brief.is_some() || then.readers.is_some() || !then.full_price.is_empty();
    if says && !case.is_brief() {
        return Err("`others`, `brief`, `readers` and `full_price` need a `chat` in the story".to_owned());
    }
    let mut names = BTreeSet::new();
    for person in case.people() {
        let name = person.first_name.as_deref().unwrap_or_default();
        if !case.others.is_empty() && (name.is_empty() || !names.insert(name)) {
            return Err(format!("people are told apart by first name: `{name}` is none, or two have it"));
        }
        names.insert(name);
    }
    let named = then.readers.iter().flatten().chain(&then.full_price);
    match named.into_iter().find(|name| !names.contains(name.as_str())) {
        Some(name) => Err(format!("nobody in it is called `{name}`")),
        None => Ok(()),
    }
}

/// Reads a suite, or every suite of a folder, in order of their file names.
///
/// # Errors
/// The first file that is wrong.
pub fn read(path: &Path) -> Result<Vec<Suite>, SuiteError> {
    let cannot = |file: &Path, why: std::io::Error| SuiteError::File { file: file.to_owned(), why: why.to_string() };
    let files = if path.is_dir() {
        let entries =
            std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|e| cannot(path, e))?;
        let mut files: Vec<PathBuf> = entries
            .into_iter()
            .map(|entry| entry.path())
            .filter(|p| p.extension().is_some_and(|e| e == "yaml"))
            .collect();
        files.sort();
        files
    } else {
        vec![path.to_owned()]
    };
    if files.is_empty() {
        return Err(SuiteError::Empty(path.to_owned()));
    }
    let mut suites: Vec<Suite> = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|e| cannot(&file, e))?;
        let suite = Suite::parse(&file, &text)?;
        if suites.iter().any(|known| known.suite == suite.suite) {
            return Err(SuiteError::Sense {
                file,
                place: suite.suite,
                why: "another file has a suite of this name".to_owned(),
            });
        }
        suites.push(suite);
    }
    Ok(suites)
}
