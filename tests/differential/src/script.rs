//! Scenario files: a family of requests as text. `README.md` beside this package has the form.

use std::path::{Path, PathBuf};

/// One family: a file of requests that belong together.
#[derive(Clone, Debug)]
pub struct Family {
    /// The file's name without its extension.
    pub name: String,
    /// Which real server the family wants.
    pub profile: Profile,
    /// The namespace made for it; empty when it wants none.
    pub namespace: String,
    /// It looks at what others make, or disturbs them: nothing else runs on its server.
    pub alone: bool,
    /// Its requests, in order.
    pub steps: Vec<Step>,
    /// The whole text, after `@each`: what it says is not normalised.
    pub text: String,
}

/// How the real server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// Without a controller manager: nothing happens by itself.
    Plain,
    /// With garbage collection, namespace deletion and the other controllers.
    Controllers,
    /// Without a watch cache, so that what etcd forgets is forgotten.
    Uncached,
}

impl Profile {
    /// All of them.
    pub const ALL: [Profile; 3] = [Profile::Plain, Profile::Controllers, Profile::Uncached];

    /// The name in scenario files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Profile::Plain => "plain",
            Profile::Controllers => "controllers",
            Profile::Uncached => "uncached",
        }
    }
}

/// One step of a scenario.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name within the family.
    pub name: String,
    /// What is done.
    pub action: Action,
    /// Headers beside those that every request has.
    pub headers: Vec<(String, String)>,
    /// The body as written.
    pub body: String,
    /// How the body is sent.
    pub form: Form,
    /// Variables to set from the answer: name and path, or `header:NAME`.
    pub saves: Vec<(String, String)>,
    /// Only these paths of the body are compared, when there are any.
    pub show: Vec<String>,
    /// These paths of the body are not compared.
    pub hide: Vec<String>,
    /// Repeat the request until this holds.
    pub until: Option<Until>,
    /// Bookmarks are compared too, and not only the one that ends initial events.
    pub bookmarks: bool,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// A request with an answer.
    Request {
        /// The HTTP method.
        method: String,
        /// Path and query.
        target: String,
    },
    /// Opens a watch; the script goes on while it runs.
    Watch {
        /// Its name, for `CLOSE`.
        watch: String,
        /// Path and query.
        target: String,
    },
    /// Ends a watch; its events are compared.
    Close {
        /// The name given to it.
        watch: String,
        /// Where it ends.
        end: End,
    },
    /// Forgets the history of the storage.
    Compact,
}

/// The last event of a watch.
#[derive(Clone, Debug)]
pub enum End {
    /// The server ends the stream.
    Stream,
    /// The first event about an object of this name.
    Name(String),
    /// So many events.
    Count(usize),
}

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Written as YAML, sent as JSON.
    Json,
    /// Byte for byte as written.
    Raw,
    /// Written as YAML, sent as protobuf of its kind.
    Protobuf,
}

/// What a repeated request waits for.
#[derive(Clone, Debug)]
pub enum Until {
    /// This status code.
    Status(u16),
    /// This value at this path of the body.
    Value(String, String),
}

/// Reads every scenario file of a folder, by name.
///
/// # Errors
/// A file cannot be read, or says something that is no step; the message names file and line.
pub fn families(dir: &Path) -> Result<Vec<Family>, String> {
    let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "http"));
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        parse(&name, &text).map_err(|e| format!("{}: {e}", path.display()))
    };
    paths.iter().map(read).collect()
}

/// Parses one family.
fn parse(name: &str, text: &str) -> Result<Family, String> {
    let text = expand(text)?;
    let mut family = Family {
        name: name.to_owned(),
        profile: Profile::Plain,
        namespace: name.to_owned(),
        alone: false,
        steps: Vec::new(),
        text: text.clone(),
    };
    let mut blocks = text.split("\n## ");
    for line in blocks.next().unwrap_or_default().lines().filter(|line| !is_comment(line)) {
        match line.split_once(':').map(|(key, value)| (key, value.trim())) {
            Some(("profile", value)) => {
                let known = Profile::ALL.into_iter().find(|profile| profile.name() == value);
                family.profile = known.ok_or_else(|| format!("no profile {value}"))?;
            }
            Some(("namespace", "none")) => family.namespace.clear(),
            Some(("alone", "yes")) => family.alone = true,
            _ if line.trim().is_empty() => {}
            _ => return Err(format!("before the first step: {line}")),
        }
    }
    for block in blocks {
        let step =
            step(block).map_err(|e| format!("{}: {e}", block.lines().next().unwrap_or("")))?;
        if family.steps.iter().any(|other| other.name == step.name) {
            return Err(format!("two steps are named {}", step.name));
        }
        family.steps.push(step);
    }
    Ok(family)
}

fn is_comment(line: &str) -> bool {
    line.starts_with("//")
}

/// Repeats what stands between `@do` and `@end` for every row of the table after `@each`.
fn expand(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(columns) = line.strip_prefix("@each ") else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let cells = |row: &str| row.split('|').map(|c| c.trim().to_owned()).collect::<Vec<_>>();
        let columns = cells(columns);
        let mut rows = Vec::new();
        for line in lines.by_ref().take_while(|line| *line != "@do") {
            let row = cells(line.strip_prefix("| ").ok_or_else(|| format!("no row: {line}"))?);
            if row.len() != columns.len() {
                return Err(format!("{} columns wanted: {line}", columns.len()));
            }
            rows.push(row);
        }
        let template: Vec<&str> = lines.by_ref().take_while(|line| *line != "@end").collect();
        for row in rows {
            let mut text = template.join("\n");
            for (column, value) in columns.iter().zip(&row) {
                text = text.replace(&format!("<{column}>"), value);
            }
            out.push_str(&text);
            out.push('\n');
        }
    }
    Ok(out)
}

