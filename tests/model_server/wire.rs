//! Plain sockets, for what no HTTP server would do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How a bad server treats a connection once the request has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Manner {
    /// Says nothing.
    Hangs,
    /// Sends the head, then a byte now and then.
    Trickles,
    /// Sends half of what it announced, then closes.
    CutsOff,
    /// Closes without a word.
    Closes,
    /// Speaks no HTTP.
    Babbles,
}

/// A bad server.
#[derive(Debug)]
pub(super) struct Bad {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Bad {
    pub(super) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, manner));
            }
        });
        Self { address, connections }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// An address where nobody listens.
pub(super) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/v1", listener.local_addr().unwrap())
}

async fn serve(mut stream: TcpStream, manner: Manner) -> std::io::Result<()> {
    let mut request = [0; 16 * 1024];
    let _ = stream.read(&mut request).await?;
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{";
    match manner {
        Manner::Hangs => tokio::time::sleep(Duration::from_secs(60)).await,
        Manner::Trickles => {
            stream.write_all(head).await?;
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                stream.write_all(b" ").await?;
            }
        }
        Manner::CutsOff => stream.write_all(head).await?,
        Manner::Closes => {}
        Manner::Babbles => stream.write_all(b"220 mail.example ESMTP ready\r\n").await?,
    }
    Ok(())
}
