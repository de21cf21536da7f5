//! Every scenario of the core under shuttle.

fn main() {}
