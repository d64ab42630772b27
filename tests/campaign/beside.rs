//! Classes are written beside a server that drives the same folder.

use mailwright::campaigns::CLASS_FLOW;
use mailwright::server::{Limits, Server};
use mailwright::store::RunState;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;

/// Class runs have tools of their own: a worker that took one up would stop its writer, or end the run without a copy.
#[test]
fn a_servers_workers_leave_class_runs_to_their_writer() {
    block_on(async {
        let shop = Shop::open(90).await;
        let esp = Arc::new(Outbox::open(shop.folder.join("outbox")).unwrap());
        let parts = Parts::new(shop.clock.clone(), esp, Vec::new());
        let server = Server::of(shop.tenant.clone(), parts, Limits::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.run(listener, async move {
            let _ = stopped.await;
        }));
        let (id, _) = shop.asked(&shop.brief()).await;
        stop.send(()).unwrap();
        serving.await.unwrap();
        let classes = shop.tenant.store.campaign_classes(&id).await.unwrap();
        assert!(!classes.is_empty() && classes.iter().all(|class| class.copy.is_some()));
        let runs = shop.tenant.store.runs(1_000).await.unwrap();
        let written: Vec<RunState> =
            runs.into_iter().filter(|run| run.flow.as_str() == CLASS_FLOW).map(|run| run.state).collect();
        assert_eq!(written, vec![RunState::Done; classes.len()]);
    });
}
