//! How long things took, as a histogram says it: between two readings, of several nodes together, and which time most of
//! them stayed below.

/// How many took at most how long.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Histogram {
    /// Bounds in seconds, rising, and how many are within each; the last bound is infinite.
    buckets: Vec<(f64, f64)>,
}

/// A time that was worked out of a histogram, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Quantile {
    /// About so long.
    About(f64),
    /// Longer than the histogram can tell.
    Above(f64),
}

impl Histogram {
    /// So many more are within `bound`.
    pub(super) fn add(&mut self, bound: f64, count: f64) {
        match self.buckets.binary_search_by(|(known, _)| known.total_cmp(&bound)) {
            Ok(at) => self.buckets[at].1 += count,
            Err(at) => self.buckets.insert(at, (bound, count)),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> f64 {
        self.buckets.last().map_or(0.0, |(_, count)| *count)
    }

    /// Those that came after `before`. After a restart these are all.
    pub(super) fn since(&self, before: &Self) -> Self {
        if self.count() < before.count() {
            return self.clone();
        }
        let earlier = |bound: f64| before.buckets.iter().find(|(known, _)| known.total_cmp(&bound).is_eq());
        let since = |(bound, count): &(f64, f64)| (*bound, (count - earlier(*bound).map_or(0.0, |(_, n)| *n)).max(0.0));
        Self { buckets: self.buckets.iter().map(since).collect() }
    }

    /// These and those.
    pub(super) fn plus(mut self, other: &Self) -> Self {
        for (bound, count) in &other.buckets {
            self.add(*bound, *count);
        }
        self
    }

    /// The time that this part of them (0.99) stayed below; `None` if there are none.
    pub(super) fn quantile(&self, part: f64) -> Option<Quantile> {
        let rank = self.count() * part;
        if rank <= 0.0 {
            return None;
        }
        let (mut from, mut below) = (0.0, 0.0);
        for (bound, count) in &self.buckets {
            if *count >= rank {
                if bound.is_infinite() {
                    return Some(Quantile::Above(from));
                }
                // Within a bucket they count as evenly spread.
                return Some(Quantile::About(from + (bound - from) * (rank - below) / (count - below)));
            }
            (from, below) = (*bound, *count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(buckets: &[(f64, f64)]) -> Histogram {
        let mut histogram = Histogram::default();
        for (bound, count) in buckets {
            histogram.add(*bound, *count);
        }
        histogram
    }

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let one = histogram(&[(f64::INFINITY, 100.0), (0.1, 50.0), (0.2, 90.0)]);
        assert_eq!(one.quantile(0.5), Some(Quantile::About(0.1)));
        assert_eq!(one.quantile(0.25), Some(Quantile::About(0.05)));
        assert_eq!(one.quantile(0.7), Some(Quantile::About(0.150_000_000_000_000_02)));
        assert_eq!(one.quantile(0.99), Some(Quantile::Above(0.2)));
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(histogram(&[(0.1, 0.0), (f64::INFINITY, 0.0)]).quantile(0.5), None);
    }

    #[test]
    fn only_what_came_since_counts_and_a_restart_begins_anew() {
        let (before, after) = (histogram(&[(0.1, 10.0), (f64::INFINITY, 10.0)]), [(0.1, 10.0), (f64::INFINITY, 30.0)]);
        let since = histogram(&after).since(&before);
        assert_eq!((since.count(), since.quantile(0.5)), (20.0, Some(Quantile::Above(0.1))));
        let fresh = histogram(&[(0.1, 2.0), (f64::INFINITY, 2.0)]);
        assert_eq!(fresh.since(&before), fresh);
    }

    #[test]
    fn nodes_are_added_up() {
        let both = histogram(&[(0.1, 1.0), (f64::INFINITY, 1.0)]).plus(&histogram(&[(0.1, 0.0), (f64::INFINITY, 1.0)]));
        assert_eq!(both, histogram(&[(0.1, 1.0), (f64::INFINITY, 2.0)]));
    }
}
