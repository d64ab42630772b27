//! The `mailwright` binary: everything is in [`mailwright::cli`].

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    mailwright::telemetry::init();
    mailwright::cli::main().await
}
