//! Connections that are slow, many, or cut off by a shutdown, over bare sockets.

use std::time::{Duration, Instant};

use mailwright::server::Limits;
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{DOMAIN, SECRET, Served, accepted, limited, problem, sign};

const CART: &[u8] = br#"{"token":"t1","line_items":[]}"#;
const SHORT: Duration = Duration::from_millis(200);

async fn connect(served: &Served) -> TcpStream {
    TcpStream::connect(served.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Everything that comes until the other side ends the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The head of a signed webhook with this body.
fn head(body: &[u8]) -> String {
    format!(
        "POST /webhooks/shopify/main HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-shopify-topic: carts/update\r\n\
         x-shopify-event-id: e1\r\nx-shopify-shop-domain: {DOMAIN}\r\nx-shopify-hmac-sha256: {}\r\ncontent-length: {}\r\n\r\n",
        sign(SECRET.as_bytes(), body),
        body.len()
    )
}

#[test]
fn a_head_that_trickles_is_cut_off() {
    limited(Limits { head: SHORT, ..Limits::default() }, async |served| {
        let mut slow = connect(&served).await;
        let began = Instant::now();
        let trickle = async {
            for byte in head(CART).as_bytes() {
                if slow.write_all(&[*byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            panic!("the whole head was taken");
        };
        tokio::time::timeout(Duration::from_secs(5), trickle).await.unwrap();
        assert!(began.elapsed() >= SHORT);
        assert_eq!(served.inbox().await, []);
        served.stop().await;
    });
}

#[test]
fn the_body_of_an_api_request_has_its_time_as_well() {
    limited(Limits { body: SHORT, ..Limits::default() }, async |served| {
        let mut slow = connect(&served).await;
        let head = "POST /api/v1/approvals/a/reject HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n";
        slow.write_all(format!("{head}connection: close\r\n\r\n{{").as_bytes()).await.unwrap();
        let answer = rest(&mut slow).await;
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("the body took too long"), "{answer}");
        served.stop().await;
    });
}

/// One more than there may be waits until another ends; nobody is turned away.
#[test]
fn connections_beyond_their_number_wait() {
    limited(Limits { connections: 1, head: SHORT, ..Limits::default() }, async |served| {
        let idle = connect(&served).await;
        let mut second = connect(&served).await;
        second.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut byte = [0];
        let early = tokio::time::timeout(SHORT / 4, second.read(&mut byte)).await;
        assert!(early.is_err(), "it was answered beside the first");
        // The first says nothing for as long as a head may take, and is cut off.
        let answer = rest(&mut second).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok\n"), "{answer}");
        drop(idle);
        served.stop().await;
    });
}

/// The flood of one shop is told to be slower; what nobody signed does not count for it.
#[test]
fn a_connection_has_its_share_and_no_more() {
    limited(Limits { share: 0, ..Limits::default() }, async |served| {
        let response = served.shopify("carts/update", "e1", CART).send().await.unwrap();
        assert_eq!(response.headers()["retry-after"], "1");
        let (status, detail) = problem(served.shopify("carts/update", "e1", CART)).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
        assert!(detail.contains("more slowly"), "{detail}");
        let forged = served.shopify("carts/update", "e1", CART).body("{}");
        assert_eq!(problem(forged).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(served.inbox().await, []);
        served.stop().await;
    });
}

/// What was being sent when the word to stop came is taken, stored and answered; nobody new is let in.
#[test]
fn a_shutdown_answers_what_is_under_way() {
    limited(Limits::default(), async |served| {
        accepted(served.shopify("carts/update", "e0", br#"{"token":"t0","line_items":[]}"#)).await;
        let mut half = connect(&served).await;
        half.write_all(head(CART).as_bytes()).await.unwrap();
        half.write_all(&CART[..10]).await.unwrap();
        // So that the server has the head, and is waiting for the rest, when it is told to stop.
        tokio::time::sleep(SHORT).await;
        let address = served.url.strip_prefix("http://").unwrap().to_owned();
        let sender = async move {
            while TcpStream::connect(&address).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            half.write_all(&CART[10..]).await.unwrap();
            rest(&mut half).await
        };
        let (answer, world) = tokio::join!(sender, served.stop());
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("stored\n"), "{answer}");
        let mut ids: Vec<String> =
            world.tenant.store.inbox(None, 9).await.unwrap().into_iter().map(|row| row.id.to_string()).collect();
        ids.sort();
        assert_eq!(ids, ["main:e0", "main:e1"]);
    });
}
