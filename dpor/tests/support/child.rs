//! A test whose body fails or ends the process, in a process of its own.

use std::process::Command;

/// Tells the child that it is one.
const INSIDE: &str = "SHUTTLE_DPOR_TEST_INSIDE";

/// Runs `inside` in another process, which is this one again with nothing but the test of this name.
/// Returns whether it ended well, and what it wrote to stderr.
pub(crate) fn alone(test: &str, inside: impl FnOnce()) -> (bool, String) {
    alone_with(test, &[], inside)
}

/// Like [`alone`], with these variables in the environment.
pub(crate) fn alone_with(
    test: &str,
    variables: &[(&str, &str)],
    inside: impl FnOnce(),
) -> (bool, String) {
    if std::env::var_os(INSIDE).is_some() {
        inside();
        std::process::exit(0);
    }
    let mut child = Command::new(std::env::current_exe().expect("this test has a path"));
    child.args(["--exact", test, "--nocapture"]).env(INSIDE, "1");
    child.envs(variables.iter().copied());
    let output = child.output().expect("it runs");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}
