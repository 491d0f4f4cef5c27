//! What ties the one numbered stream to sessions: references in client order ids, and notes: `wire/ouch_reference.py`.

use crate::commands::CANCEL_ORDER;
use crate::{ClientOrderId, CLIENT_ORDER_ID_BYTES};

use super::inbound::put_header;

pub const MARK: u8 = b'~';
pub const SESSIONS_MAX: u32 = (1 << 20) - 1;
pub const SIDE_AT: usize = 14;
pub const DISPLAY_AT: usize = 15;
pub const CAPACITY_AT: usize = 16;
const FIRM_AT: usize = 17;
const CL_ORD_ID_AT: usize = 21;
const CL_ORD_ID_BYTES: usize = 14;
const NOTE_BYTES: usize = 28;
const NOTE_MARK: u64 = 0xFF;

pub mod note_kind {
    pub const REPLACE: u8 = 1;
    pub const MODIFY: u8 = 2;
    pub const REDUCE: u8 = 3;
    pub const FIRM: u8 = 4;
    pub const SYMBOL: u8 = 5;
    pub const MASS_CANCELLED: u8 = 6;
    pub const DISABLED: u8 = 7;
    pub const ENABLED: u8 = 8;
    pub const QUERY: u8 = 9;
}

/// What a reference is made of; firm and ClOrdID as on the wire.
pub struct Parts<'a> {
    pub session: u32,
    pub number: u32,
    pub side: u8,
    pub display: u8,
    pub capacity: u8,
    pub firm: [u8; 4],
    pub cl_ord_id: &'a [u8],
}

impl Parts<'_> {
    pub fn write(&self) -> ClientOrderId {
        let mut id = [0; CLIENT_ORDER_ID_BYTES];
        id[0] = MARK;
        write_hexadecimal(&mut id[1..6], self.session);
        write_hexadecimal(&mut id[6..14], self.number);
        (id[SIDE_AT], id[DISPLAY_AT], id[CAPACITY_AT]) = (self.side, self.display, self.capacity);
        let firm = without_blanks(&self.firm);
        id[FIRM_AT..CL_ORD_ID_AT].fill(MARK);
        id[FIRM_AT..FIRM_AT + firm.len()].copy_from_slice(firm);
        let text = without_blanks(self.cl_ord_id);
        id[CL_ORD_ID_AT..CL_ORD_ID_AT + text.len()].copy_from_slice(text);
        id
    }
}

/// A text without the blanks at its end.
pub fn without_blanks(text: &[u8]) -> &[u8] {
    let size = text.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
    &text[..size]
}

fn write_hexadecimal(place: &mut [u8], number: u32) {
    for (shift, digit) in place.iter_mut().rev().enumerate() {
        *digit = b"0123456789ABCDEF"[(number >> (4 * shift) & 15) as usize];
    }
}

fn read_hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number: u32, &digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'F' => digit - b'A' + 10,
            _ => return None,
        };
        Some(number << 4 | u32::from(value))
    })
}

/// The session and number of a client order id, if it has the form that belongs to sessions.
pub fn read(id: &ClientOrderId) -> Option<(u32, u32)> {
    if id[0] != MARK || id[CLIENT_ORDER_ID_BYTES - 1] != 0 {
        return None;
    }
    let long_enough = id[CL_ORD_ID_AT - 1..].iter().any(|&byte| byte != 0);
    let session = read_hexadecimal(&id[1..6])?;
    let number = read_hexadecimal(&id[6..14])?;
    long_enough.then_some((session, number))
}

/// A reference's ClOrdID, filled with blanks.
pub fn cl_ord_id_of(id: &ClientOrderId) -> [u8; CL_ORD_ID_BYTES] {
    let mut text = [0; CL_ORD_ID_BYTES];
    text.copy_from_slice(&id[CL_ORD_ID_AT..CL_ORD_ID_AT + CL_ORD_ID_BYTES]);
    for byte in text.iter_mut().rev().take_while(|byte| **byte == 0) {
        *byte = b' ';
    }
    text
}

/// A reference's firm, blank where there is none.
pub fn firm_of(id: &ClientOrderId) -> [u8; 4] {
    let mut firm = [0; 4];
    firm.copy_from_slice(&id[FIRM_AT..CL_ORD_ID_AT]);
    firm.map(|byte| if byte == MARK { b' ' } else { byte })
}

/// Whether a reference names a firm.
pub fn has_firm(id: &ClientOrderId) -> bool {
    id[FIRM_AT..CL_ORD_ID_AT] != [MARK; 4]
}

/// Adds a note as its command record.
pub fn put_note(out: &mut Vec<u8>, session: u32, kind: u8, value: u32) {
    put_header(out, NOTE_BYTES, CANCEL_ORDER);
    let subject = NOTE_MARK << 56 | u64::from(session) << 36 | u64::from(kind) << 32 | u64::from(value);
    out.extend(subject.to_le_bytes());
    out.extend([0; 4]);
}

/// (session, kind, value) of the note that the subject of a refused cancel is, if it is one.
pub fn read_note(subject: u64) -> Option<(u32, u8, u32)> {
    let session = (subject >> 36) as u32 & SESSIONS_MAX;
    (subject >> 56 == NOTE_MARK && session != 0).then_some((
        session,
        (subject >> 32 & 0xF) as u8,
        subject as u32,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_says_what_it_was_made_of() {
        let parts = Parts {
            session: 0xABCDE,
            number: 0x89,
            side: b'B',
            display: b'Y',
            capacity: b'P',
            firm: *b"AB  ",
            cl_ord_id: b"x-1           ",
        };
        let id = parts.write();
        assert_eq!(id[..24], *b"~ABCDE00000089BYPAB~~x-1");
        assert_eq!(read(&id), Some((0xABCDE, 0x89)));
        assert_eq!(cl_ord_id_of(&id), *b"x-1           ");
        assert_eq!((firm_of(&id), has_firm(&id)), (*b"AB  ", true));
    }

    #[test]
    fn other_ids_are_no_references() {
        for text in [&b""[..], b"abc", b"~", b"~ABCDE00000089BYPAB~", b"~abcde00000089BYPAB~~x", &[b'~'; 36]]
        {
            let mut id = [0; CLIENT_ORDER_ID_BYTES];
            id[..text.len()].copy_from_slice(text);
            assert_eq!(read(&id), None, "{text:?}");
        }
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let mut out = Vec::new();
        put_note(&mut out, 7, note_kind::QUERY, 99);
        let subject = u64::from_le_bytes(*out[16..].first_chunk().unwrap());
        assert_eq!((out.len(), read_note(subject)), (NOTE_BYTES, Some((7, note_kind::QUERY, 99))));
        assert_eq!(read_note(7), None);
    }
}
