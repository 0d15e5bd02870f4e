//! Frames, whatever they say.

use proptest::prelude::*;

use super::frames::{CONTENT_TYPE, Control, FrameError, control, put_data, read};

const ALL: [Control; 5] = [Control::Accept, Control::Start, Control::Stop, Control::Ready, Control::Finish];

#[test]
fn control_frames_are_read_as_they_are_written_and_not_before_they_are_whole() {
    for kind in ALL {
        let frame = control(kind);
        for end in 0..frame.len() {
            assert_eq!(read(&frame[..end]), Ok(None), "{kind:?}, {end} octets");
        }
        let more = [frame.as_slice(), b"more"].concat();
        assert_eq!(read(&more), Ok(Some((kind, frame.len()))));
    }
}

#[test]
fn frames_are_those_of_fstrm() {
    let start = [b"\0\0\0\0\0\0\0\x22\0\0\0\x02\0\0\0\x01\0\0\0\x16".as_slice(), CONTENT_TYPE].concat();
    assert_eq!(control(Control::Start), start);
    assert_eq!(control(Control::Stop), b"\0\0\0\0\0\0\0\x04\0\0\0\x03");
    let mut frames = b"before".to_vec();
    put_data(&mut frames, b"data");
    assert_eq!(frames, b"before\0\0\0\x04data");
}

#[test]
fn readers_may_take_several_kinds_or_all() {
    assert_eq!(read(b"\0\0\0\0\0\0\0\x04\0\0\0\x01"), Ok(Some((Control::Accept, 12))));
    let other = b"\0\0\0\x01\0\0\0\x01x".as_slice();
    let accept = control(Control::Accept);
    let (two, one) = ([other, &accept[12..]].concat(), other);
    let frame = |fields: &[u8]| {
        let length = u32::try_from(4 + fields.len()).unwrap().to_be_bytes();
        [b"\0\0\0\0".as_slice(), &length, b"\0\0\0\x01", fields].concat()
    };
    assert_eq!(read(&frame(&two)), Ok(Some((Control::Accept, 12 + two.len()))));
    assert_eq!(read(&frame(one)), Err(FrameError::ContentType));
}

proptest! {
    #[test]
    fn whatever_a_reader_says_is_understood_or_refused(heard in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(Some((_, length))) = read(&heard) {
            prop_assert!(length <= heard.len());
        }
    }

    #[test]
    fn so_is_what_begins_like_a_frame(
        length in 0_u32..600, kind in 0_u32..8, fields in proptest::collection::vec(any::<u8>(), 0..600)
    ) {
        let heard = [&0_u32.to_be_bytes(), &length.to_be_bytes(), &kind.to_be_bytes(), fields.as_slice()].concat();
        if let Ok(Some((read_kind, read_length))) = read(&heard) {
            prop_assert_eq!(read_kind as u32, kind);
            prop_assert_eq!(read_length, length as usize + 8);
        }
    }
}
