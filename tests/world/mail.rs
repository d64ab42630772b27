//! A mail as its reader gets it, parsed by a library that the product does not use.

use mail_parser::MessageParser;

/// A parsed mail.
#[derive(Clone, PartialEq)]
pub(crate) struct Mail {
    pub(crate) to: Vec<String>,
    pub(crate) from: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) raw: String,
}

impl std::fmt::Debug for Mail {
    // What a person would read; the HTML says the same in many more words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mail to {:?}: {}\n{}", self.to, self.subject, self.text)
    }
}

impl Mail {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let message = MessageParser::default().parse(bytes).unwrap();
        let addresses = |list: Option<&mail_parser::Address<'_>>| -> Vec<String> {
            list.map(|list| list.iter().map(|a| a.address().unwrap().to_owned()).collect()).unwrap_or_default()
        };
        assert_eq!((message.text_body_count(), message.html_body_count()), (1, 1));
        assert_eq!(message.attachment_count(), 0);
        let from = addresses(message.from());
        assert_eq!(from.len(), 1);
        Self {
            to: [message.to(), message.cc(), message.bcc()].into_iter().flat_map(addresses).collect(),
            from: from[0].clone(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap().replace("\r\n", "\n"),
            html: message.body_html(0).unwrap().into_owned(),
            raw: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// A header, unfolded.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head = self.raw.split("\r\n\r\n").next()?.replace("\r\n ", " ").replace("\r\n\t", " ");
        let found: Vec<&str> = head
            .split("\r\n")
            .filter_map(|line| {
                line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
            })
            .collect();
        assert!(found.len() <= 1, "{name} stands {} times", found.len());
        found.first().map(|value| (*value).to_owned())
    }

    /// The text part above its footer.
    pub(crate) fn letter(&self) -> &str {
        self.text.split("————————").next().unwrap()
    }

    /// The text part's footer.
    pub(crate) fn footer(&self) -> &str {
        self.text.split_once("————————").map_or("", |(_, footer)| footer)
    }

    /// The words above the footer, without lines that are links, on one line.
    pub(crate) fn words(&self) -> String {
        let lines = self.letter().lines().map(str::trim).filter(|line| !line.starts_with("https://"));
        lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    /// Titles of the product cards, in their order.
    pub(crate) fn cards(&self) -> Vec<String> {
        self.letter().lines().filter_map(|line| line.strip_prefix("* ")).map(str::to_owned).collect()
    }

    pub(crate) fn shows(&self, title: &str) -> bool {
        self.cards().iter().any(|card| card == title)
    }

    /// Subject and letter: what two readers of the same message have in common.
    pub(crate) fn message(&self) -> (String, String) {
        (self.subject.clone(), self.letter().to_owned())
    }

    /// True when these words stand anywhere a reader could see them.
    pub(crate) fn says(&self, words: &str) -> bool {
        let lower = words.to_lowercase();
        [&self.subject, &self.words(), &visible(&self.html)]
            .into_iter()
            .any(|text| text.to_lowercase().contains(&lower))
    }

    /// Addresses of links and pictures in the HTML part, and of links in the text part.
    pub(crate) fn links(&self) -> Vec<String> {
        let attributes = ["href=\"", "src=\"", "action=\"", "background=\""];
        let in_html = attributes.into_iter().flat_map(|name| {
            self.html.match_indices(name).map(move |(at, _)| {
                let value = &self.html[at + name.len()..];
                unescape(value.split('"').next().unwrap())
            })
        });
        let in_text = self.text.split_whitespace().filter(|word| word.contains("://")).map(str::to_owned);
        in_html.chain(in_text).collect()
    }
}

/// HTML without what no reader sees: comments, style sheets, tags.
pub(crate) fn visible(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in bare(html).chars() {
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
    unescape(&out).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// HTML without comments and style sheets.
pub(crate) fn bare(html: &str) -> String {
    cut(&cut(html, "<!--", "-->"), "<style", "</style>")
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

/// The entities that the HTML part may hold.
fn unescape(text: &str) -> String {
    let known = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&apos;", "'"),
        ("&nbsp;", "\u{a0}"),
        ("&#8202;", ""),
        ("&zwnj;", ""),
        ("&amp;", "&"),
    ];
    known.iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}
