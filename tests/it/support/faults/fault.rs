//! What can go wrong between a client and an API server.

use std::time::Duration;

use serde_json::json;

/// A fault. Where the text says "responses", those that are on their way are meant too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Requests are answered with this `Status`, as an API server does it.
    Answer {
        /// The HTTP status.
        code: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u32>,
    },
    /// Requests are answered by something else than an API server, with this HTTP status and a page of HTML.
    Page(u16),
    /// Requests are answered this much later.
    Delay(Duration),
    /// No octet passes any more, and nothing is closed: neither requests are answered nor responses go on. When the
    /// fault goes, everything goes on.
    Freeze,
    /// Requests are not answered and responses break off: the connection is closed.
    HangUp,
    /// Responses break off after this many further octets of their bodies.
    Cut {
        /// How many still pass.
        after: usize,
    },
    /// Sixteen octets of responses are overwritten with this one, after this many further octets of their bodies.
    Garble {
        /// How many pass unharmed.
        after: usize,
        /// What is put in their place.
        with: u8,
    },
    /// Watches end with an `ERROR` event that has this `Status`.
    ErrorEvent {
        /// The code of the status.
        code: u16,
    },
    /// Every event of a watch comes twice.
    Duplicate,
    /// Every other event of a watch comes before the one that was before it.
    Reorder,
    /// Events of this type do not come: `BOOKMARK`, `DELETED`.
    Lose(&'static str),
    /// Responses come in such small parts, with a pause after each.
    Trickle {
        /// How many octets at a time.
        octets: usize,
        /// The pause.
        every: Duration,
    },
}

/// A `Status` as an API server writes it.
pub(crate) fn status(code: u16) -> String {
    let (reason, message) = match code {
        400 => ("BadRequest", "the request is wrong"),
        401 => ("Unauthorized", "Unauthorized"),
        403 => ("Forbidden", "the test forbids it"),
        404 => ("NotFound", "the server could not find the requested resource"),
        410 => ("Expired", "The resourceVersion for the provided watch is too old."),
        422 => ("Invalid", "sendInitialEvents: Forbidden: the WatchList feature gate is not enabled"),
        429 => ("TooManyRequests", "please try again later"),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        _ => ("InternalError", "an error that the test invents"),
    };
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
        "code": code,
    })
    .to_string()
}
