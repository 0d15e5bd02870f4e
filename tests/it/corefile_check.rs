//! `meshdns check --corefile`: Corefiles are judged as CoreDNS judges them, and TTLs are those that clients see.

mod annotations;
mod corpus;
mod found;
mod matrix;
mod predictions;
mod stock;
