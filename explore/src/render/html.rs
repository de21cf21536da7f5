//! One self-contained page: the table of scenarios, the outcomes of each, and the
//! ordering of each outcome as a sequence diagram. No script; nothing is loaded from
//! elsewhere; light or dark as the reader's system is.

use super::layout::{number, plural, seconds};
use super::svg;
use super::text::{again, Detail};
use crate::log::Answer;
use crate::report::{Grade, Report, SeenOutcome, Violation, Witness};
use maud::{html, Markup, PreEscaped, DOCTYPE};

const STYLE: &str = "\
:root{color-scheme:light dark;--text:#1b1f24;--back:#fff;--soft:#57606a;--line:#d0d7de;\
--panel:#f6f8fa;--good:#116329;--bad:#b3151d;--open:#7d4e00;--accent:#0550ae;--call:#b6d4fb}\
@media(prefers-color-scheme:dark){:root{--text:#e6edf3;--back:#0d1117;--soft:#9da7b1;\
--line:#30363d;--panel:#161b22;--good:#56d364;--bad:#ff7b72;--open:#e3b341;--accent:#79b8ff;\
--call:#1f4b82}}\
*{box-sizing:border-box}body{margin:0 auto;max-width:75rem;padding:1rem 1.5rem 4rem;\
font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back)}\
h1{font-size:1.5rem}h2{font-size:1.2rem;margin:3rem 0 .3rem;border-top:1px solid var(--line);\
padding-top:1.2rem}h3{font-size:1rem;margin:1.2rem 0 .2rem}p{margin:.3rem 0}\
code,pre,td.answers{font-family:ui-monospace,monospace;font-size:.875rem}\
.scroll{overflow-x:auto}table{border-collapse:collapse;margin:.8rem 0;width:100%}\
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}\
tr:has(+.drawn) td{border-bottom:0}.drawn td{padding-top:0;width:100%}\
.drawn .box{width:0;min-width:100%}th{font-weight:600;white-space:nowrap}tbody th{white-space:normal;min-width:9rem}.n{text-align:right;font-variant-numeric:tabular-nums;\
white-space:nowrap}.soft{color:var(--soft)}.good{color:var(--good);font-weight:600}\
.bad{color:var(--bad);font-weight:600}.open{color:var(--open);font-weight:600}\
a{color:var(--accent)}summary{cursor:pointer;color:var(--accent)}\
summary:focus-visible,a:focus-visible,.scroll:focus-visible{outline:2px solid var(--accent);\
outline-offset:2px}.box{background:var(--panel);border:1px solid var(--line);border-radius:6px;\
padding:.7rem;margin:.5rem 0}pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0 0}\
svg{display:block;font:12px ui-monospace,monospace}svg text{fill:var(--text);\
paint-order:stroke;stroke:var(--panel);stroke-width:4px;stroke-linejoin:round}\
svg .head{font-weight:700;font-size:13px}svg .note{font-weight:600}\
svg .switch{fill:var(--accent);font-style:italic}svg .place,svg text.object{fill:var(--soft)}\
svg .lane{stroke:var(--soft);stroke-width:1}svg .lane.object{stroke-dasharray:3 4}\
svg .call{fill:var(--call);stroke:var(--accent);stroke-width:1}\
svg .arrow{stroke:var(--accent);stroke-width:1}svg .tip{fill:var(--accent)}\
@media(max-width:40rem){body{padding:.5rem .7rem 3rem}.outcomes,.outcomes tbody,.outcomes tr{\
display:block}.outcomes thead{display:none}.outcomes td{display:inline-block;border:0;\
padding:.1rem .8rem .1rem 0}.outcomes td.wide{display:block}\
.outcomes tr:not(:has(+.drawn)){border-bottom:1px solid var(--line);padding:.4rem 0}\
.outcomes td[data-unit]::after{content:attr(data-unit)}}\
@media print{details{display:block}}";

/// The page.
pub fn html(reports: &[Report], detail: Detail) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "What happens when these calls race" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "What happens when these calls race" }
                    (table(reports))
                    @for (index, report) in reports.iter().enumerate() {
                        (scenario(index, report, detail))
                    }
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn verdict(report: &Report) -> Markup {
    let class = match report.exit_status() {
        0 => "good",
        3 => "open",
        _ => "bad",
    };
    html! { span class=(class) { (report.verdict_line()) } }
}

fn table(reports: &[Report]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="scenarios" {
            table {
                thead {
                    tr {
                        th scope="col" { "scenario" }
                        th scope="col" { "verdict" }
                        @for heading in ["threads", "orderings", "executions", "seconds", "per second"] {
                            th scope="col" class="n" { (heading) }
                        }
                        th scope="col" { "engine" }
                        th scope="col" { "system" }
                    }
                }
                tbody {
                    @for (index, report) in reports.iter().enumerate() {
                        tr {
                            th scope="row" { a href={ "#s" (index + 1) } { (report.name) (report.on()) } }
                            td { (verdict(report)) }
                            td class="n" { (report.threads) }
                            td class="n" { (report.orderings.map_or("-".into(), number)) }
                            td class="n" { (number(report.executions)) }
                            td class="n" { (seconds(report.elapsed)) }
                            td class="n" { (number(report.rate())) }
                            td { (report.engine) }
                            td { (report.system) }
                        }
                    }
                }
            }
        }
    }
}

