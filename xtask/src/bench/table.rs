//! Tables for a terminal, and numbers in them.

/// A table whose first column is text and whose others are right-aligned.
pub(super) struct Table(Vec<Vec<String>>);

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Table(vec![head.iter().map(|s| (*s).to_owned()).collect()])
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.0.push(cells);
    }

    /// As Markdown, aligned.
    pub(super) fn print(&self) {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| {
            let cells = self.0.iter().filter_map(|r| r.get(c));
            cells.map(|s| s.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (i, row) in self.0.iter().enumerate() {
            let mut line = String::from("|");
            for (c, w) in widths.iter().enumerate() {
                let cell = row.get(c).map_or("", String::as_str);
                let cell = if c == 0 { format!("{cell:<w$}") } else { format!("{cell:>w$}") };
                line += &format!(" {cell} |");
            }
            println!("{line}");
            if i == 0 {
                let dashes = widths.iter().enumerate().map(|(c, w)| {
                    let end = if c == 0 { "-" } else { ":" };
                    format!("{}{end}|", "-".repeat(w + 1))
                });
                println!("|{}", dashes.collect::<String>());
            }
        }
    }
}

/// `value` against `base`, as `4.1x`; empty when it cannot be said.
pub(super) fn ratio(value: f64, base: f64) -> String {
    if base > 0.0 && value > 0.0 { format!("{:.1}x", value / base) } else { String::new() }
}

/// One goal: what was wanted, what it is, whether it holds.
pub(super) fn goal(what: &str, limit: f64, value: f64, unit: &str) {
    let mark = if value <= limit { "holds" } else { "MISSED" };
    let off = if value <= limit {
        String::new()
    } else {
        format!(", {:.0} % over", (value / limit - 1.0) * 100.0)
    };
    println!("  {mark:<6}  {what}: {value:.3} of at most {limit:.3} {unit}{off}");
}
