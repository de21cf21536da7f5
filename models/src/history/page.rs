//! The page: its fixed begin and end are files beside this one, and the results
//! of the exploration are written between them.

use super::case::Case;
use super::matrix::Matrix;
use super::LIMIT;
use crate::systems::kv_engine::era::{ERAS, VARIANTS};
use crate::systems::kv_engine::rules::RULES;
use crate::systems::kv_engine::tickets::{FINDINGS, NOT_EXPRESSED, TICKETS};
use orderings::render::columns::columns;
use orderings::render::layout::plural;
use orderings::render::markdown::cell;
use orderings::render::mermaid::diagram;
use orderings::render::text::again;
use std::fmt::Write;

/// The width of a witness: the page is no terminal.
const WIDTH: usize = 100;

/// The whole page.
pub(super) fn page(matrix: &Matrix, cases: &[Case]) -> String {
    let mut out = include_str!("begin.md").to_owned();
    eras(&mut out);
    the_matrix(&mut out, matrix);
    let found = cases.iter().filter(|case| !case.ticket);
    let _ = writeln!(out, "\n## What the explorer found and no ticket lists\n");
    let newest = FINDINGS.iter().filter(|finding| finding.until.is_none()).count();
    let _ = writeln!(
        out,
        "{} that the protocol as described allows, {newest} of them in the newest era. \
         They are statements about the model, see [the doubts](#doubts-about-fidelity); whether \
         the code has them, only its owners can say.",
        plural(FINDINGS.len() as u64, "ordering")
    );
    let _ = writeln!(out, "\n| finding | violates | where |\n|---|---|---|");
    for case in found.clone() {
        let _ = writeln!(out, "| {} | {} | {} |", case.name, case.breaks, case.facts[0]);
    }
    found.for_each(|found| case(&mut out, found));
    let _ = writeln!(out, "\n## The tickets\n");
    let _ = writeln!(
        out,
        "{} entries, oldest first, each on the protocol from before its repair and on the one \
         with it, in the same scenario.",
        TICKETS.len()
    );
    let tickets = cases.iter().filter(|case| case.ticket);
    let _ = writeln!(out, "\n| ticket | violates | before | after |\n|---|---|---|---|");
    for case in tickets.clone() {
        let (name, facts) = (case.name, &case.facts);
        let _ = writeln!(out, "| {name} | {} | {} | {} |", case.breaks, facts[0], facts[1]);
    }
    tickets.for_each(|ticket| case(&mut out, ticket));
    let _ = writeln!(out, "\n## What cannot be expressed\n");
    for (name, why) in NOT_EXPRESSED {
        let _ = writeln!(out, "- **{name}**: {}.", cell(why));
    }
    rules(&mut out);
    out.push_str(include_str!("end.md"));
    out
}

fn eras(out: &mut String) {
    let _ =
        writeln!(out, "\n## The eras\n\nEach is the protocol from its commit up to the next.\n");
    let _ = writeln!(out, "| era | what it changed |\n|---|---|");
    for (_, name, meaning) in ERAS {
        let _ = writeln!(out, "| `{name}` | {} |", cell(meaning));
    }
    let _ = writeln!(
        out,
        "\nSome tickets lie between two of these, or before the first. Each of those is an era \
         with one switch, a variant:\n\n| variant | of the era | what differs |\n|---|---|---|"
    );
    for (_, era, name, meaning) in VARIANTS {
        let _ = writeln!(out, "| `+{name}` | `{}` | {} |", ERAS[*era as usize].1, cell(meaning));
    }
}

