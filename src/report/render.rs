//! Explanations and lists as text.

use super::explanation::Explanation;
use super::listing::ReportedLine;

/// The topics of steps, in the order in which people ask about them.
const TOPICS: [&str; 6] = ["zone", "name", "object", "outcome", "ttl", "stale"];

/// An explanation as text: the verdict, the steps by topic, the records as dig shows them, the defects.
pub fn text(found: &Explanation) -> String {
    let mut text = format!("{}\n", found.verdict);
    let mut gap = "\n";
    for topic in TOPICS {
        let mut label = topic;
        for step in found.steps.iter().filter(|step| step.topic == topic) {
            text.push_str(&format!("{gap}{label:<9}{}\n", step.text));
            (gap, label) = ("", "");
        }
    }
    for section in ["answer", "authority", "additional"] {
        let records: Vec<[String; 4]> = found
            .records
            .iter()
            .filter(|record| record.section == section)
            .map(|record| {
                [
                    record.name.clone(),
                    record.ttl.to_string(),
                    format!("IN {}", record.kind),
                    record.data.clone(),
                ]
            })
            .collect();
        if !records.is_empty() {
            text.push_str(&format!("\n;; {section}\n{}", table(&records)));
        }
    }
    if !found.defects.is_empty() {
        text.push_str("\ndefects\n");
        for defect in &found.defects {
            text.push_str(&format!("  {defect}\n"));
        }
    }
    text
}

/// A list of records as a table without head: name, TTL, type, data, class, what gave the TTL, object.
pub fn listing_text(lines: &[ReportedLine]) -> String {
    let rows: Vec<[String; 7]> = lines
        .iter()
        .map(|line| {
            [
                line.name.clone(),
                line.ttl.to_string(),
                line.kind.clone(),
                line.data.clone(),
                line.class.clone(),
                line.ttl_source.clone(),
                line.object.clone(),
            ]
        })
        .collect();
    table(&rows)
}

/// Rows with their columns aligned, two blanks between them.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
