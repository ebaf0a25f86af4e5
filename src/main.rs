//! The program: command line in, exit code out.

use std::process::ExitCode;

/// Requests allocate much and briefly, and what one thread allocates another frees: the system's allocator takes half as
/// long again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    alertmill::cli::run()
}
