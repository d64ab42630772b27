//! Logs: to standard error, structured, without content.

use tracing_subscriber::EnvFilter;

/// Starts logging. `MAILWRIGHT_LOG` sets the level, as tracing's filter syntax does; `warn` otherwise.
///
/// async-openai writes bodies that it cannot read into the log; it is silenced whatever the filter says.
pub fn init() {
    let filter = EnvFilter::try_from_env("MAILWRIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let filter = match "async_openai=off".parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    };
    // A second call (tests in one process) keeps the first subscriber.
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).try_init();
}
