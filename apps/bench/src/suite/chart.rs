//! The chart of the report: for each measurement how much more Parlance does than the baseline, as bars. Plain SVG with
//! colours that can be read on light and dark pages.

use std::fmt::Write;

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    /// What was measured.
    pub(super) label: String,
    /// Parlance's figure, and the baseline's, with their unit.
    pub(super) note: String,
    /// How many times the baseline.
    pub(super) ratio: f64,
}

const ROW: f64 = 46.0;
const LEFT: f64 = 190.0;
const WIDTH: f64 = 860.0;
const TOP: f64 = 44.0;
/// The room for bars: notes stand beside them.
const BARS: f64 = WIDTH - LEFT - 300.0;

/// Draws the chart.
pub(super) fn draw(title: &str, bars: &[Bar]) -> String {
    let longest = bars.iter().map(|bar| bar.ratio).fold(1.0, f64::max);
    let height = TOP + ROW * f64::from(u32::try_from(bars.len()).unwrap_or(u32::MAX)) + 10.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"13\" fill=\"#888\" role=\"img\">\n<title>{title}</title>\n\
         <text x=\"10\" y=\"22\" font-size=\"15\">{title}</text>\n"
    );
    let mut top = TOP;
    for Bar { label, note, ratio } in bars {
        let (long, unit) = (BARS * ratio / longest, BARS / longest);
        let (middle, lower) = (top + 15.0, top + 22.0);
        // Writing to a text does not fail.
        let _ = write!(
            svg,
            "<text x=\"{x}\" y=\"{middle:.0}\" text-anchor=\"end\">{label}</text>\n\
             <rect x=\"{LEFT}\" y=\"{top:.0}\" width=\"{long:.1}\" height=\"20\" fill=\"#2f81f7\"/>\n\
             <rect x=\"{LEFT}\" y=\"{lower:.0}\" width=\"{unit:.1}\" height=\"8\" fill=\"#a0a0a0\"/>\n\
             <text x=\"{after:.0}\" y=\"{middle:.0}\"><tspan font-weight=\"bold\">{ratio:.1}×</tspan> {note}</text>\n",
            x = LEFT - 10.0,
            after = LEFT + long.max(unit) + 8.0,
        );
        top += ROW;
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_ratio() {
        let bar = |ratio| Bar { label: "pairs".to_owned(), note: "a against b".to_owned(), ratio };
        let svg = draw("t", &[bar(8.0), bar(2.0)]);
        assert!(svg.contains("width=\"370.0\" height=\"20\"") && svg.contains("width=\"92.5\" height=\"20\""), "{svg}");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }
}
