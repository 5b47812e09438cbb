//! Prints docs/discrepancies.md, from the words that the program itself uses: `make docs`.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

fn main() {
    print!("{}", cvco_mail::page());
}
