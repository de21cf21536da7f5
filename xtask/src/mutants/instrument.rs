//! One build for all mutants of the core: each function that a mutant changes
//! is there once more for that mutant, under a name of its own, and the sound
//! function begins by asking which mutant was chosen. All of it on a copy.
//!
//! It knows Rust as far as rustfmt writes it: a function begins with a line
//! that says `fn` and ends with the brace below that line's first letter.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

/// The variable that chooses a mutant, by its number; 0 is the sound core.
pub(super) const VARIABLE: &str = "CONNMAP_MUTANT";

/// What the copy of the core has in addition, to ask which mutant was chosen.
pub(super) const CHOICE: &str = "
#[allow(warnings, missing_docs)]
mod mutation {
    pub(crate) fn chosen() -> usize {
        static CHOSEN: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let chosen = std::env::var(\"CONNMAP_MUTANT\").ok();
            chosen.map_or(0, |chosen| chosen.parse().expect(\"a mutant has a number\"))
        })
    }
}
";

/// A function of a file.
struct Function {
    /// From the line that says `fn` to its closing brace.
    text: Range<usize>,
    name: String,
    /// Where its body begins, behind the brace.
    body: usize,
    /// What a call of a function with the same parameters passes.
    arguments: Vec<String>,
    has_self: bool,
    /// The head of the impl that it stands in, without a trait.
    head: Option<String>,
    /// Whether that is the impl of a trait, which can have no further function.
    of_trait: bool,
}

/// What stands at a place of a file, and is another text in a mutant.
pub(super) struct Edit {
    pub(super) place: Range<usize>,
    pub(super) text: String,
}

/// The text of a file with all mutants of it in place: what they change, by
/// their numbers.
pub(super) fn instrument(sound: &str, mutants: &[(usize, Vec<Edit>)]) -> Result<String, String> {
    let functions = functions(sound)?;
    // By function: the arms of its choice, and what comes behind it.
    let mut changes: BTreeMap<usize, (String, String)> = BTreeMap::new();
    let mut end = String::new();
    for (number, edits) in mutants {
        for (at, text) in changed(sound, &functions, edits)? {
            let function = &functions[at];
            let name = format!("{}__{number}", function.name);
            let (arms, behind) = changes.entry(at).or_default();
            let on = match (function.has_self, &function.head) {
                (true, _) => "self.",
                (false, Some(_)) => "Self::",
                (false, None) => "",
            };
            let arguments = function.arguments.join(", ");
            let _ = write!(arms, " {number} => return {on}{name}({arguments}),");
            let copy = text.replacen(&format!("fn {}", function.name), &format!("fn {name}"), 1);
            match (&function.head, function.of_trait) {
                (Some(head), true) => {
                    let _ =
                        write!(end, "\n#[allow(warnings, missing_docs)]\n{head} {{\n{copy}\n}}\n");
                }
                _ => {
                    let _ = write!(behind, "\n#[allow(warnings, missing_docs)]\n{copy}\n");
                }
            }
        }
    }
    let mut text = sound.to_owned();
    for (at, (arms, behind)) in changes.iter().rev() {
        let function = &functions[*at];
        text.insert_str(function.text.end, behind);
        text.insert_str(
            function.body,
            &format!(" match crate::mutation::chosen() {{{arms} _ => {{}} }}"),
        );
    }
    Ok(text + &end)
}

/// The functions that a mutant changes, and their text then.
fn changed(
    sound: &str,
    functions: &[Function],
    edits: &[Edit],
) -> Result<BTreeMap<usize, String>, String> {
    let mut by_function: BTreeMap<usize, Vec<&Edit>> = BTreeMap::new();
    for edit in edits {
        let within = |function: &Function| {
            function.text.start <= edit.place.start && edit.place.end <= function.text.end
        };
        let smallest = (0..functions.len())
            .filter(|at| within(&functions[*at]))
            .min_by_key(|at| functions[*at].text.len());
        let Some(at) = smallest else {
            return Err(format!("in no function:\n{}", &sound[edit.place.clone()]));
        };
        by_function.entry(at).or_default().push(edit);
    }
    let mut changed = BTreeMap::new();
    for (at, mut edits) in by_function {
        let whole = functions[at].text.clone();
        edits.sort_by_key(|edit| edit.place.start);
        if edits.windows(2).any(|pair| pair[0].place.end > pair[1].place.start) {
            return Err("an edit is in the way of another".into());
        }
        let mut text = sound[whole.clone()].to_owned();
        for Edit { place, text: other } in edits.into_iter().rev() {
            text.replace_range(place.start - whole.start..place.end - whole.start, other);
        }
        changed.insert(at, text);
    }
    Ok(changed)
}

/// The mutant whose copy of a function the line of an instrumented text is in.
pub(super) fn mutant_at(text: &str, line: usize) -> Option<usize> {
    text.lines().take(line).collect::<Vec<_>>().into_iter().rev().find_map(|line| {
        let name = name_of(line.trim_start())?;
        name.rsplit_once("__")?.1.parse().ok()
    })
}

fn functions(text: &str) -> Result<Vec<Function>, String> {
    let lines: Vec<(usize, &str)> = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let begin = *at;
            *at += line.len();
            Some((begin, line.trim_end_matches('\n')))
        })
        .collect();
    let mut functions = Vec::new();
    for (first, (begin, line)) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let Some(name) = name_of(code) else { continue };
        let opens = lines[first..].iter().find(|(_, line)| line.ends_with(['{', '}', ';']));
        let Some((at, opening)) = opens.filter(|(_, line)| line.ends_with('{')) else { continue };
        let closing = format!("{}}}", " ".repeat(indent));
        let last = lines[first..].iter().find(|(_, line)| *line == closing);
        let Some((end, last)) = last else { return Err(format!("{name} does not end")) };
        let body = at + opening.len();
        // Behind `pub(crate)`, whose parentheses are no parameters'.
        let signature = text[*begin..body].split_once("fn ").map_or("", |(_, rest)| rest);
        // A copy of what returns some type would return another one.
        if signature.contains("-> impl ") {
            continue;
        }
        let Some((arguments, has_self)) = parameters(signature) else { continue };
        let head = lines[..first]
            .iter()
            .rev()
            .map(|(_, line)| line)
            .find(|line| !line.is_empty() && line.len() - line.trim_start().len() < indent);
        let head = head.filter(|line| line.trim_start().starts_with("impl"));
        functions.push(Function {
            text: *begin..end + last.len(),
            name,
            body,
            arguments,
            has_self,
            head: head.map(|head| without_trait(head)),
            of_trait: head.is_some_and(|head| head.contains(" for ")),
        });
    }
    Ok(functions)
}

