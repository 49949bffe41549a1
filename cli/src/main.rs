//! The `tenure` program.

fn main() {
    std::process::exit(tenure_cli::main(std::env::args_os()));
}
