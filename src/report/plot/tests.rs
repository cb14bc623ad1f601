//! The figures as a whole: what they say, that they are always the same, and
//! that no shape of experiment breaks them.

use super::{Caption, Figure, Heading, Layout, Width, figures, page_figures};
use crate::analysis::{Analysis, TrialResult};
use crate::domain::{Offload, Quant};
use crate::journal::record::Failure;
use crate::report::sample::{CAUSE, GRID, Shape, with_findings};

const NOTE: &str =
    "bundled demonstration models: built so that the effect can show; not evidence about full-size models";
const CAPTION: Caption<'_> = Caption { experiment: "cause", note: Some(NOTE), layout: Layout::NATURAL };
const MODELS: [&str; 6] =
    ["deepseek-tiny", "phi-moe-tiny", "gpt-oss-tiny", "qwen3-moe-tiny", "mixtral-tiny", "olmoe-tiny"];

fn shape<'a>() -> Shape<'a> {
    Shape {
        models: &MODELS[..1],
        chains: &CAUSE,
        quants: &[Quant::Source],
        offloads: &[Offload::All],
        temperatures: &GRID,
        prompts: 24,
        seeds: 8,
    }
}

fn small<'a>() -> Shape<'a> {
    Shape { prompts: 3, seeds: 2, temperatures: &[0.1, 0.9], chains: &["shimmy-1.7", "pure"], ..shape() }
}

fn with_losses(mut analysis: Analysis) -> Analysis {
    for (index, scored) in analysis.trials.iter_mut().enumerate() {
        scored.result = match index % 97 {
            3 => TrialResult::Missing,
            5 => TrialResult::Failed(Failure { reason: "the worker died".into(), attempts: 2 }),
            _ => continue,
        };
    }
    analysis
}

fn drawn(analysis: &Analysis) -> Vec<Figure> {
    figures(analysis, CAPTION).unwrap()
}

#[test]
fn figures_name_their_axes_and_say_what_they_show() {
    let figures = drawn(&with_losses(small().analysis()));
    for figure in &figures {
        let doc = resvg::usvg::roxmltree::Document::parse(&figure.svg).unwrap();
        let text: String =
            doc.descendants().filter_map(|node| node.text()).map(|t| t.trim().to_owned() + " ").collect();
        for expected in [
            "Sampling temperature T",
            "Repetition score",
            "shimmy-1.7",
            "3\u{a0}prompts",
            "1 missing",
            "Experiment: cause",
            "bundled demonstration",
        ] {
            assert!(text.contains(expected), "{}: no {expected:?} in {text}", figure.name);
        }
        assert!(figure.svg.contains("Liberation Sans, Arial, Helvetica, sans-serif"));
    }
    assert_eq!(
        figures.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
        ["score-by-temperature", "strip", "heatmap"]
    );
}

#[test]
fn findings_have_figures_of_their_own() {
    let figures = drawn(&with_findings(small().analysis()));
    let names: Vec<_> = figures.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(names, ["score-by-temperature", "strip", "heatmap", "onset", "attribution"]);
    let says = |name: &str, expected: &[&str]| {
        let figure = figures.iter().find(|figure| figure.name == name).unwrap();
        resvg::usvg::roxmltree::Document::parse(&figure.svg).unwrap();
        for part in expected {
            assert!(figure.svg.contains(part), "{name}: no {part:?}");
        }
        assert!(figure.png().is_ok());
    };
    says(
        "onset",
        &[
            "<title>Time to loop: at T 0.9 under pure, 50\u{a0}% of texts loop within 100 tokens. ",
            "Share of texts not yet looping",
            "Tokens generated",
            "T = 0.9",
            "shimmy-1.7",
            "demonstration",
        ],
    );
    says(
        "attribution",
        &[
            "<title>What explains the variation: the chain explains most. ",
            "chain × temperature",
            "40.0 [36.0, 44.0]",
            "1 prompts that lack a cell",
            "demonstration",
        ],
    );
}

#[test]
fn each_facet_has_its_times_to_loop() {
    let shape = Shape { models: &MODELS[..2], ..small() };
    let figures = drawn(&with_findings(shape.analysis()));
    let onset = figures.iter().filter(|figure| figure.name.starts_with("onset"));
    let subjects: Vec<_> = onset.map(|figure| (figure.name.as_str(), figure.subject.as_deref())).collect();
    assert_eq!(subjects, [("onset", Some("deepseek-tiny")), ("onset-2", Some("phi-moe-tiny"))]);
}

