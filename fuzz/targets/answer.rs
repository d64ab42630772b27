//! Answers of a model server, as JSON or as a stream, on both interfaces and in both tool modes: whatever comes is an answer
//! or an error. The first byte says which door, the rest is the body.
#![no_main]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use agent::{ChatModel, Message, ModelRequest, ToolChoice};
use libfuzzer_sys::fuzz_target;
use mailwright::egress::Reach;
use mailwright::model::openai::{Api, OpenAi, Profile, ToolMode};
use tokio::runtime::Runtime;

struct World {
    runtime: Runtime,
    /// By the four lowest bits of the first byte.
    models: Vec<OpenAi>,
    says: Arc<Mutex<(bool, Vec<u8>)>>,
}

/// A server that says what it was given last, whatever it is asked.
fn serve(says: Arc<Mutex<(bool, Vec<u8>)>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let says = says.clone();
            std::thread::spawn(move || {
                let mut heard = Vec::new();
                let mut piece = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut piece) {
                    heard.extend(&piece[..read]);
                    if !is_whole(&heard) {
                        continue;
                    }
                    heard.clear();
                    let (streams, body) = says.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    let kind = if streams { "text/event-stream" } else { "application/json" };
                    let head =
                        format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
                    if stream.write_all(&[head.as_bytes(), &body].concat()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let says = Arc::default();
        let address = serve(Arc::clone(&says));
        let models = (0..16_u8).map(|bits| {
            let profile = Profile {
                api: if bits & 1 == 0 { Api::Chat } else { Api::Responses },
                stream: bits & 2 != 0,
                tool_mode: if bits & 4 == 0 { ToolMode::Native } else { ToolMode::JsonSchema },
                lenient: bits & 8 != 0,
                retries: 0,
                reach: Reach::Private,
                ..Profile::new("fuzz", &format!("http://{address}/v1"), "fuzz")
            };
            OpenAi::new(profile).expect("a model")
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        World { models: models.collect(), runtime, says }
    })
}

fuzz_target!(|data: &[u8]| {
    let [door, body @ ..] = data else { return };
    let world = world();
    *world.says.lock().unwrap_or_else(PoisonError::into_inner) = (door & 2 != 0, body.to_vec());
    let messages = [Message::User { text: "hello".to_owned() }];
    let request = ModelRequest { messages: &messages, tools: Vec::new(), tool_choice: ToolChoice::Auto };
    let model = &world.models[usize::from(door & 15)];
    if let Ok(reply) = world.runtime.block_on(model.complete(&request, &[])) {
        assert!(reply.calls.len() <= body.len());
    }
});
