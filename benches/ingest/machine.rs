//! What the kernel says of a process and of the disk.

use std::{fs, io, io::Write, os::unix::fs::FileExt, path::Path};

use alertmill::clock::Stopwatch;

/// Clock ticks per second of `/proc/<pid>/stat`, the same on every Linux.
const TICKS: f64 = 100.0;

/// What a process used up so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Processor time, in seconds.
    pub(crate) cpu: f64,
    /// Bytes that it had written to disk.
    pub(crate) written: u64,
}

/// What a process used up so far.
pub(crate) fn usage(pid: u32) -> io::Result<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name may hold spaces and parentheses; what follows it does not.
    let (_, fields) = stat.rsplit_once(')').ok_or(io::ErrorKind::InvalidData)?;
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    let io = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let written = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok());
    Ok(Usage { cpu: ticks / TICKS, written: written.unwrap_or(0) })
}

/// The resident memory of a process, in MiB.
pub(crate) fn resident(pid: u32) -> io::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// How long it takes to have 4 KiB on the disk, in microseconds: each of `count` tries.
pub(crate) fn syncs(directory: &Path, count: u64) -> io::Result<Vec<f64>> {
    let path = directory.join("sync-probe");
    let mut file = fs::File::create(&path)?;
    file.write_all(&vec![1; 4096 * 64])?;
    file.sync_all()?;
    let mut times = Vec::new();
    for at in 0..count {
        let watch = Stopwatch::start();
        file.write_all_at(&[2; 4096], (at % 64) * 4096)?;
        file.sync_data()?;
        times.push(watch.elapsed().as_secs_f64() * 1e6);
    }
    fs::remove_file(path)?;
    Ok(times)
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}
