//! Frame streams, the format in which dnstap messages stand one after the other: what a writer says, and what it hears.
//!
//! Rules: fstrm's `fstrm/control.h`. Numbers have four octets in network order. A data frame is its length and its octets; a control
//! frame is a length of 0, the length of what follows, a type, and fields of a type, a length and octets each. Writer and reader first agree: READY with
//! the content types that the writer has, ACCEPT with those of them that the reader takes, START with the one that comes. STOP ends the data, and
//! FINISH says that it was read.

/// What the frames have in them.
pub(super) const CONTENT_TYPE: &[u8] = b"protobuf:dnstap.Dnstap";
/// Longest control frame, without escape and length.
const LONGEST: usize = 512;
/// The only type of field.
const FIELD: u32 = 1;

/// Control frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    Accept = 1,
    Start = 2,
    Stop = 3,
    Ready = 4,
    Finish = 5,
}

/// What a reader must not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("it says something that is no control frame")]
    NoControl,
    #[error("it says a control frame of {0} octets")]
    Length(u32),
    #[error("it says a control frame of the unknown type {0}")]
    Type(u32),
    #[error("it says a control frame whose fields do not fit into it")]
    Fields,
    #[error("it does not take dnstap")]
    ContentType,
}

/// A control frame; where it has to name a content type, with that of dnstap.
pub(super) fn control(kind: Control) -> Vec<u8> {
    let names = matches!(kind, Control::Ready | Control::Start | Control::Accept);
    let fields = if names { 8 + CONTENT_TYPE.len() } else { 0 };
    let mut frame = Vec::with_capacity(12 + fields);
    frame.extend_from_slice(&0_u32.to_be_bytes());
    put_number(&mut frame, 4 + fields);
    frame.extend_from_slice(&(kind as u32).to_be_bytes());
    if names {
        frame.extend_from_slice(&FIELD.to_be_bytes());
        put_number(&mut frame, CONTENT_TYPE.len());
        frame.extend_from_slice(CONTENT_TYPE);
    }
    frame
}

/// Puts a data frame behind what is there. `data` is not empty, and shorter than 4 GiB.
pub(super) fn put_data(frames: &mut Vec<u8>, data: &[u8]) {
    put_number(frames, data.len());
    frames.extend_from_slice(data);
}

/// Reads a control frame from the beginning of what was heard, and says how long it is; none, if there is more to come.
pub(super) fn read(heard: &[u8]) -> Result<Option<(Control, usize)>, FrameError> {
    let (Some(escape), length) = (number(heard, 0), number(heard, 4)) else { return Ok(None) };
    if escape != 0 {
        return Err(FrameError::NoControl);
    }
    let Some(length) = length else { return Ok(None) };
    let octets = usize::try_from(length).unwrap_or(usize::MAX);
    if !(4..=LONGEST).contains(&octets) {
        return Err(FrameError::Length(length));
    }
    let Some(body) = heard.get(8..8 + octets) else { return Ok(None) };
    let kind = match number(body, 0).unwrap_or_default() {
        1 => Control::Accept,
        2 => Control::Start,
        3 => Control::Stop,
        4 => Control::Ready,
        5 => Control::Finish,
        other => return Err(FrameError::Type(other)),
    };
    let (mut takes_ours, mut names_any) = (false, false);
    let mut fields = &body[4..];
    while !fields.is_empty() {
        let (Some(field), Some(size)) = (number(fields, 0), number(fields, 4)) else {
            return Err(FrameError::Fields);
        };
        let end = usize::try_from(size).ok().and_then(|size| size.checked_add(8));
        let value = end.and_then(|end| Some((fields.get(8..end)?, fields.get(end..)?)));
        let Some((value, rest)) = value else { return Err(FrameError::Fields) };
        names_any |= field == FIELD;
        takes_ours |= field == FIELD && value == CONTENT_TYPE;
        fields = rest;
    }
    // A reader that names none takes everything.
    if kind == Control::Accept && names_any && !takes_ours {
        return Err(FrameError::ContentType);
    }
    Ok(Some((kind, 8 + octets)))
}

fn put_number(frames: &mut Vec<u8>, number: usize) {
    // Messages have at most 65,535 octets.
    frames.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
}

fn number(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}
