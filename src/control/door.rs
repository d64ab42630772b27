//! The socket's two sides.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kit::BoxFuture;
use tokio::net::{UnixListener, UnixStream};

use super::wire::{ControlError, Reply, Request, receive, send};

/// The socket's name in the data folder.
const SOCKET: &str = "control.sock";
/// How long a request may take to come, and an answer to be made.
const PATIENCE: Duration = Duration::from_secs(60);

/// Does what comes through the door.
pub trait Desk: Send + Sync {
    /// Performs one request.
    fn perform<'a>(&'a self, request: Request) -> BoxFuture<'a, Reply>;
}

/// The active process's side.
#[derive(Debug)]
pub struct Door {
    listener: UnixListener,
    path: PathBuf,
}

impl Door {
    /// Opens the socket of a data folder. Only who holds the folder's lease may: what lies there is a dead process's.
    ///
    /// # Errors
    /// When the socket cannot be made; a folder whose path has more than about 100 bytes is one reason.
    pub fn open(dir: &Path) -> Result<Self, ControlError> {
        let path = dir.join(SOCKET);
        let fail = |source| ControlError::Bind { path: path.display().to_string(), source };
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(fail(e)),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&path).map_err(fail)?;
        let own = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
        std::fs::set_permissions(&path, own).map_err(fail)?;
        Ok(Self { listener, path })
    }

    /// Answers until this future is dropped.
    pub async fn answer<T>(&self, desk: Arc<dyn Desk>) -> T {
        loop {
            let Ok((mut line, _)) = self.listener.accept().await else {
                // Out of file handles, most likely: others are given back in a moment.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let desk = desk.clone();
            tokio::spawn(async move {
                let talk = async {
                    let request: Request = receive(&mut line).await?;
                    let reply = desk.perform(request).await;
                    send(&mut line, &reply).await
                };
                match tokio::time::timeout(PATIENCE, talk).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "a talk over the local socket failed"),
                    Err(_) => tracing::warn!("a talk over the local socket took too long"),
                }
            });
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Whoever finds the socket gone opens the folder itself.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The command line's side: `None` when nobody listens, and the folder may be opened.
///
/// # Errors
/// When somebody listens and the talk breaks.
pub async fn ask(dir: &Path, request: &Request) -> Result<Option<Reply>, ControlError> {
    use std::io::ErrorKind;
    let mut line = match UnixStream::connect(dir.join(SOCKET)).await {
        Ok(line) => line,
        // No socket, a dead process's, or a folder whose path is too long to ever have had one.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidInput) => {
            return Ok(None);
        }
        Err(e) => return Err(e.into()),
    };
    send(&mut line, request).await?;
    Ok(Some(receive(&mut line).await?))
}
