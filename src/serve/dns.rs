//! What plain DNS over UDP and over TCP have in common.
//!
//! Rules: RFC 1035 §4.1.1 for the one message that is written here. Everything else comes from
//! [`wire`](crate::wire).

/// Octets of a DNS header.
pub(super) const HEADER: usize = 12;

const RESPONSE: u8 = 0x80;
const OPCODE_AND_RD: u8 = 0x79;
const SERVFAIL: u8 = 2;

/// Writes SERVFAIL: we do not know yet. Id, opcode, RD and question are repeated. `false` for what must not be
/// answered: a response, or no header.
pub(super) fn server_failure(packet: &[u8], reply: &mut Vec<u8>) -> bool {
    reply.clear();
    let Some((header, rest)) = packet.split_at_checked(HEADER) else { return false };
    if header[2] & RESPONSE != 0 {
        return false;
    }
    reply.extend_from_slice(&[header[0], header[1], RESPONSE | header[2] & OPCODE_AND_RD, SERVFAIL]);
    let one = header[4..6] == [0, 1];
    let question = if one { question(rest) } else { None };
    reply.extend_from_slice(&[0, u8::from(question.is_some()), 0, 0, 0, 0, 0, 0]);
    reply.extend_from_slice(question.unwrap_or_default());
    true
}

/// The octets of one uncompressed question: name, type and class.
fn question(octets: &[u8]) -> Option<&[u8]> {
    let mut end = 0;
    loop {
        match *octets.get(end)? {
            0 => break,
            length @ 1..=63 => end += 1 + usize::from(length),
            _ => return None,
        }
    }
    octets.get(..end + 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &[u8] = b"\x12\x34\x01\x20\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01";

    #[test]
    fn server_failure_repeats_id_and_question() {
        let mut reply = Vec::new();
        assert!(server_failure(QUERY, &mut reply));
        assert_eq!(reply, b"\x12\x34\x81\x02\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01");
    }

    #[test]
    fn a_broken_question_is_left_out() {
        let mut reply = Vec::new();
        assert!(server_failure(&QUERY[..15], &mut reply));
        assert_eq!(reply.len(), HEADER);
        assert_eq!(reply[5], 0);
    }

    #[test]
    fn responses_and_fragments_are_not_answered() {
        let mut response = QUERY.to_vec();
        response[2] |= RESPONSE;
        let mut reply = Vec::new();
        assert!(!server_failure(&response, &mut reply));
        assert!(!server_failure(&QUERY[..11], &mut reply));
    }
}
