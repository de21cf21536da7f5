//! Each form of each bug in the gallery: what is broken is found in exactly so many orderings, and
//! what is mended is explored to its end. The README's table shows these figures.

#[path = "../../examples/gallery/bugs/mod.rs"]
mod bugs;

use shuttle_dpor::Verdict;

#[test]
fn broken_forms_are_found_and_mended_ones_complete() {
    let mut wrong = Vec::new();
    for bug in bugs::ALL {
        assert!(!bug.reported.is_empty(), "{} says nothing", bug.name);
        let (mended, broken) = bug.forms.split_last().unwrap();
        assert!(mended.violates.is_none(), "{} ends with what is mended", bug.name);
        assert!(!broken.is_empty() && broken.iter().all(|form| form.violates.is_some()));
        for form in bug.forms {
            let report = (form.explore)();
            let name = format!("{}, {}", bug.name, form.name);
            assert!(report.exhausted(), "{name}");
            if report.orderings != form.orderings {
                wrong.push(format!("{name}: {} orderings", report.orderings));
            }
            let found: Vec<_> =
                report.violations.iter().map(|v| (v.name.as_str(), v.orderings)).collect();
            match form.violates {
                Some(violation) if found.contains(&violation) => {}
                Some(_) => wrong.push(format!("{name}: {found:?}")),
                None => assert_eq!(report.verdict, Verdict::Complete, "{name}: {found:?}"),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readme_shows_these_figures() {
    let readme = include_str!("../../examples/gallery/README.md");
    for bug in bugs::ALL {
        assert!(readme.contains(&bug.rows()), "the table is to have\n{}", bug.rows());
        assert!(readme.contains(&format!("## {}\n", bug.name)), "{} has no paragraph", bug.name);
    }
}
