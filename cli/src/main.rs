//! The `tenure` program.

/// A served request takes a tenth less CPU time with it (DESIGN, 2026-11-28).
#[cfg(feature = "serve")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    std::process::exit(tenure_cli::main(std::env::args_os()));
}
