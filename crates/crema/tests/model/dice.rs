//! Chance that can be repeated.

/// A small generator (SplitMix64): the same seed gives the same choices.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The dice of one worker of a run.
    pub(crate) fn new(seed: u64, worker: u64) -> Dice {
        let mut dice = Dice(seed ^ worker.wrapping_mul(0xA076_1D64_78BD_642F));
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> u64 {
        self.next()
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap();
        usize::try_from(self.next() % end).unwrap()
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// A place in a list, the last ones far more often: what is new is worth looking at.
    pub(crate) fn recent(&mut self, length: usize) -> usize {
        let back = match self.below(8) {
            0 => self.below(length),
            1 | 2 => self.below(length.min(12)),
            _ => self.below(length.min(4)),
        };
        length - 1 - back
    }

    /// The position of one of these weights, each as often as it weighs.
    pub(crate) fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut point = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if point < *weight {
                return index;
            }
            point -= weight;
        }
        unreachable!("the point lies within the sum")
    }
}