fn the_matrix(out: &mut String, matrix: &Matrix) {
    let _ = writeln!(
        out,
        "\n## The matrix\n\n{} of {}, on {}, on the core and on the variants. A cell is the \
         number of orderings, all of them explored, and the letters of what some of them violate; \
         no letter: all is well in every ordering.",
        plural(matrix.all(), "ordering"),
        plural(matrix.rows.len() as u64, "scenario"),
        plural(ERAS.len() as u64, "era")
    );
    let open = matrix.wrong();
    if open.is_empty() {
        let _ = writeln!(
            out,
            "Every cell is complete (the limit is {}, and none comes near), and the core violates \
             nothing.",
            plural(LIMIT, "execution")
        );
    }
    for wrong in &open {
        let _ = writeln!(out, "\n**{}**", cell(wrong));
    }
    let _ = writeln!(out, "\n| letter | violates | in words |\n|---|---|---|");
    for (letter, invariant, meaning) in matrix.used() {
        let _ = writeln!(out, "| **{letter}** | {invariant} | {} |", cell(meaning));
    }
    let _ = writeln!(
        out,
        "\nA scenario is named after the ticket that it was written for, but a letter in its row \
         need not be that ticket: an older era often breaks the same scenario in another way.\n"
    );
    out.push_str(&matrix.markdown());
    let _ = writeln!(
        out,
        "\nWhat each scenario is:\n\n| scenario | its calls | the question |\n|---|---|---|"
    );
    for row in &matrix.rows {
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} |",
            row.name,
            row.scenario.replace('|', "\\|"),
            cell(&row.meaning)
        );
    }
}

fn case(out: &mut String, case: &Case) {
    let ledger = if case.ticket { "" } else { " (not in the ledger of tickets)" };
    let _ = writeln!(out, "\n### {}{ledger}\n\n{}\n", case.name, cell(case.story));
    let _ = writeln!(out, "- scenario `{}`: `{}`", case.scenario, case.shown.scenario);
    let _ = writeln!(out, "- violates **{}**: {}", case.breaks, case.breaks.meaning());
    for fact in &case.facts {
        let _ = writeln!(out, "- {fact}");
    }
    let prevented = RULES.iter().filter(|rule| {
        let names = if case.ticket { rule.tickets } else { rule.findings };
        names.contains(&case.name)
    });
    let prevented: Vec<&str> = prevented.map(|rule| rule.name).collect();
    let _ = writeln!(out, "- in the core: {}", prevented.join("; "));
    if !case.witness.is_known() {
        let _ = writeln!(out, "\n**There is no witness.**");
        return;
    }
    let steps = case.witness.steps.iter().filter(|step| !step.operation.is_empty()).count();
    let _ = writeln!(
        out,
        "\nThe end of it, on `{}`: {}.\n\n<details><summary>The witness, {}, as a table\
         </summary>\n\n```text",
        case.shown.system,
        cell(&case.detail),
        plural(steps as u64, "step")
    );
    for line in columns(&case.witness, WIDTH) {
        let line = anstream::adapter::strip_str(&line).to_string();
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let token = &case.witness.replay;
    if !token.is_empty() {
        let _ = writeln!(out, "\n{}", again(&case.shown, token));
    }
    let title = format!("{}: violated: {}", case.name, case.breaks);
    let _ = writeln!(
        out,
        "```\n\n</details>\n\n<details><summary>The same as a sequence diagram</summary>\n\n\
         ```mermaid\n{}```\n\n</details>",
        diagram(&title, &case.witness)
    );
}

fn rules(out: &mut String) {
    let _ = writeln!(out, "\n## The rules of the core's design\n");
    let _ = writeln!(
        out,
        "The core (the package `connmap`) is not a port of kv_engine. It keeps these rules, and \
         under exactly the same scenarios it violates nothing."
    );
    for rule in RULES {
        let _ = writeln!(out, "\n### {}\n\n{}\n", rule.name, cell(rule.text));
        let list = |names: &[&str]| match names.is_empty() {
            true => "none".to_owned(),
            false => names.join("; "),
        };
        let _ = writeln!(out, "- prevents the tickets: {}", list(rule.tickets));
        let _ = writeln!(out, "- prevents the findings: {}", list(rule.findings));
    }
}
