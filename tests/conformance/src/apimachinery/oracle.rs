//! Go's side: the `answer` command of the program under tests/control-plane, one JSON request a
//! line and one answer a line in the same order.
use super::area::{Answer, Case};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;

/// How often Go is asked again: an answer that it gives once in eight times is missed once in 5,000.
const TIMES: usize = 64;

/// What came back for a case.
pub(crate) enum Reply {
    /// The function's output or error.
    Answer(Answer),
    /// Go did not understand the request: a mistake of the area, or a function that is missing.
    Bad(String),
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    out: Option<&'a RawValue>,
    error: Option<String>,
    #[serde(default)]
    bad: bool,
}

/// The running Go program.
pub(crate) struct Oracle {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next: u64,
}

impl Oracle {
    /// Starts `program answer`.
    pub(crate) fn start(program: &Path) -> Result<Self, String> {
        let named = |e: std::io::Error| format!("{}: {e}", program.display());
        let mut child = Command::new(program)
            .arg("answer")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(named)?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("the Go program has no output")?;
        Ok(Oracle { child, input, output: BufReader::with_capacity(1 << 20, output), next: 0 })
    }

    /// Asks whatever `batches` gives until it gives nothing, and hands each case with its reply
    /// to `each`, in order. Generating and writing happen on a thread of their own, so that the
    /// pipes never wait for each other; a bounded number of batches is on the way.
    pub(crate) fn stream(
        &mut self,
        mut batches: impl FnMut() -> Option<Vec<Case>> + Send,
        mut each: impl FnMut(Case, Reply),
    ) -> Result<(), String> {
        let Oracle { input, output, next, .. } = self;
        let input = input.as_mut().ok_or("the Go program has ended")?;
        std::thread::scope(|scope| {
            let (sent, received) = mpsc::sync_channel::<(u64, Vec<Case>)>(32);
            let mut id = *next;
            let writer = scope.spawn(move || {
                let mut lines = Vec::new();
                while let Some(cases) = batches() {
                    lines.clear();
                    let first = id;
                    for case in &cases {
                        let name = Value::from(case.function);
                        // Writing to memory does not fail.
                        let _ = write!(lines, r#"{{"id":{id},"fn":{name},"in":"#);
                        let _ = serde_json::to_writer(&mut lines, &case.input);
                        lines.extend_from_slice(b"}\n");
                        id += 1;
                    }
                    // The reader must know of a batch before its answers can fill the pipe.
                    if sent.send((first, cases)).is_err() {
                        break;
                    }
                    if input.write_all(&lines).and_then(|()| input.flush()).is_err() {
                        break; // the reader finds the reason
                    }
                }
                id
            });
            let mut result = Ok(());
            let mut line = String::new();
            'batches: for (first, cases) in &received {
                for (id, case) in (first..).zip(cases) {
                    line.clear();
                    let read = output.read_line(&mut line);
                    if !matches!(read, Ok(n) if n > 0) {
                        result = Err(format!(
                            "the Go program ended at {} {}",
                            case.function, case.input
                        ));
                        break 'batches;
                    }
                    match reply(&line, id) {
                        Ok(reply) => each(case, reply),
                        Err(e) => {
                            result = Err(format!("{} {}: {e}: {line}", case.function, case.input));
                            break 'batches;
                        }
                    }
                }
            }
            drop(received);
            *next = writer.join().map_err(|_| "the generator of cases panicked")?;
            result
        })
    }

    /// The replies to a few cases.
    pub(crate) fn ask(&mut self, cases: Vec<Case>) -> Result<Vec<(Case, Reply)>, String> {
        let mut batch = Some(cases);
        let mut out = Vec::new();
        self.stream(move || batch.take(), |case, reply| out.push((case, reply)))?;
        Ok(out)
    }

    /// Whether one of Go's answers to a case is right, when it is asked often: what Go says of several mistakes
    /// may depend on the order in which it walks a map, which differs from time to time.
    pub(crate) fn ever(
        &mut self,
        case: &Case,
        mut right: impl FnMut(&Answer) -> bool,
    ) -> Result<bool, String> {
        let replies = self.ask(vec![case.clone(); TIMES])?;
        Ok(replies.iter().any(|(_, reply)| matches!(reply, Reply::Answer(go) if right(go))))
    }
}

fn reply(line: &str, id: u64) -> Result<Reply, String> {
    let r: Response<'_> = serde_json::from_str(line).map_err(|e| e.to_string())?;
    match (r.bad, r.error) {
        (true, error) => return Ok(Reply::Bad(error.unwrap_or_default())),
        (false, Some(error)) => return Ok(Reply::Answer(Err(error))),
        (false, None) => {}
    }
    if r.id.map(RawValue::get) != Some(id.to_string().as_str()) {
        return Err(format!("an answer out of order, {id} was next"));
    }
    let out = r.out.map_or("null", RawValue::get);
    // An answer with a number that no float holds stays text.
    Ok(Reply::Answer(Ok(serde_json::from_str(out).unwrap_or_else(|_| out.into()))))
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // Its input ends, so it leaves.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
