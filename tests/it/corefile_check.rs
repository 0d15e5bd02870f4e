//! `meshdns check --corefile`: Corefiles are judged as CoreDNS judges them, and TTLs are those that clients see.

mod corpus;
mod found;
mod predictions;
