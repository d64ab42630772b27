//! A mail as its reader gets it.

use mail_parser::{MessageParser, MimeHeaders as _, PartType};

/// Why bytes are no mail of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// No RFC 5322 message.
    NoMail,
    /// Not one text and one HTML part.
    Parts,
    /// Something is attached.
    Attachment,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoMail => "the bytes are no mail",
            Self::Parts => "the mail is not one text and one HTML part",
            Self::Attachment => "the mail has an attachment",
        })
    }
}

/// A parsed mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Every recipient, in any header, in lower case.
    pub to: Vec<String>,
    /// The sender's address.
    pub from: String,
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// Headers by name in lower case, unfolded, in their order.
    pub headers: Vec<(String, String)>,
}

/// What stands above the footer.
const RULE: &str = "————————";

impl Letter {
    /// Reads a mail.
    ///
    /// # Errors
    /// [`Unreadable`] when no reader would see what was meant.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let message = MessageParser::default().parse(bytes).ok_or(Unreadable::NoMail)?;
        // The library makes a second body of the first where one is missing; a reader's program may not.
        let count = |is: fn(&PartType<'_>) -> bool| message.parts.iter().filter(|part| is(&part.body)).count();
        let (text, html) =
            (count(|body| matches!(body, PartType::Text(_))), count(|body| matches!(body, PartType::Html(_))));
        if (text, html) != (1, 1) {
            return Err(Unreadable::Parts);
        }
        if message.attachment_count() != 0 || message.attachments().any(|part| part.attachment_name().is_some()) {
            return Err(Unreadable::Attachment);
        }
        let addresses = |list: Option<&mail_parser::Address<'_>>| -> Vec<String> {
            list.into_iter().flat_map(|l| l.iter()).filter_map(|a| a.address()).map(str::to_lowercase).collect()
        };
        let from = addresses(message.from());
        Ok(Self {
            to: [message.to(), message.cc(), message.bcc()].into_iter().flat_map(addresses).collect(),
            from: from.join(","),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
            html: message.body_html(0).unwrap_or_default().into_owned(),
            headers: headers(bytes),
        })
    }

    /// A header, when it stands once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        let first = found.next()?;
        found.next().is_none().then_some(first.1.as_str())
    }

    /// The text part above its footer.
    pub fn letter(&self) -> &str {
        self.text.split(RULE).next().unwrap_or_default()
    }

    /// The text part's footer.
    pub fn footer(&self) -> &str {
        self.text.split_once(RULE).map_or("", |(_, footer)| footer)
    }

    /// The words above the footer, on one line, without the addresses of links.
    pub fn words(&self) -> String {
        let lines = self.letter().lines().map(str::trim).filter(|line| !line.starts_with("https://"));
        flat(&lines.collect::<Vec<_>>().join(" "))
    }

    /// Subject and words: all that a reader reads as the shop's own.
    pub fn told(&self) -> String {
        format!("{} {}", self.subject, self.words())
    }

    /// Titles of the product cards, in their order.
    pub fn cards(&self) -> Vec<String> {
        let mut cards: Vec<String> = Vec::new();
        let mut open = false;
        for line in self.letter().lines() {
            if let Some(title) = line.strip_prefix("* ") {
                cards.push(flat(title));
                open = true;
            } else if open && line.starts_with("  ") && !line.contains(['€', '$', '£']) {
                // A long title goes on in the next line, up to its price.
                if let Some(last) = cards.last_mut() {
                    *last = flat(&format!("{last} {line}"));
                }
            } else {
                open = false;
            }
        }
        cards
    }

    /// Addresses of links and pictures of both parts.
    pub fn links(&self) -> Vec<String> {
        let attributes = ["href=\"", "src=\"", "action=\"", "background=\""];
        let in_html = attributes
            .into_iter()
            .flat_map(|name| self.html.split(name).skip(1).filter_map(|rest| rest.split('"').next()).map(unescape));
        let in_text = self.text.split_whitespace().filter(|word| word.contains("://")).map(str::to_owned);
        in_html.chain(in_text).collect()
    }

    /// Labels of the buttons with their links, as the text part has them: a line that ends in a colon above a link,
    /// outside of product cards and guides.
    pub fn buttons(&self) -> Vec<(String, String)> {
        let lines: Vec<&str> = self.letter().lines().collect();
        let pairs = lines.windows(3).chain(std::iter::once([].as_slice()));
        let mut found = Vec::new();
        for window in pairs {
            let [before, label, link] = window else { continue };
            let is_button = before.trim().is_empty() && label.ends_with(':') && !label.starts_with(' ');
            if is_button && link.starts_with("https://") {
                found.push((label.trim_end_matches(':').to_owned(), (*link).to_owned()));
            }
        }
        found
    }

    /// The flow, as the links tell an analyst.
    pub fn campaign(&self) -> Option<String> {
        self.links().iter().find_map(|link| {
            let (_, rest) = link.split_once("utm_campaign=")?;
            Some(rest.split(['&', '#']).next().unwrap_or_default().to_owned())
        })
    }

    /// What the HTML part says, without comments, styles and tags.
    pub fn visible(&self) -> String {
        visible(&self.html)
    }

    /// Names of the elements of the HTML part, in lower case, outside of comments.
    pub fn elements(&self) -> impl Iterator<Item = String> {
        let open = cut(&self.html, "<!--", "-->");
        let names = open.split('<').skip(1).map(|rest| {
            let named = rest.trim_start_matches(['/', '!']).chars().take_while(char::is_ascii_alphanumeric);
            named.collect::<String>().to_lowercase()
        });
        names.collect::<Vec<_>>().into_iter()
    }

    /// The language the HTML part declares.
    pub fn language(&self) -> Option<&str> {
        self.html.split("lang=\"").nth(1).and_then(|rest| rest.split('"').next())
    }
}

fn headers(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let head = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
    let pairs = head.split("\r\n").filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect()
}

/// Text on one line.
pub(crate) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn visible(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in cut(&cut(html, "<!--", "-->"), "<style", "</style>").chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    flat(&unescape(&out))
}

fn cut(text: &str, open: &str, close: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        out.push_str(before);
        rest = after.split_once(close).map_or("", |(_, after)| after);
    }
    out + rest
}

/// The entities that a mail may hold.
fn unescape(text: &str) -> String {
    let known = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&apos;", "'"),
        ("&nbsp;", " "),
        ("&#8202;", ""),
        ("&zwnj;", ""),
        ("&amp;", "&"),
    ];
    known.iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}
