//! Brand rules: phrases, claims, style, links, facts as placeholders.
