//! The floor: `mailwright::store::Floor`, called as often at a time as ours.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use mailwright::store::Floor;

use crate::events::Event;
use crate::{Failure, Round, drive};

pub(crate) async fn round(file: &Path, events: &Arc<Vec<Event>>, callers: usize) -> Result<Round, Failure> {
    let floor = Floor::open(file).await?;
    drive(events, callers, |events, first| {
        let floor = floor.clone();
        async move {
            let mut times = Vec::new();
            for event in events.iter().skip(first).step_by(callers) {
                // Ours hands its body over as well.
                let (id, body) = (event.id.clone(), event.body.clone());
                let began = Instant::now();
                floor.insert(id, body).await?;
                times.push(began.elapsed());
            }
            Ok(times)
        }
    })
    .await
}
