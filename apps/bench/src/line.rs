//! A straight line through what was measured again and again: how fast it grows.

/// The slope of the line that fits these points best; zero where they say nothing of one.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    let (mut count, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
    for (x, y) in points {
        count += 1.0;
        x_sum += x;
        y_sum += y;
    }
    let (mut spread, mut together) = (0.0, 0.0);
    for (x, y) in points {
        let aside = x - x_sum / count;
        spread += aside * aside;
        together += aside * (y - y_sum / count);
    }
    if spread > 0.0 { together / spread } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::slope;

    #[test]
    fn a_line_has_its_slope_and_noise_has_none() {
        let near = |points: &[(f64, f64)], wanted: f64| (slope(points) - wanted).abs() < 1e-9;
        assert!(near(&[(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)], 2.0));
        assert!(near(&[(0.0, 5.0), (1.0, 6.0), (2.0, 6.0), (3.0, 5.0)], 0.0));
        assert!(near(&[], 0.0) && near(&[(1.0, 1.0)], 0.0));
    }
}
