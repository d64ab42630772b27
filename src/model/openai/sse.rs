//! Server-sent events, as servers really write them.
//!
//! Lines end in LF, CRLF or CR, comments keep a connection alive, the last event may lack its blank line, and pieces are cut
//! anywhere, also inside a character.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Its data lines, joined.
    pub(super) data: String,
}

/// Reads events from pieces.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// A line that has not ended yet.
    line: Vec<u8>,
    data: Option<String>,
    /// The last byte was a CR: an LF right after it belongs to it.
    after_cr: bool,
}

impl Events {
    /// The events that end in this piece.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Vec<Event> {
        let mut found = Vec::new();
        for byte in piece {
            match byte {
                b'\n' if std::mem::take(&mut self.after_cr) => {}
                b'\n' | b'\r' => {
                    self.after_cr = *byte == b'\r';
                    found.extend(self.end_line());
                }
                other => {
                    self.after_cr = false;
                    self.line.push(*other);
                }
            }
        }
        found
    }

    /// What stood at the end without a blank line behind it.
    pub(super) fn end(mut self) -> Option<Event> {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.data.take().map(|data| Event { data })
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.data.take().map(|data| Event { data });
        }
        let line = String::from_utf8_lossy(&line);
        // Comments begin with a colon; names of events repeat what stands in the data.
        if let Some(value) = line.strip_prefix("data:") {
            let value = value.strip_prefix(' ').unwrap_or(value);
            match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Event, Events};

    fn read(text: &[u8], piece: usize) -> Vec<String> {
        let mut events = Events::default();
        let mut found: Vec<Event> = text.chunks(piece).flat_map(|piece| events.feed(piece)).collect();
        found.extend(events.end());
        found.into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn events_are_found_however_they_are_cut() {
        let text = "\u{feff}: hello\n\ndata: {\"a\":\"Grüße\"}\n\n: keep-alive\r\n\r\nevent: x\r\ndata:two\r\ndata:  lines\r\n\r\nid: 7\n\ndata\n\ndata: cr\r\rdata: [DONE]";
        for piece in [1, 2, 3, 7, 1000] {
            assert_eq!(read(text.as_bytes(), piece), ["{\"a\":\"Grüße\"}", "two\n lines", "cr", "[DONE]"], "{piece}");
        }
        assert_eq!(read(b"", 1), Vec::<String>::new());
        assert_eq!(read(b"data:\n\n", 1), [""]);
    }
    proptest! {
        /// Whatever a server sends, where it is cut changes nothing.
        #[test]
        fn any_bytes_are_the_same_events_however_they_are_cut(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"data: \r\n\n\n".to_vec())], 0..300),
            piece in 1_usize..40,
        ) {
            prop_assert_eq!(read(&bytes, piece), read(&bytes, bytes.len().max(1)));
        }
    }
}
