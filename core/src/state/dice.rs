//! Random draws from a seed that the host gives: the core draws no randomness of its own.

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
    near: u64,
}

impl Dice {
    /// Dice that fall as the seed says.
    pub fn new(seed: u64) -> Self {
        Self { state: seed, near: seed }
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0 (multiply and shift, Lemire 2019; the bias is below 2^-32 here).
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.roll()) * u128::from(end)) >> 64) as u64
    }

    /// A number below `end`, which is not 0, near the last one: a few steps on, and one time in sixteen anywhere. Over time
    /// every number comes up as often as every other, and what stands together is looked at together.
    pub fn stroll(&mut self, end: u64) -> u64 {
        let roll = self.roll();
        self.near = if roll.trailing_zeros() >= 4 { self.below(end) } else { (self.near + 1 + (roll >> 61)) % end };
        self.near
    }
}
