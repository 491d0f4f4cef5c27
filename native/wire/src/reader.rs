//! Reads little-endian numbers, texts and rows one after the other.

/// The bytes are not what the record's type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Takes fields from the front of a run of bytes.
#[derive(Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub fn bytes(&mut self, size: usize) -> Result<&'a [u8], Malformed> {
        if size > self.0.len() {
            return Err(Malformed);
        }
        let (taken, rest) = self.0.split_at(size);
        self.0 = rest;
        Ok(taken)
    }

    #[inline(always)]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    #[inline(always)]
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline(always)]
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline(always)]
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline(always)]
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    #[inline(always)]
    pub fn i64(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn i128(&mut self) -> Result<i128, Malformed> {
        self.array().map(i128::from_le_bytes)
    }

    /// Text of a tail, strictly UTF-8.
    pub fn text(&mut self, size: usize) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes(size)?).map_err(|_| Malformed)
    }

    /// Nothing may be left over.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

/// A field of fixed width without the zeros that fill it up.
pub fn unpadded(padded: &[u8]) -> &[u8] {
    let size = padded.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &padded[..size]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_one_after_the_other_and_none_after_the_end() {
        let mut reader = Reader::new(&[1, 2, 0, 3, 0, 0, 0, b'x']);
        assert_eq!((reader.u8(), reader.u16(), reader.u32()), (Ok(1), Ok(2), Ok(3)));
        assert_eq!(reader.end(), Err(Malformed));
        assert_eq!(reader.text(1), Ok("x"));
        assert_eq!((reader.end(), reader.u8()), (Ok(()), Err(Malformed)));
    }

    #[test]
    fn only_the_zeros_at_the_end_fill_a_field_up() {
        assert_eq!(unpadded(b"a\0b\0\0"), b"a\0b");
        assert_eq!(unpadded(&[0; 8]), b"");
    }
}