fn scenario(index: usize, report: &Report, detail: Detail) -> Markup {
    html! {
        section aria-labelledby={ "s" (index + 1) } {
            h2 id={ "s" (index + 1) } { (report.name) }
            @if report.name != report.scenario { p { code { (report.scenario) } } }
            @if !report.meaning.is_empty() { p { (report.meaning) } }
            p class="soft" {
                (report.system) ", " (report.engine) ", " (plural(report.threads as u64, "thread")) ", "
                (report.size()) ", " (seconds(report.elapsed)) " s"
            }
            p { (verdict(report)) }
            @for violation in &report.violations { (broken(report, violation, detail.show.or(report.show).is_none())) }
            (demands(report))
            @if !report.outcomes.is_empty() { (outcomes(report, detail)) }
        }
    }
}

fn broken(report: &Report, violation: &Violation, open: bool) -> Markup {
    let class = if violation.expected { "good" } else { "bad" };
    html! {
        h3 class=(class) {
            "violated: " (violation.invariant) ", in " (number(violation.orderings)) " of "
            (plural(report.all(), report.counted()))
            @if violation.expected { ", as expected" }
        }
        p { (violation.detail) }
        (ordering(report, &format!("violated: {}", violation.invariant), &violation.witness, open))
    }
}

fn demands(report: &Report) -> Markup {
    html! {
        @for (what, list) in [
            ("required and not seen", &report.missing),
            ("forbidden and seen", &report.forbidden),
            ("never did anything", &report.idle_calls),
            ("hint", &report.hints),
        ] {
            @for text in list { p { span class="bad" { (what) ": " } code { (text) } } }
        }
        @for name in report.unseen_violations() {
            p { span class="bad" { "expected and not found: " } "a violation of " (name) }
        }
    }
}

fn outcomes(report: &Report, detail: Detail) -> Markup {
    let constant = report.constant();
    html! {
        div class="scroll" tabindex="0" role="region" aria-label={ "outcomes of " (report.name) } {
            table class="outcomes" {
                thead {
                    tr {
                        th scope="col" class="n" { "#" }
                        th scope="col" class="n" { (report.counted()) "s" }
                        th scope="col" class="n" { "%" }
                        th scope="col" { "grade" }
                        th scope="col" { "outcome" }
                    }
                }
                tbody {
                    @for (index, row) in report.outcomes.iter().enumerate() {
                        (outcome(report, &constant, index, row, detail))
                    }
                }
            }
        }
        @if let Some(said) = report.without_outcome() { p class="bad" { (said) } }
        @if !constant.is_empty() {
            p class="soft" { "In every outcome: " code { (said(&constant).join("; ")) } }
        }
    }
}

fn said(answers: &[&Answer]) -> Vec<String> {
    answers.iter().map(|answer| format!("{}: {}", answer.call, answer.answer)).collect()
}

fn outcome(
    report: &Report,
    constant: &[&Answer],
    index: usize,
    row: &SeenOutcome,
    detail: Detail,
) -> Markup {
    let class = match row.grade {
        Grade::Required => "good",
        Grade::Allowed if row.violating == 0 => "soft",
        Grade::Allowed | Grade::Forbidden => "bad",
    };
    let title = format!("an ordering that leads to outcome {}", index + 1);
    html! {
        tr {
            td class="n" { (index + 1) }
            td class="n" data-unit={ " " (report.counted()) "s" } { (number(row.orderings)) }
            td class="n" data-unit="%" { (format!("{:.2}", row.percent)) }
            td { span class=(class) { (row.mark()) } }
            td class="wide" {
                @for line in said(&row.varying(constant)) { div { code { (line) } } }
                @if let Some((needs, _)) = report.needs(row) { div class="soft" { (needs) } }
                @if let Some(meaning) = &row.meaning { div class="soft" { (meaning) } }
            }
        }
        @let example = row.example.show().witness;
        @if example.is_known() {
            tr class="drawn" {
                td class="wide" colspan="5" {
                    (ordering(report, &title, &example, detail.show.or(report.show) == Some(index + 1)))
                }
            }
        }
    }
}

fn ordering(report: &Report, title: &str, ordering: &Witness, open: bool) -> Markup {
    html! {
        @if ordering.is_known() {
            details open[open] {
                summary { (title) }
                div class="box" {
                    div class="scroll" tabindex="0" role="region" aria-label=(title) {
                        (svg::diagram(&format!("{}: {title}", report.name), ordering))
                    }
                    @if !ordering.replay.is_empty() {
                        pre { (again(report, &ordering.replay)) }
                    }
                }
            }
        }
    }
}