#[test]
fn a_figure_of_a_given_width_is_that_wide_and_its_text_is_of_6_to_8_pt() {
    let shape = Shape { models: &MODELS, chains: &CAUSE[..3], prompts: 3, seeds: 2, ..shape() };
    let analysis = with_findings(shape.analysis());
    for mm in [85.0, 180.0] {
        let layout = Layout { width: Width::Millimetres(mm), heading: Heading::LeftOut };
        for figure in figures(&analysis, Caption { layout, ..CAPTION }).unwrap() {
            let doc = resvg::usvg::roxmltree::Document::parse(&figure.svg).unwrap();
            let root = doc.root_element();
            assert_eq!(root.attribute("width"), Some(&*format!("{mm}mm")), "{}", figure.name);
            let across: f64 = root.attribute("viewBox").unwrap().split(' ').nth(2).unwrap().parse().unwrap();
            let pt = mm / 25.4 * 72.0 / across;
            let texts: Vec<_> = doc.descendants().filter(|node| node.has_tag_name("text")).collect();
            for text in &texts {
                let size = text.attribute("font-size").unwrap().trim_end_matches("px").parse::<f64>().unwrap() * pt;
                assert!((6.0..8.0).contains(&size), "{}: {:?} is of {size} pt", figure.name, text.text());
                let said = text.text().unwrap_or_default();
                assert!(!said.contains("Experiment:") && !said.contains("demonstration"), "{}: {said}", figure.name);
            }
            assert!(texts.len() > 5, "{}", figure.name);
        }
    }
}

#[test]
fn the_page_has_its_figures_twice_and_no_note_in_them() {
    let shown = page_figures(&with_findings(small().analysis()), "cause").unwrap();
    let names: Vec<_> = shown.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(names, ["score-by-temperature", "onset", "attribution"]);
    for figure in shown {
        assert!(figure.narrow.contains("width=\"85mm\"") && !figure.wide.contains("mm\""), "{}", figure.name);
        assert!(!(figure.wide + &figure.narrow).contains("demonstration"), "{}", figure.name);
    }
}

#[test]
fn the_same_analysis_gives_the_same_bytes() {
    let analysis = small().analysis();
    let (first, second) = (drawn(&analysis), drawn(&analysis));
    assert_eq!(first, second);
    assert_eq!(first[0].png().unwrap(), second[0].png().unwrap());
}

#[test]
fn a_png_is_its_svg_at_twice_the_size() {
    let figure = &drawn(&small().analysis())[0];
    let doc = resvg::usvg::roxmltree::Document::parse(&figure.svg).unwrap();
    let pixels = |name| doc.root_element().attribute(name).unwrap().parse::<u32>().unwrap() * 2;
    let png = figure.png().unwrap();
    let reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    assert_eq!((reader.info().width, reader.info().height), (pixels("width"), pixels("height")));
    assert_eq!(reader.info().pixel_dims.unwrap().xppu, 7559);
}

#[test]
fn text_from_files_is_escaped() {
    let shape = Shape { models: &["<script>alert(1)</script>&\u{1b}[31m"], ..small() };
    for figure in drawn(&shape.analysis()) {
        resvg::usvg::roxmltree::Document::parse(&figure.svg).unwrap();
        assert!(!figure.svg.contains("<script>") && !figure.svg.contains('\u{1b}'));
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "draws dozens of figures: for optimised builds")]
fn every_shape_of_experiment_has_its_picture() {
    for (name, analysis) in shapes() {
        for figure in drawn(&analysis) {
            resvg::usvg::roxmltree::Document::parse(&figure.svg)
                .unwrap_or_else(|error| panic!("{name}: {}: {error}", figure.name));
        }
    }
    let empty = drawn(&Analysis::default());
    assert!(empty.iter().all(|figure| figure.svg.contains("no scored trials")));
}

fn shapes() -> Vec<(&'static str, Analysis)> {
    let nine = ["a", "b", "c", "a-chain-with-a-rather-long-name-that-goes-on", "e", "f", "g", "h", "i"];
    let offloads = [Offload::None, Offload::Layers(2), Offload::All];
    let quants = [Quant::Source, Quant::Q8_0, Quant::Q4_K_M, Quant::Q2_K];
    let finding = Shape { chains: &CAUSE[..1], models: &MODELS[..3], ..shape() };
    let lost = |mut analysis: Analysis| {
        analysis.trials.iter_mut().for_each(|scored| scored.result = TrialResult::Missing);
        analysis.cells.iter_mut().for_each(|summary| (summary.n, summary.estimate) = (0, None));
        analysis
    };
    vec![
        ("finding", finding.analysis()),
        ("finding-one-model", Shape { chains: &CAUSE[..1], ..shape() }.analysis()),
        ("cause", shape().analysis()),
        ("cause-with-losses", with_losses(shape().analysis())),
        ("six-models", Shape { models: &MODELS, ..shape() }.analysis()),
        ("offloads", Shape { models: &MODELS[..2], offloads: &offloads, chains: &CAUSE[..3], ..shape() }.analysis()),
        ("quants", Shape { models: &MODELS[..4], quants: &quants, chains: &CAUSE[..2], ..shape() }.analysis()),
        ("one-temperature", Shape { temperatures: &[0.9], ..shape() }.analysis()),
        ("nine-chains", Shape { chains: &nine, temperatures: &[0.1, 0.15, 0.2, 1.5], ..shape() }.analysis()),
        ("one-prompt", Shape { prompts: 1, seeds: 1, ..small() }.analysis()),
        ("nothing-scored", lost(small().analysis())),
        ("nothing-planned", Analysis::default()),
    ]
}