fn step(block: &str) -> Result<Step, String> {
    let mut lines = block.lines().filter(|line| !is_comment(line));
    let name = lines.next().unwrap_or_default().trim().to_owned();
    let head = lines.next().unwrap_or_default();
    let (word, rest) = head.split_once(' ').unwrap_or((head, ""));
    let patch = match word {
        "JSONPATCH" => "application/json-patch+json",
        "MERGE" => "application/merge-patch+json",
        "STRATEGIC" => "application/strategic-merge-patch+json",
        "APPLY" => "application/apply-patch+yaml",
        _ => "",
    };
    let mut headers = Vec::new();
    let action = match word {
        "COMPACT" => Action::Compact,
        "WATCH" => {
            let (watch, target) = rest.split_once(' ').ok_or("WATCH wants a name and a path")?;
            Action::Watch { watch: watch.to_owned(), target: target.to_owned() }
        }
        "CLOSE" => {
            let (watch, end) = rest.split_once(' ').ok_or("CLOSE wants a name and an end")?;
            let end = match end.split_once(' ') {
                None if end == "end" => End::Stream,
                Some(("until", name)) => End::Name(name.to_owned()),
                Some(("after", count)) => {
                    End::Count(count.parse().map_err(|e| format!("{count}: {e}"))?)
                }
                _ => return Err(format!("no end of a watch: {end}")),
            };
            Action::Close { watch: watch.to_owned(), end }
        }
        _ if !patch.is_empty() => {
            headers.push(("Content-Type".to_owned(), patch.to_owned()));
            Action::Request { method: "PATCH".to_owned(), target: rest.to_owned() }
        }
        "GET" | "POST" | "PUT" | "DELETE" | "PATCH" | "HEAD" | "OPTIONS" | "TRACE" => {
            Action::Request { method: word.to_owned(), target: rest.to_owned() }
        }
        _ => return Err(format!("no request: {head}")),
    };
    let mut step = Step {
        name,
        action,
        headers,
        body: String::new(),
        form: Form::Json,
        saves: Vec::new(),
        show: Vec::new(),
        hide: Vec::new(),
        until: None,
        bookmarks: false,
    };
    for line in lines {
        if let Some(directive) = line.strip_prefix("=> ") {
            directive_of(&mut step, directive)?;
        } else if step.body.is_empty()
            && let Some((name, value)) = header(line)
        {
            step.headers.push((name.to_owned(), value.to_owned()));
        } else {
            step.body.push_str(line);
            step.body.push('\n');
        }
    }
    step.body = step.body.trim_end().to_owned();
    Ok(step)
}

fn directive_of(step: &mut Step, text: &str) -> Result<(), String> {
    let list = |text: &str| text.split(',').map(|p| p.trim().to_owned()).collect::<Vec<_>>();
    match text.split_once(' ').unwrap_or((text, "")) {
        ("raw", "") => step.form = Form::Raw,
        ("protobuf", "") => step.form = Form::Protobuf,
        ("bookmarks", "") => step.bookmarks = true,
        ("show", paths) => step.show = list(paths),
        ("hide", paths) => step.hide = list(paths),
        ("until", condition) => {
            step.until = Some(match condition.split_once(" = ") {
                Some((path, value)) => Until::Value(path.to_owned(), value.to_owned()),
                None => Until::Status(condition.parse().map_err(|e| format!("{condition}: {e}"))?),
            });
        }
        _ => match text.split_once(" = ") {
            Some((name, path)) => step.saves.push((name.to_owned(), path.to_owned())),
            None => return Err(format!("no directive: {text}")),
        },
    }
    Ok(())
}

/// A line `Name: value` whose name begins with a capital letter and has letters and dashes only.
fn header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(": ")?;
    let fits = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    fits.then(|| (name, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_becomes_steps() {
        let text = "// about\nprofile: uncached\n\n## one\nPOST /a\nAccept: x/y\n{a: 1}\n=> rv = \
                    metadata.resourceVersion\n\n@each k | v\n| x | 1\n| y | 2\n@do\n## get <k>\nGET \
                    /<k>?v=<v>\n@end\n## w\nWATCH w /a?watch=1\n## c\nCLOSE w until z\n";
        let family = parse("f", text).expect("a family");
        assert_eq!(family.profile, Profile::Uncached);
        let names: Vec<&str> = family.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["one", "get x", "get y", "w", "c"]);
        assert_eq!(family.steps[0].headers, [("Accept".to_owned(), "x/y".to_owned())]);
        assert_eq!(family.steps[0].body, "{a: 1}");
        assert_eq!(family.steps[0].saves.len(), 1);
        assert!(matches!(&family.steps[2].action,
            Action::Request { target, .. } if target == "/y?v=2"));
    }

    #[test]
    fn what_is_no_step_is_refused() {
        for text in [
            "## a\nFETCH /x\n",
            "## a\nGET /x\n=> nonsense\n",
            "zone: x\n",
            "\n## a\nGET /\n## a\nGET /",
        ] {
            assert!(parse("f", &format!("\n{text}")).is_err(), "{text}");
        }
    }
}
