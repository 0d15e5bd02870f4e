//! The `meshdns` command.

fn main() {}
