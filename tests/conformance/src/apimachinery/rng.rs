//! Seeded random numbers for generated cases: the same seed, area and index give the same case.

/// A small generator (SplitMix64). Not for secrets.
pub(crate) struct Rng(u64);

// Areas come and go; what none uses at the moment is still part of the generator.
#[allow(dead_code)]
impl Rng {
    /// The generator of one case.
    pub(crate) fn new(seed: u64, area: &str, index: u64) -> Self {
        // FNV-1a of the area's name keeps areas apart.
        let area = area.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        let mut rng = Rng(seed ^ area);
        rng.0 = rng.next_u64() ^ index.wrapping_mul(0xd6e8_feb8_6659_fd93);
        rng.next_u64();
        rng
    }

    /// Any 64 bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 when `n` is.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next_u64() % n as u64) as usize }
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.wrapping_sub(low) as u64;
        let more = if span == u64::MAX { self.next_u64() } else { self.next_u64() % (span + 1) };
        low.wrapping_add(more as i64)
    }

    /// One of `all`, which is not empty.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.next_u64() % 100 < u64::from(percent)
    }

    /// Up to `most` pieces of `alphabet`, one after the other.
    pub(crate) fn text(&mut self, alphabet: &[&str], most: usize) -> String {
        let n = self.below(most + 1);
        (0..n).map(|_| *self.pick(alphabet)).collect()
    }

    /// `text` with one or two characters inserted, removed or replaced by pieces of `alphabet`.
    pub(crate) fn mutate(&mut self, text: &str, alphabet: &[&str]) -> String {
        let mut chars: Vec<String> = text.chars().map(String::from).collect();
        for _ in 0..1 + self.below(2) {
            let at = self.below(chars.len() + 1);
            match self.below(3) {
                0 => chars.insert(at, (*self.pick(alphabet)).to_owned()),
                1 if at < chars.len() => drop(chars.remove(at)),
                2 if at < chars.len() => chars[at] = (*self.pick(alphabet)).to_owned(),
                _ => {}
            }
        }
        chars.concat()
    }

    /// Whole numbers of every size, the edges of `i64` among them.
    pub(crate) fn integer(&mut self) -> i64 {
        const EDGES: [i64; 9] = [0, 1, -1, i64::MAX, i64::MIN, 1024, -1024, 1000, 999];
        match self.below(6) {
            0 => *self.pick(&EDGES),
            1 => self.next_u64() as i64,
            2 => self.between(-1000, 1000),
            _ => {
                let shift = 1 + self.below(62);
                let n = (self.next_u64() >> shift) as i64;
                if self.chance(25) { -n } else { n }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn a_seed_an_area_and_an_index_make_a_case() {
        let first = |seed, area, index| Rng::new(seed, area, index).next_u64();
        assert_eq!(first(1, "a", 2), first(1, "a", 2));
        assert_ne!(first(1, "a", 2), first(2, "a", 2));
        assert_ne!(first(1, "a", 2), first(1, "b", 2));
        assert_ne!(first(1, "a", 2), first(1, "a", 3));
    }

    #[test]
    fn numbers_stay_in_bounds() {
        let mut rng = Rng::new(1, "", 0);
        for _ in 0..1000 {
            assert!(rng.below(3) < 3);
            assert!((-2..=2).contains(&rng.between(-2, 2)));
        }
        rng.between(i64::MIN, i64::MAX);
        assert_eq!(rng.below(0), 0);
    }
}
