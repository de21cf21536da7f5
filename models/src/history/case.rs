//! One ticket or finding: what it breaks, on which eras, and the execution that
//! shows it.

use super::matrix::{broken, explore, job, Matrix, Row};
use crate::systems::kv_engine::era::ERAS;
use crate::systems::kv_engine::tickets::{Finding, Ticket, FINDINGS, TICKETS};
use crate::Invariant;
use orderings::command::{Error, Runner};
use orderings::render::layout::{number, plural};
use orderings::report::{Report, Witness};

/// A ticket or finding, with the facts on its part of the page.
pub(super) struct Case {
    /// A ticket's numbers, or the finding's name.
    pub(super) name: &'static str,
    pub(super) ticket: bool,
    pub(super) scenario: &'static str,
    pub(super) breaks: Invariant,
    pub(super) story: &'static str,
    /// The protocols that violate the invariant, and those that do not any more,
    /// with their counts.
    pub(super) facts: Vec<String>,
    /// The exploration whose witness is shown.
    pub(super) shown: Report,
    pub(super) detail: String,
    pub(super) witness: Witness,
    /// What the ticket or finding claims and the exploration does not confirm.
    pub(super) wrong: Vec<String>,
}

/// The cases of all tickets, then those of all findings.
pub(super) fn all(runner: &Runner, matrix: &Matrix) -> Result<Vec<Case>, Error> {
    let tickets = TICKETS.iter().map(|ticket| of_ticket(runner, matrix, ticket));
    let findings = FINDINGS.iter().map(|finding| of_finding(runner, matrix, finding));
    tickets.chain(findings).collect()
}

fn of_ticket(runner: &Runner, matrix: &Matrix, ticket: &'static Ticket) -> Result<Case, Error> {
    let before = explore(runner, ticket.before, ticket.scenario)?;
    let after = explore(runner, ticket.after, ticket.scenario)?;
    let (mut facts, mut wrong) = (Vec::new(), Vec::new());
    facts.push(format!("`{}` breaks it, in {}", ticket.before, counted(&before, ticket.breaks)));
    let left = counted(&after, ticket.breaks);
    facts.push(format!("`{}` does not any more: {left}", ticket.after));
    if broken(&after, ticket.breaks).is_some() {
        wrong.push(format!("{}: {} breaks it too", ticket.name, ticket.after));
    }
    facts.extend(matrix.row(ticket.scenario).map(|row| over_the_eras(row, ticket.breaks)));
    let witness = witness(runner, ticket.before, &before, ticket.breaks, ticket.outcome)?;
    if witness.is_none() {
        wrong.push(format!("{}: {} does not show it", ticket.name, ticket.before));
    }
    let (detail, witness) = witness.unwrap_or_default();
    Ok(Case {
        name: ticket.name,
        ticket: true,
        scenario: ticket.scenario,
        breaks: ticket.breaks,
        story: ticket.story,
        facts,
        shown: before,
        detail,
        witness,
        wrong,
    })
}

fn of_finding(runner: &Runner, matrix: &Matrix, finding: &'static Finding) -> Result<Case, Error> {
    let place = |name: &str| ERAS.iter().position(|(_, era, _)| *era == name).unwrap_or(0);
    let until = finding.until.map_or(ERAS.len(), place);
    let (mut facts, mut wrong) = (Vec::new(), Vec::new());
    // The witness is of the last era that has the finding.
    let last = until.saturating_sub(1);
    let protocol = ERAS[last].1;
    let shown = explore(runner, protocol, finding.scenario)?;
    let count = counted(&shown, finding.breaks);
    match finding.until {
        None => facts.push(format!("`{protocol}`, the newest, has it, in {count}")),
        Some(fixed) => {
            let after = explore(runner, fixed, finding.scenario)?;
            let left = counted(&after, finding.breaks);
            facts.push(format!("`{protocol}` is the last that has it, in {count}"));
            facts.push(format!("`{fixed}` does not any more: {left}"));
        }
    }
    if let Some(row) = matrix.row(finding.scenario) {
        let mut found = Vec::new();
        for (report, (_, era, _)) in row.eras.iter().zip(ERAS) {
            let witness = witness(runner, era, report, finding.breaks, finding.outcome)?;
            found.push(witness.is_some());
        }
        for at in last..ERAS.len() {
            if found[at] != (at < until) {
                wrong.push(format!("{}: {} is not as written", finding.name, ERAS[at].1));
            }
        }
        let first = unbroken(&found[..until]);
        if ERAS[first].1 != finding.since {
            wrong.push(format!("{}: since {}", finding.name, ERAS[first].1));
        }
        facts.push(from_to(first, last, finding.outcome));
        facts.push(over_the_eras(row, finding.breaks));
    }
    let witness = witness(runner, protocol, &shown, finding.breaks, finding.outcome)?;
    let (detail, witness) = witness.unwrap_or_default();
    Ok(Case {
        name: finding.name,
        ticket: false,
        scenario: finding.scenario,
        breaks: finding.breaks,
        story: finding.story,
        facts,
        shown,
        detail,
        witness,
        wrong,
    })
}

