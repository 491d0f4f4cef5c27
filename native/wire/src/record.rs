//! Writes the fields of a record one after the other into its place.

/// The place of a record of `N` bytes, filled from the front; the offsets are known when this is compiled.
pub struct Fields<'a, const N: usize> {
    bytes: &'a mut [u8; N],
    at: usize,
}

impl<'a, const N: usize> Fields<'a, N> {
    #[inline(always)]
    pub fn new(bytes: &'a mut [u8; N]) -> Self {
        Self { bytes, at: 0 }
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

    /// Ends the record; every byte must have been given.
    #[inline(always)]
    pub fn end(self) {
        debug_assert_eq!(self.at, N, "a record was not filled");
    }
}
