//! The program; everything it does is in the library.

use std::process::ExitCode;

/// A call makes some hundred small allocations, on threads that free what others allocated: the C library's own allocator
/// is slow at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cvco_reconciled::cli::main()
}