/// The name of the function that a line of code begins.
fn name_of(code: &str) -> Option<String> {
    let rest = ["pub(crate) ", "pub(super) ", "pub "].iter().find_map(|pre| code.strip_prefix(pre));
    let rest = rest.unwrap_or(code).strip_prefix("fn ")?;
    Some(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect())
}

/// `impl<T> Drop for Hosted<T> {`, without the trait and the brace.
fn without_trait(head: &str) -> String {
    let head = head.trim_end_matches(" {");
    let Some((before, of)) = head.split_once(" for ") else { return head.to_owned() };
    let generics = match before.strip_prefix("impl<") {
        Some(rest) => rest.split_once("> ").map_or("", |(generics, _)| generics),
        None => "",
    };
    match generics {
        "" => format!("impl {of}"),
        generics => format!("impl<{generics}> {of}"),
    }
}

/// What is passed on, and whether there is a `self`; `None` for patterns.
fn parameters(signature: &str) -> Option<(Vec<String>, bool)> {
    let signature = signature.replace("->", "  ");
    let mut depth = 0;
    let (mut parameters, mut open) = (vec![String::new()], false);
    for letter in signature.chars() {
        match letter {
            '(' if depth == 0 && !open => {
                open = true;
                continue;
            }
            ')' if depth == 0 && open => break,
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 && open => {
                parameters.push(String::new());
                continue;
            }
            _ => {}
        }
        if open {
            parameters.last_mut()?.push(letter);
        }
    }
    let (mut arguments, mut has_self) = (Vec::new(), false);
    for parameter in parameters.iter().map(|parameter| parameter.trim()) {
        let name = parameter.split(':').next().unwrap_or_default().trim();
        match name.trim_start_matches("mut ") {
            "" => {}
            "self" | "&self" | "&mut self" => has_self = true,
            // A pattern of names, too, says what is passed.
            name if name
                .chars()
                .all(|letter| letter.is_alphanumeric() || "_(), ".contains(letter)) =>
            {
                arguments.push(name.to_owned());
            }
            _ => return None,
        }
    }
    Some((arguments, has_self))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::mutant;

    const SOUND: &str = "\
impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        self.count.sub();
    }
}

impl Held {
    pub(crate) fn take(
        &mut self,
        mut at: u64,
        of: impl Fn(u64) -> bool,
    ) -> Option<u64> {
        let at = at + 1;
        of(at).then_some(at)
    }
}
";

    fn edits(edits: &'static [(&'static str, &'static str)]) -> Result<Vec<Edit>, String> {
        mutant("m", "", "", edits).places(SOUND)
    }

    #[test]
    fn a_function_is_there_once_more_for_each_mutant() {
        let one = edits(&[("at + 1", "at + 2")]).unwrap();
        let two = edits(&[("self.count.sub();", ""), ("at + 1", "at + 0")]).unwrap();
        let text = instrument(SOUND, &[(1, one), (2, two)]).unwrap();
        for there in [
            "match crate::mutation::chosen() { 1 => return self.take__1(at, of), \
             2 => return self.take__2(at, of), _ => {} }",
            "{ match crate::mutation::chosen() { 2 => return self.drop__2(), _ => {} }",
            "pub(crate) fn take__1(",
            "let at = at + 2;",
            "impl<T> Held<T> {\n    fn drop__2(&mut self) {",
        ] {
            assert!(text.contains(there), "{there}\n{text}");
        }
        let line = |of: &str| text.lines().position(|line| line.contains(of)).unwrap() + 1;
        assert_eq!(mutant_at(&text, line("at + 2")), Some(1));
        assert_eq!(mutant_at(&text, line("at + 0")), Some(2));
        assert_eq!(mutant_at(&text, line("at + 1")), None);
    }

    #[test]
    fn what_is_not_there_once_is_refused() {
        for from in ["nowhere", "at", "impl Held"] {
            let one: &'static [_] = Box::leak(Box::new([(from, "")]));
            assert!(edits(one).and_then(|edits| instrument(SOUND, &[(1, edits)])).is_err());
        }
    }
}
