//! Each message as bytes, within its `S` packet of SoupBinTCP: `wire/itch.py`. Integers are big-endian.

use crate::record::Fields;

const DAY_NS: u64 = 86_400_000_000_000;
/// Length and type of the packet, then type, locate, tracking number and time of the message.
const HEAD: usize = 3 + 11;
const TIME_BYTES: usize = 6;

pub type Stock = [u8; 8];
pub const NO_REASON: [u8; 4] = *b"    ";

/// Of which symbol a message is, and the time of the event that makes it.
#[derive(Clone, Copy)]
pub struct At {
    pub symbol_id: u32,
    pub time_ns: u64,
}

/// The packets of a date's part, one behind the other.
#[derive(Default)]
pub struct Packets {
    pub bytes: Vec<u8>,
    pub count: usize,
}

/// What an indication says.
pub struct Imbalance {
    pub paired: u64,
    pub imbalance: u64,
    pub direction: u8,
    pub stock: Stock,
    pub far: u32,
    pub near: u32,
    pub reference: u32,
    pub cross: u8,
    pub variation: u8,
}

/// A trade that is no execution of an order in the feed.
pub struct Print {
    pub shares: u32,
    pub stock: Stock,
    pub price: u32,
    pub match_id: u64,
}

trait BigEndian: Sized {
    fn be32(self, number: u32) -> Self;
    fn be64(self, number: u64) -> Self;
}

impl<const N: usize> BigEndian for Fields<'_, N> {
    #[inline(always)]
    fn be32(self, number: u32) -> Self {
        self.put(number.to_be_bytes())
    }

    #[inline(always)]
    fn be64(self, number: u64) -> Self {
        self.put(number.to_be_bytes())
    }
}

/// Begins a packet in its place.
#[inline(always)]
fn head<const N: usize>(out: &mut [u8; N], kind: u8, at: At) -> Fields<'_, N> {
    let time = (at.time_ns % DAY_NS).to_be_bytes();
    let time: [u8; TIME_BYTES] = *time.last_chunk().expect("eight bytes end in six");
    Fields::new(out)
        .put(((N - 2) as u16).to_be_bytes())
        .put([b'S', kind])
        .put((at.symbol_id as u16).to_be_bytes())
        .put([0, 0])
        .put(time)
}

impl Packets {
    #[inline(always)]
    fn add<const N: usize>(&mut self, packet: [u8; N]) {
        self.bytes.extend_from_slice(&packet);
        self.count += 1;
    }

    pub fn add_order(&mut self, at: At, reference: u64, side: u8, shares: u32, stock: Stock, price: u32) {
        let mut out = [0; HEAD + 25];
        head(&mut out, b'A', at).be64(reference).put([side]).be32(shares).put(stock).be32(price).end();
        self.add(out);
    }

    pub fn executed(&mut self, at: At, reference: u64, shares: u32, match_id: u64) {
        let mut out = [0; HEAD + 20];
        head(&mut out, b'E', at).be64(reference).be32(shares).be64(match_id).end();
        self.add(out);
    }

    /// An execution in an auction, which is not printable.
    pub fn executed_at(&mut self, at: At, reference: u64, shares: u32, match_id: u64, price: u32) {
        let mut out = [0; HEAD + 25];
        head(&mut out, b'C', at).be64(reference).be32(shares).be64(match_id).put([b'N']).be32(price).end();
        self.add(out);
    }

    pub fn cancel(&mut self, at: At, reference: u64, shares: u32) {
        let mut out = [0; HEAD + 12];
        head(&mut out, b'X', at).be64(reference).be32(shares).end();
        self.add(out);
    }

    pub fn delete(&mut self, at: At, reference: u64) {
        let mut out = [0; HEAD + 8];
        head(&mut out, b'D', at).be64(reference).end();
        self.add(out);
    }

    /// Puts a replace into the place of the delete that was written last.
    pub fn replace_delete(&mut self, at: At, old: u64, new: u64, shares: u32, price: u32) {
        self.bytes.truncate(self.bytes.len() - (HEAD + 8));
        self.count -= 1;
        let mut out = [0; HEAD + 24];
        head(&mut out, b'U', at).be64(old).be64(new).be32(shares).be32(price).end();
        self.add(out);
    }

    pub fn print(&mut self, at: At, trade: &Print) {
        let mut out = [0; HEAD + 33];
        let fields = head(&mut out, b'P', at).be64(0).put([b'B']).be32(trade.shares).put(trade.stock);
        fields.be32(trade.price).be64(trade.match_id).end();
        self.add(out);
    }

    pub fn cross(&mut self, at: At, shares: u64, stock: Stock, price: u32, match_id: u64, kind: u8) {
        let mut out = [0; HEAD + 29];
        head(&mut out, b'Q', at).be64(shares).put(stock).be32(price).be64(match_id).put([kind]).end();
        self.add(out);
    }

    pub fn broken(&mut self, at: At, match_id: u64) {
        let mut out = [0; HEAD + 8];
        head(&mut out, b'B', at).be64(match_id).end();
        self.add(out);
    }

    pub fn imbalance(&mut self, at: At, told: &Imbalance) {
        let mut out = [0; HEAD + 39];
        let fields = head(&mut out, b'I', at).be64(told.paired).be64(told.imbalance).put([told.direction]);
        let fields = fields.put(told.stock).be32(told.far).be32(told.near).be32(told.reference);
        fields.put([told.cross, told.variation]).end();
        self.add(out);
    }

    pub fn system(&mut self, time_ns: u64, codes: &[u8]) {
        for &code in codes {
            let mut out = [0; HEAD + 1];
            head(&mut out, b'S', At { symbol_id: 0, time_ns }).put([code]).end();
            self.add(out);
        }
    }

    pub fn directory(&mut self, at: At, stock: Stock, round_lot: u32, tier: u8) {
        let mut out = [0; HEAD + 28];
        let fields = head(&mut out, b'R', at).put(stock).put(*b" N").be32(round_lot).put(*b"NCZ PNN");
        fields.put([tier, b'N']).be32(1).put([b'N']).end();
        self.add(out);
    }

    pub fn action(&mut self, at: At, stock: Stock, state: u8, reason: [u8; 4]) {
        let mut out = [0; HEAD + 14];
        head(&mut out, b'H', at).put(stock).put([state, b' ']).put(reason).end();
        self.add(out);
    }

    pub fn restriction(&mut self, at: At, stock: Stock, action: u8) {
        let mut out = [0; HEAD + 9];
        head(&mut out, b'Y', at).put(stock).put([action]).end();
        self.add(out);
    }

    pub fn breaker_levels(&mut self, time_ns: u64, levels: [u64; 3]) {
        let mut out = [0; HEAD + 24];
        let fields = head(&mut out, b'V', At { symbol_id: 0, time_ns });
        fields.be64(levels[0]).be64(levels[1]).be64(levels[2]).end();
        self.add(out);
    }

    pub fn breach(&mut self, time_ns: u64, level: u8) {
        let mut out = [0; HEAD + 1];
        head(&mut out, b'W', At { symbol_id: 0, time_ns }).put([b'0' + level % 10]).end();
        self.add(out);
    }

    /// numbers: reference, upper, lower, extension.
    pub fn collar(&mut self, at: At, stock: Stock, numbers: [u32; 4]) {
        let mut out = [0; HEAD + 24];
        let [reference, upper, lower, extension] = numbers;
        head(&mut out, b'J', at).put(stock).be32(reference).be32(upper).be32(lower).be32(extension).end();
        self.add(out);
    }
}