/// `1 of 3 orderings`.
fn counted(report: &Report, invariant: Invariant) -> String {
    let count = broken(report, invariant).map_or("none".into(), |found| number(found.orderings));
    let incomplete = if report.explored_all { "" } else { ", INCOMPLETE" };
    format!("{count} of {}{incomplete}", plural(report.all(), "ordering"))
}

/// The first of those eras, in one piece with the last, in which it was found.
fn unbroken(found: &[bool]) -> usize {
    let before = found.iter().rposition(|found| !found).map_or(0, |at| at + 1);
    before.min(found.len().saturating_sub(1))
}

/// Says in which eras the invariant is violated with these answers.
fn from_to(first: usize, last: usize, outcome: &str) -> String {
    let answers = match outcome {
        "" => String::new(),
        outcome => format!(", with the answers `{outcome}`,"),
    };
    match first < last {
        true => {
            format!("violated{answers} in every era from `{}` to `{}`", ERAS[first].1, ERAS[last].1)
        }
        false if last == 0 => format!("violated{answers} in `{}`", ERAS[last].1),
        false => format!("violated{answers} in `{}`, and not in the era before it", ERAS[last].1),
    }
}

/// Says in which eras the scenario violates the invariant, with any answers.
fn over_the_eras(row: &Row, invariant: Invariant) -> String {
    let with = |wanted: bool| {
        let of = row
            .eras
            .iter()
            .zip(ERAS)
            .filter(|(report, _)| broken(report, invariant).is_some() == wanted);
        of.map(|(_, (_, name, _))| format!("`{name}`")).collect::<Vec<_>>()
    };
    match (with(true), with(false)) {
        (with, _) if with.is_empty() => {
            format!("no era without the switch violates {invariant} in this scenario")
        }
        (_, without) if without.is_empty() => {
            format!("every era violates {invariant} in this scenario, in this way or another")
        }
        (with, _) => format!(
            "eras that violate {invariant} in this scenario, in this way or another: {}",
            with.join(", ")
        ),
    }
}

/// The detail and the witness of an ordering that violates the invariant with the
/// answers of `outcome`.
fn witness(
    runner: &Runner,
    protocol: &str,
    report: &Report,
    breaks: Invariant,
    outcome: &str,
) -> Result<Option<(String, Witness)>, Error> {
    let Some(found) = broken(report, breaks) else { return Ok(None) };
    let clauses: Vec<&str> = outcome.split("; ").filter(|clause| !clause.is_empty()).collect();
    let said = |clause: &&str| found.witness.steps.iter().any(|step| step.note == *clause);
    if clauses.iter().all(said) {
        return Ok(Some((found.detail.clone(), found.witness.clone())));
    }
    // The shortest ordering that violates it has other answers.
    for row in &report.outcomes {
        let answers: Vec<String> = row
            .outcome
            .answers
            .iter()
            .map(|answer| format!("{}: {}", answer.call, answer.answer))
            .collect();
        if !clauses.iter().all(|clause| answers.iter().any(|answer| answer == clause)) {
            continue;
        }
        let witness = row.example.show().witness;
        let again = runner.replay(&job(protocol, &report.name)?, &witness.replay)?;
        if let Some(found) = broken(&again, breaks) {
            return Ok(Some((found.detail.clone(), witness)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::{from_to, unbroken};

    #[test]
    fn eras_are_told_without_a_gap() {
        assert_eq!(unbroken(&[true, true]), 0);
        assert_eq!(unbroken(&[true, false, true, true]), 2);
        assert_eq!(unbroken(&[true, false]), 1);
        let said = from_to(2, 4, "step: crash");
        assert_eq!(
            said,
            "violated, with the answers `step: crash`, in every era from `mb-32084` to `mb-37702`"
        );
        let said = from_to(1, 1, "");
        assert_eq!(said, "violated in `mb-20751`, and not in the era before it");
    }
}
