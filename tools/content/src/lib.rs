//! Messages: typed blocks to MJML, HTML and plain text.
