//! Makes the heat map, temperature × chain, as tables: a screen reader's and everyone's. `plots/heatmap` is the same as
//! a picture.

use maud::{Markup, html};

use super::words;
use crate::analysis::{Analysis, CellSummary};
use crate::domain::Temperature;
use crate::metrics::Metric;
use crate::report::levels::{Arm, Facet, Levels};
use crate::report::plot::palette::heat_step;

const METRIC: Metric = Metric::RepetitionScore;

/// A table for each facet; where there are several, the script offers a choice.
pub fn tables(analysis: &Analysis) -> Markup {
    let levels = Levels::of(analysis);
    html! {
        div data-chooser="Model and settings" {
            @for facet in &levels.facets {
                @let title = facet.title(&levels.facets);
                div data-choice=(title) {
                    div.scroll tabindex="0" role="region" aria-label={ "Heat map of " (title) } {
                        (table(analysis, &levels, *facet, &title))
                    }
                }
            }
        }
    }
}

fn table(analysis: &Analysis, levels: &Levels<'_>, facet: Facet<'_>, title: &str) -> Markup {
    let arms: Vec<_> = Arm::all(analysis).into_iter().filter(|arm| arm.facet == facet).collect();
    html! {
        table.heat {
            caption { (title) ": mean repetition score, its interval, and n, the number of trials" }
            thead {
                tr {
                    th scope="col" { "chain" }
                    @for temperature in &levels.temperatures { th scope="col" { "T = " (temperature) } }
                }
            }
            tbody {
                @for arm in arms {
                    tr {
                        th scope="row" { (arm.chain) }
                        @for &temperature in &levels.temperatures { (cell(summary(analysis, arm, temperature))) }
                    }
                }
            }
        }
    }
}

fn summary<'a>(analysis: &'a Analysis, arm: Arm<'_>, temperature: Temperature) -> Option<&'a CellSummary> {
    let here = |summary: &&CellSummary| {
        summary.metric == METRIC && summary.cell.temperature() == temperature && Arm::of(&summary.cell) == arm
    };
    analysis.cells.iter().find(here)
}

fn cell(summary: Option<&CellSummary>) -> Markup {
    let Some(summary) = summary else {
        return html! { td title="not in the plan" { (words::MISSING) } };
    };
    let Some(estimate) = summary.estimate else {
        return html! { td title="no trial of this cell has a score" { (words::MISSING) " " small { "n 0" } } };
    };
    let title = format!("{}, n = {}", words::mean(estimate), summary.n);
    html! {
        td.{ "heat-" (heat_step(estimate.mean)) } title=(title) {
            b { (words::number(estimate.mean)) }
            small {
                @match estimate.interval {
                    Some(interval) => { (words::number(interval.low)) "–" (words::number(interval.high)) }
                    None => "no interval",
                }
                br; "n " (summary.n)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_cell_says_its_mean_interval_and_n() {
        let html = tables(&sample::tiny()).into_string().replace("<tr>", "\n<tr>").replace("<td", "\n<td");
        insta::assert_snapshot!(html);
    }
}
