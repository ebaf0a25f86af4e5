//! Choices, taken from the bytes of a case for as long as there are any, then from a generator that they seed.

/// Makes choices; the same bytes make the same ones.
pub struct Dice<'b> {
    bytes: &'b [u8],
    state: u64,
}

impl<'b> Dice<'b> {
    /// Chooses by these bytes.
    pub fn new(bytes: &'b [u8]) -> Self {
        // FNV-1a.
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self { bytes, state: bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix) }
    }

    /// The bytes that no choice was made by yet.
    pub fn rest(&self) -> &'b [u8] {
        self.bytes
    }

    /// Forgets the bytes, which have seeded the generator.
    pub fn seal(&mut self) {
        self.bytes = &[];
    }

    fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first
            }
            None => self.generated().to_be_bytes()[0],
        }
    }

    /// The next number of `SplitMix64`.
    fn generated(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// A number below `end`; zero where `end` is.
    pub fn below(&mut self, end: usize) -> usize {
        let wide = if end <= 256 {
            usize::from(self.byte())
        } else {
            (0..3).fold(0, |number, _| number << 8 | usize::from(self.byte()))
        };
        wide.checked_rem(end).unwrap_or_default()
    }

    /// Whether one of so many comes up.
    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    /// One of these.
    ///
    /// # Panics
    /// Where there is none.
    pub fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}
