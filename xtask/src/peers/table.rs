//! What came of a model, and the table of all of them.

use std::time::Duration;

/// What one engine makes of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// It passed, and said of every model that it was explored: in so many executions.
    Complete(u64),
    /// It passed, and no model was explored to its end: a violation was to be found.
    Found,
    /// It passed with a bound on preemptions, or another limit of its own.
    Limited,
    /// It failed, with this message.
    Failed(String),
    /// It was stopped, after the time that it was given.
    Late,
}

impl Run {
    /// What a test says that has ended: whether well, and what it wrote to standard error.
    pub(super) fn of(well: bool, stderr: &str) -> Run {
        if !well {
            let says_why = |line: &&str| {
                let beside = ["panicked at", "Completed in", "loom explores what these allow"];
                !line.trim().is_empty() && !beside.iter().any(|text| line.contains(text))
            };
            let why = stderr.lines().find(says_why);
            return Run::Failed(why.unwrap_or("no message").trim().to_owned());
        }
        if stderr.contains("INCOMPLETE") || stderr.contains("complete within") {
            return Run::Limited;
        }
        let counts = stderr.split("Completed in ").skip(1);
        match counts.filter_map(|rest| rest.split(' ').next()?.parse::<u64>().ok()).sum() {
            0 => Run::Found,
            n => Run::Complete(n),
        }
    }

    /// Whether it is known of the model that it holds, or fails as it is to fail.
    pub(super) fn done(&self) -> bool {
        matches!(self, Run::Complete(_) | Run::Found)
    }

    fn executions(&self) -> u64 {
        match self {
            Run::Complete(n) => *n,
            _ => 0,
        }
    }

    pub(super) fn words(&self) -> String {
        match self {
            Run::Complete(n) => format!("complete, {n} executions"),
            Run::Found => "passes, found what it was to find".into(),
            Run::Limited => "passes within a bound of its own".into(),
            Run::Failed(why) => format!("FAILS: {why}"),
            Run::Late => "out of time".into(),
        }
    }
}

/// A model, and what the two engines make of it: loom first.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) name: String,
    pub(super) loom: (Run, Duration),
    pub(super) here: (Run, Duration),
}

/// The table's first lines.
pub(super) const HEAD: &str = "\
| crate | models | complete: loom | here | executions, where both are: loom | here | seconds: loom | here |
|---|--:|--:|--:|--:|--:|--:|--:|
";

/// A crate's line.
pub(super) fn row(title: &str, models: &[Model]) -> String {
    let done = |of: fn(&Model) -> &Run| models.iter().filter(|m| of(m).done()).count();
    let both = || models.iter().filter(|m| m.loom.0.done() && m.here.0.done());
    let executions = |of: fn(&Model) -> &Run| both().map(|m| of(m).executions()).sum::<u64>();
    let seconds = |of: fn(&Model) -> Duration| both().map(of).sum::<Duration>().as_secs_f64();
    format!(
        "| {title} | {} | {} | {} | {} | {} | {:.1} | {:.1} |\n",
        models.len(),
        done(|m| &m.loom.0),
        done(|m| &m.here.0),
        thousands(executions(|m| &m.loom.0)),
        thousands(executions(|m| &m.here.0)),
        seconds(|m| m.loom.1),
        seconds(|m| m.here.1),
    )
}

impl Model {
    /// Whether loom is better: it completes what this does not, or with fewer executions.
    pub(super) fn is_worse_here(&self) -> bool {
        match (&self.loom.0, &self.here.0) {
            (Run::Complete(less), Run::Complete(more)) => less < more,
            (loom, here) => loom.done() && !here.done(),
        }
    }
}

/// What the table does not say: which models are not complete, and where loom is better, and why.
pub(super) fn remarks<'a>(
    title: &str,
    models: &[Model],
    why: impl Fn(&str) -> Option<&'a str>,
) -> Vec<String> {
    let mut remarks = Vec::new();
    for model in models {
        let (loom, here) = (&model.loom.0, &model.here.0);
        let worse = model.is_worse_here();
        if !worse && loom.done() && here.done() {
            continue;
        }
        let (loom, here) = (loom.words(), here.words());
        let mut remark = format!("{title} {}: loom: {loom}; here: {here}", model.name);
        if worse {
            remark += &format!(": WORSE, {}", why(&model.name).unwrap_or("for no known reason"));
        }
        remarks.push(remark);
    }
    remarks
}

/// A number with its thousands apart.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_what_it_says() {
        let passes = "loom by shuttle-dpor: Completed in 12 iterations, 0.001 s\n\
                      loom by shuttle-dpor: Completed in 30 iterations, 0.002 s\n";
        assert_eq!(Run::of(true, passes), Run::Complete(42));
        assert_eq!(Run::of(true, "Completed in 7 iterations\n"), Run::Complete(7));
        assert_eq!(Run::of(true, ""), Run::Found);
        let limited = format!("{passes}loom by shuttle-dpor: INCOMPLETE: 5 executions");
        assert_eq!(Run::of(true, &limited), Run::Limited);
        let within = format!("{passes}loom by shuttle-dpor: complete within 2 preemptions");
        assert_eq!(Run::of(true, &within), Run::Limited);
        // It has failed, whatever it has said before.
        let failed = "\n thread 'a' panicked at lib.rs:1:\nafter 3 executions: panic: no\n";
        assert_eq!(
            Run::of(false, &format!("{passes}{failed}")),
            Run::Failed("after 3 executions: panic: no".into())
        );
        assert_eq!(Run::of(false, "\n"), Run::Failed("no message".into()));
    }

    fn model(name: &str, loom: Run, here: Run) -> Model {
        let time = |n| Duration::from_millis(n);
        Model { name: name.into(), loom: (loom, time(1500)), here: (here, time(200)) }
    }

    #[test]
    fn a_row_compares_what_both_complete() {
        let models = [
            model("a", Run::Complete(1200), Run::Complete(3)),
            model("b", Run::Late, Run::Complete(9)),
            model("c", Run::Complete(5), Run::Failed("livelock".into())),
            model("d", Run::Complete(2), Run::Complete(4)),
            model("e", Run::Found, Run::Found),
            model("f", Run::Limited, Run::Limited),
        ];
        assert_eq!(row("x 1.0", &models), "| x 1.0 | 6 | 4 | 4 | 1,202 | 7 | 4.5 | 0.6 |\n");
        let why = |name: &str| (name == "d").then_some("because");
        assert_eq!(
            remarks("x 1.0", &models, why),
            [
                "x 1.0 b: loom: out of time; here: complete, 9 executions",
                "x 1.0 c: loom: complete, 5 executions; here: FAILS: livelock: WORSE, for no known \
                 reason",
                "x 1.0 d: loom: complete, 2 executions; here: complete, 4 executions: WORSE, because",
                "x 1.0 f: loom: passes within a bound of its own; here: passes within a bound of \
                 its own",
            ]
        );
    }

    #[test]
    fn a_row_fits_the_head() {
        let bars = |line: &str| line.matches('|').count();
        let lines: Vec<_> = HEAD.lines().map(bars).collect();
        assert_eq!(lines, [bars(&row("x", &[])); 2]);
    }

    #[test]
    fn thousands_are_apart() {
        let texts = [0, 999, 1000, 51_047, 2_035_790].map(thousands);
        assert_eq!(texts, ["0", "999", "1,000", "51,047", "2,035,790"]);
    }
}
