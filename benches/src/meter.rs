//! CPU time and memory of this process, as Linux counts them.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU time of this thread so far. `/proc` is no source for it: it moves in steps of a scheduler tick, some
/// milliseconds, and what is measured here takes microseconds.
pub fn thread_cpu() -> Duration {
    elapsed(ClockId::ThreadCPUTime)
}

/// CPU time of all threads of this process so far.
pub fn process_cpu() -> Duration {
    elapsed(ClockId::ProcessCPUTime)
}

fn elapsed(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    // CPU clocks begin at 0: neither part is ever negative.
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Runs `work`, and says how much CPU time all threads took for it.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = process_cpu();
    let result = work();
    (result, process_cpu().saturating_sub(start))
}

/// Memory in use, in kB (resident set).
pub fn resident_kb() -> i64 {
    status("VmRSS:")
}

/// The most memory in use since the start or the last [`forget_peak`], in kB.
pub fn peak_kb() -> i64 {
    status("VmHWM:")
}

/// Lets [`peak_kb`] begin anew. Where the kernel forbids it the peak of the whole process stays, which is no less.
pub fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// A line of `/proc/self/status`, in kB; 0 where there is none, which is not Linux.
fn status(key: &str) -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn work_takes_time_and_memory() {
        let before = (thread_cpu(), process_cpu(), resident_kb());
        let mut heap: Vec<u64> = (0..2_000_000).collect();
        heap.sort_unstable_by_key(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        assert!(thread_cpu() > before.0 && process_cpu() > before.1);
        assert!(resident_kb() - before.2 >= 15_000, "16 MB more than {} kB, not {}", before.2, resident_kb());
        assert!(peak_kb() >= resident_kb() - 1_000 && heap.len() == 2_000_000);
    }
}
