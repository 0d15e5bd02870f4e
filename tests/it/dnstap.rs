//! dnstap, as collectors get it: fstrm's own, and others that go, come back or say what they should not.

mod collector;
mod peers;
mod real;
