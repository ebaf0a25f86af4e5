//! How much time and memory one case took.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counting. Give it to the target with `#[global_allocator]`.
pub struct Counting;

// SAFETY: it hands everything on to the system's allocator, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(at, layout) }
    }
}

/// What a case took.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// Time of this thread on a processor, which does not count what else the machine does.
    pub cpu: Duration,
    /// Time that went by, which counts what other threads did for it.
    pub wall: Duration,
    /// The most memory beyond what there was before, in bytes.
    pub memory: usize,
}

/// Measures one case.
pub fn measured<T>(case: impl FnOnce() -> T) -> (T, Took) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let (wall, cpu) = (Instant::now(), cpu_time());
    let result = case();
    let (cpu, wall) = (cpu_time().saturating_sub(cpu), wall.elapsed());
    (result, Took { cpu, wall, memory: PEAK.load(Relaxed).saturating_sub(before) })
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
