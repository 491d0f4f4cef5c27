//! Writes records: of fixed size in one piece, of any size field by field.

/// A record of `N` bytes, filled from the front.
pub struct Fixed<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Fixed<N> {
    #[inline(always)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { bytes: [0; N], at: 0 }
    }

    #[inline(always)]
    pub fn put<const M: usize>(mut self, field: [u8; M]) -> Self {
        self.bytes[self.at..self.at + M].copy_from_slice(&field);
        self.at += M;
        self
    }

    #[inline(always)]
    pub fn u8(self, number: u8) -> Self {
        self.put([number])
    }

    #[inline(always)]
    pub fn u16(self, number: u16) -> Self {
        self.put(number.to_le_bytes())
    }

    #[inline(always)]
    pub fn u32(self, number: u32) -> Self {
        self.put(number.to_le_bytes())
    }

    #[inline(always)]
    pub fn u64(self, number: u64) -> Self {
        self.put(number.to_le_bytes())
    }

    #[inline(always)]
    pub fn i64(self, number: i64) -> Self {
        self.put(number.to_le_bytes())
    }

    /// The whole record; every byte must have been given.
    #[inline(always)]
    pub fn done(self) -> [u8; N] {
        debug_assert_eq!(self.at, N, "a record was not filled");
        self.bytes
    }
}
