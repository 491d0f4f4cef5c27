//! Counts latencies in buckets whose width grows with their value: every figure is right to within 1.6 %.

const SUB_BITS: u32 = 6;
const SUB: usize = 1 << SUB_BITS;

pub struct Histogram {
    counts: Vec<u64>,
    pub count: u64,
    pub max_ns: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; SUB * 60], count: 0, max_ns: 0 }
    }
}

impl Histogram {
    pub fn record(&mut self, ns: u64) {
        self.counts[bucket_of(ns)] += 1;
        self.count += 1;
        self.max_ns = self.max_ns.max(ns);
    }

    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, count)| *sum += count);
        self.count += other.count;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// The upper edge of the bucket in which this share of the values is reached; 0 of none.
    pub fn percentile_ns(&self, share: f64) -> u64 {
        let wanted = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, &count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper_edge(bucket).min(self.max_ns);
            }
        }
        0
    }
}

fn bucket_of(ns: u64) -> usize {
    let magnitude = (64 - ns.leading_zeros()).saturating_sub(SUB_BITS + 1);
    magnitude as usize * SUB + (ns >> magnitude) as usize
}

fn upper_edge(bucket: usize) -> u64 {
    if bucket < 2 * SUB {
        return bucket as u64;
    }
    let magnitude = bucket / SUB - 1;
    (((bucket - magnitude * SUB + 1) as u64) << magnitude) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_within_its_bucket_and_the_next_bucket_begins_behind_it() {
        for ns in (0..200).chain((0..50).map(|shift| (1_u64 << shift) + 3)) {
            let edge = upper_edge(bucket_of(ns));
            assert!(edge >= ns, "{ns} in a bucket up to {edge}");
            assert!(edge - ns <= ns / 60, "{ns} in a bucket up to {edge}");
            assert_eq!(bucket_of(edge) + 1, bucket_of(edge + 1));
        }
    }

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let mut histogram = Histogram::default();
        (1..=1000).for_each(|n| histogram.record(n * 1000));
        let near =
            |share, expected: f64| (histogram.percentile_ns(share) as f64 / expected - 1.0).abs() < 0.02;
        assert!(near(0.5, 500e3) && near(0.99, 990e3));
        assert_eq!(histogram.percentile_ns(1.0), 1_000_000);
        assert_eq!(Histogram::default().percentile_ns(0.5), 0);
    }
}
