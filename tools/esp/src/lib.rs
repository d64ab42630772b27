//! Email service providers behind one trait; the Maildir outbox.
