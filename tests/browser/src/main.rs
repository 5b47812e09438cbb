//! The program, as cargo builds it for these tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    cvco_reconciled::cli::main()
}
