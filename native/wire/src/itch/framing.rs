//! `S` packets of SoupBinTCP as the same messages in BinaryFILE and in datagrams of MoldUDP64.

/// What follows the header of a datagram stays within this.
const PAYLOAD_BYTES_MAX: usize = 1_400;
const MOLD_HEADER_BYTES: usize = 20;
const LENGTH_BYTES: usize = 2;

/// The bytes at this offset are no whole `S` packet with a message.
#[derive(Debug, PartialEq, Eq)]
pub struct NoPacket(pub usize);

/// The length of the message in the packet at an offset.
#[inline(always)]
fn message_at(packets: &[u8], at: usize) -> Result<usize, NoPacket> {
    let Some(&[high, low, kind]) = packets.get(at..).and_then(<[u8]>::first_chunk) else {
        return Err(NoPacket(at));
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if kind != b'S' || length < 2 || at + LENGTH_BYTES + length > packets.len() {
        return Err(NoPacket(at));
    }
    Ok(length - 1)
}

/// Adds the message of the packet at an offset, after its length in two bytes.
#[inline(always)]
fn add_block(out: &mut Vec<u8>, packets: &[u8], at: usize, length: usize) {
    out.extend_from_slice(&(length as u16).to_be_bytes());
    out.extend_from_slice(&packets[at + 3..at + 3 + length]);
}

/// The same messages, each after its length in two bytes.
pub fn blocks(packets: &[u8]) -> Result<Vec<u8>, NoPacket> {
    let mut out = Vec::with_capacity(packets.len());
    let mut at = 0;
    while at < packets.len() {
        let length = message_at(packets, at)?;
        add_block(&mut out, packets, at, length);
        at += LENGTH_BYTES + 1 + length;
    }
    Ok(out)
}

/// The same messages in as few datagrams as hold them. first: the sequence of the first one.
pub fn datagrams(session: [u8; 10], first: u64, packets: &[u8]) -> Result<Vec<Vec<u8>>, NoPacket> {
    let mut all = Vec::with_capacity(packets.len() / PAYLOAD_BYTES_MAX + 1);
    let (mut at, mut sequence, mut count) = (0, first, 0_u16);
    let mut out: Vec<u8> = Vec::new();
    while at < packets.len() {
        let length = message_at(packets, at)?;
        let is_full = out.len() + LENGTH_BYTES + length > MOLD_HEADER_BYTES + PAYLOAD_BYTES_MAX;
        if count > 0 && is_full {
            sequence += u64::from(count);
            all.push(counted(std::mem::take(&mut out), std::mem::take(&mut count)));
        }
        if count == 0 {
            out.reserve_exact(MOLD_HEADER_BYTES + PAYLOAD_BYTES_MAX);
            out.extend_from_slice(&session);
            out.extend_from_slice(&sequence.to_be_bytes());
            out.extend_from_slice(&[0, 0]);
        }
        add_block(&mut out, packets, at, length);
        count += 1;
        at += LENGTH_BYTES + 1 + length;
    }
    if count > 0 {
        all.push(counted(out, count));
    }
    Ok(all)
}

fn counted(mut datagram: Vec<u8>, count: u16) -> Vec<u8> {
    datagram[MOLD_HEADER_BYTES - 2..MOLD_HEADER_BYTES].copy_from_slice(&count.to_be_bytes());
    datagram
}
