//! Nodes of a YAML document: the parser.
use super::scan::{Fault, Mark, Scanner, Tok};
use std::collections::HashMap;

type R<T> = Result<T, Fault>;

/// A node, by its place in [`Document::nodes`].
pub(super) type Id = usize;

pub(super) struct Node {
    /// From 0.
    pub(super) line: usize,
    pub(super) tag: String,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// Text, and whether its type follows from it.
    Scalar(String, bool),
    Sequence(Vec<Id>),
    Mapping(Vec<(Id, Id)>),
    Alias(String, Id),
}

pub(super) struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Id,
}

struct Parser {
    scanner: Scanner,
    nodes: Vec<Node>,
    anchors: HashMap<String, Id>,
    directives: Vec<(String, String)>,
    depth: usize,
}

/// Deepest nesting, as of JSON.
pub(super) const MAX_DEPTH: usize = 200;

/// The first document of a text, when there is one.
pub(super) fn parse(text: &str) -> R<Option<Document>> {
    let mut p = Parser {
        scanner: Scanner::new(text)?,
        nodes: Vec::new(),
        anchors: HashMap::new(),
        directives: Vec::new(),
        depth: 0,
    };
    p.document()
}

fn fault(what: impl Into<String>, at: Mark, context: Mark) -> Fault {
    let line = if at.line > 0 { at.line } else { context.line };
    Fault { line, what: what.into() }
}

impl Parser {
    fn peek(&mut self) -> R<(&Tok, Mark)> {
        self.scanner.peek().map(|t| (&t.tok, t.start))
    }
    fn next_is(&mut self, tok: &Tok) -> R<bool> {
        Ok(self.peek()?.0 == tok)
    }
    /// Takes the next token when it is `tok`.
    fn accept(&mut self, tok: &Tok) -> R<bool> {
        let found = self.next_is(tok)?;
        if found {
            self.scanner.take();
        }
        Ok(found)
    }
    fn document(&mut self) -> R<Option<Document>> {
        let (tok, _) = self.peek()?;
        let explicit = matches!(tok, Tok::Version(..) | Tok::TagDirective(..) | Tok::DocumentStart);
        if *tok == Tok::StreamEnd {
            return Ok(None);
        }
        let mut version = false;
        loop {
            let (tok, at) = self.peek()?;
            match tok {
                Tok::Version(major, minor) => {
                    let right = (*major, *minor) == (1, 1);
                    if version {
                        return Err(fault("found duplicate %YAML directive", at, at));
                    }
                    if !right {
                        return Err(fault("found incompatible YAML document", at, at));
                    }
                    version = true;
                }
                Tok::TagDirective(handle, prefix) => {
                    let new = (handle.clone(), prefix.clone());
                    if self.directives.iter().any(|d| d.0 == new.0) {
                        return Err(fault("found duplicate %TAG directive", at, at));
                    }
                    self.directives.push(new);
                }
                _ => break,
            }
            self.scanner.take();
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.directives.iter().any(|d| d.0 == handle) {
                self.directives.push((handle.into(), prefix.into()));
            }
        }
        let root = if explicit {
            let (_, at) = self.peek()?;
            if !self.accept(&Tok::DocumentStart)? {
                return Err(fault("did not find expected <document start>", at, at));
            }
            let (tok, at) = self.peek()?;
            if matches!(
                tok,
                Tok::Version(..)
                    | Tok::TagDirective(..)
                    | Tok::DocumentStart
                    | Tok::DocumentEnd
                    | Tok::StreamEnd
            ) {
                self.empty(at)
            } else {
                self.node(true, false)?
            }
        } else {
            self.node(true, false)?
        };
        // What is behind the document must be scanned, and is not looked at.
        self.peek()?;
        Ok(Some(Document { nodes: std::mem::take(&mut self.nodes), root }))
    }
    fn add(&mut self, line: usize, tag: String, kind: Kind) -> Id {
        self.nodes.push(Node { line, tag, kind });
        self.nodes.len() - 1
    }
    fn empty(&mut self, at: Mark) -> Id {
        self.add(at.line, String::new(), Kind::Scalar(String::new(), true))
    }
    fn node(&mut self, block: bool, indentless: bool) -> R<Id> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let (_, at) = self.peek()?;
            let what = format!("nested more than {MAX_DEPTH} levels deep");
            return Err(fault(what, at, at));
        }
        let id = self.node_inside(block, indentless)?;
        self.depth -= 1;
        Ok(id)
    }
    fn node_inside(&mut self, block: bool, indentless: bool) -> R<Id> {
        let (tok, mut start) = self.peek()?;
        if let Tok::Alias(name) = tok {
            let name = name.clone();
            self.scanner.take();
            let Some(&of) = self.anchors.get(&name) else {
                let what = format!("unknown anchor '{name}' referenced");
                return Err(Fault { line: 0, what });
            };
            return Ok(self.add(start.line, String::new(), Kind::Alias(name, of)));
        }
        let (mut anchor, mut tag) = (None, None);
        let first = start;
        for _ in 0..2 {
            match self.peek()? {
                (Tok::Anchor(name), _) if anchor.is_none() => anchor = Some(name.clone()),
                (Tok::Tag(handle, suffix), at) if tag.is_none() => {
                    tag = Some((handle.clone(), suffix.clone(), at));
                }
                _ => break,
            }
            self.scanner.take();
            start = first;
        }
        let tag = match tag {
            None => String::new(),
            Some((handle, suffix, _)) if handle.is_empty() => suffix,
            Some((handle, suffix, at)) => {
                let known = self.directives.iter().find(|d| d.0 == handle);
                let text = known.map(|d| format!("{}{suffix}", d.1)).unwrap_or_default();
                if text.is_empty() {
                    return Err(fault("found undefined tag handle", at, start));
                }
                text
            }
        };
        let line = start.line;
        let (tok, at) = self.peek()?;
        let kind = match tok {
            Tok::BlockEntry if indentless => Kind::Sequence(Vec::new()),
            Tok::Scalar(text, plain) => {
                let implicit = (tag.is_empty() && *plain) || tag == "!";
                let kind = Kind::Scalar(text.clone(), implicit);
                self.scanner.take();
                let id = self.add(line, tag, kind);
                self.name(anchor, id);
                return Ok(id);
            }
            Tok::FlowSequence => Kind::Sequence(Vec::new()),
            Tok::BlockSequence if block => Kind::Sequence(Vec::new()),
            Tok::FlowMapping => Kind::Mapping(Vec::new()),
            Tok::BlockMapping if block => Kind::Mapping(Vec::new()),
            _ if anchor.is_some() || !tag.is_empty() => {
                let implicit = tag.is_empty();
                let id = self.add(line, tag, Kind::Scalar(String::new(), implicit));
                self.name(anchor, id);
                return Ok(id);
            }
            _ => return Err(fault("did not find expected node content", at, start)),
        };
        // The anchor is known inside what it names.
        let id = self.add(line, tag, kind);
        self.name(anchor, id);
        let (tok, at) = self.peek()?;
        let tok = tok.clone();
        let kind = match tok {
            Tok::BlockEntry => Kind::Sequence(self.indentless()?),
            Tok::FlowSequence => Kind::Sequence(self.flow_sequence(at)?),
            Tok::BlockSequence => Kind::Sequence(self.block_sequence(at)?),
            Tok::FlowMapping => Kind::Mapping(self.flow_mapping(at)?),
            _ => Kind::Mapping(self.block_mapping(at)?),
        };
        self.nodes[id].kind = kind;
        Ok(id)
    }
    fn name(&mut self, anchor: Option<String>, id: Id) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
    }
    /// A node, or nothing when one of `ends` comes next.
    fn node_unless(&mut self, ends: &[Tok], mark: Mark, block: bool, indentless: bool) -> R<Id> {
        if ends.contains(self.peek()?.0) {
            return Ok(self.empty(mark));
        }
        self.node(block, indentless)
    }
    fn block_sequence(&mut self, start: Mark) -> R<Vec<Id>> {
        self.scanner.take();
        let mut items = Vec::new();
        loop {
            if self.accept(&Tok::BlockEnd)? {
                return Ok(items);
            }
            let token = self.scanner.peek()?;
            let (at, end) = (token.start, token.end);
            if !self.accept(&Tok::BlockEntry)? {
                return Err(fault("did not find expected '-' indicator", at, start));
            }
            items.push(self.node_unless(&[Tok::BlockEntry, Tok::BlockEnd], end, true, false)?);
        }
    }
    fn indentless(&mut self) -> R<Vec<Id>> {
        let mut items = Vec::new();
        loop {
            let end = self.scanner.peek()?.end;
            if !self.accept(&Tok::BlockEntry)? {
                return Ok(items);
            }
            let ends = [Tok::BlockEntry, Tok::Key, Tok::Value, Tok::BlockEnd];
            items.push(self.node_unless(&ends, end, true, false)?);
        }
    }
    fn block_mapping(&mut self, start: Mark) -> R<Vec<(Id, Id)>> {
        const ENDS: [Tok; 3] = [Tok::Key, Tok::Value, Tok::BlockEnd];
        self.scanner.take();
        let mut entries = Vec::new();
        loop {
            if self.accept(&Tok::BlockEnd)? {
                return Ok(entries);
            }
            let token = self.scanner.peek()?;
            let (at, end) = (token.start, token.end);
            if !self.accept(&Tok::Key)? {
                return Err(fault("did not find expected key", at, start));
            }
            let key = self.node_unless(&ENDS, end, true, true)?;
            let token = self.scanner.peek()?;
            let (at, end) = (token.start, token.end);
            let value = if self.accept(&Tok::Value)? {
                self.node_unless(&ENDS, end, true, true)?
            } else {
                self.empty(at)
            };
            entries.push((key, value));
        }
    }
    fn flow_sequence(&mut self, start: Mark) -> R<Vec<Id>> {
        self.scanner.take();
        let mut items = Vec::new();
        loop {
            if self.accept(&Tok::FlowSequenceEnd)? {
                return Ok(items);
            }
            let (_, at) = self.peek()?;
            if !items.is_empty() {
                if !self.accept(&Tok::FlowEntry)? {
                    return Err(fault("did not find expected ',' or ']'", at, start));
                }
                if self.accept(&Tok::FlowSequenceEnd)? {
                    return Ok(items);
                }
            }
            let (_, at) = self.peek()?;
            if !self.accept(&Tok::Key)? {
                items.push(self.node(false, false)?);
                continue;
            }
            // A mapping of one entry.
            let ends = [Tok::Value, Tok::FlowEntry, Tok::FlowSequenceEnd];
            let token = self.scanner.peek()?;
            let end = token.end;
            let key = if ends.contains(&token.tok) {
                // The token is taken, whatever it is.
                self.scanner.take();
                self.empty(end)
            } else {
                self.node(false, false)?
            };
            let (_, mark) = self.peek()?;
            let value = if self.accept(&Tok::Value)? {
                let (_, mark) = self.peek()?;
                self.node_unless(&[Tok::FlowEntry, Tok::FlowSequenceEnd], mark, false, false)?
            } else {
                self.empty(mark)
            };
            items.push(self.add(at.line, String::new(), Kind::Mapping(vec![(key, value)])));
        }
    }
    fn flow_mapping(&mut self, start: Mark) -> R<Vec<(Id, Id)>> {
        self.scanner.take();
        let mut entries = Vec::new();
        loop {
            if self.accept(&Tok::FlowMappingEnd)? {
                return Ok(entries);
            }
            let (_, at) = self.peek()?;
            if !entries.is_empty() {
                if !self.accept(&Tok::FlowEntry)? {
                    return Err(fault("did not find expected ',' or '}'", at, start));
                }
                if self.accept(&Tok::FlowMappingEnd)? {
                    return Ok(entries);
                }
            }
            if !self.accept(&Tok::Key)? {
                let key = self.node(false, false)?;
                let (_, mark) = self.peek()?;
                let value = self.empty(mark);
                entries.push((key, value));
                continue;
            }
            let (_, mark) = self.peek()?;
            let ends = [Tok::Value, Tok::FlowEntry, Tok::FlowMappingEnd];
            let key = self.node_unless(&ends, mark, false, false)?;
            let (_, mark) = self.peek()?;
            let value = if self.accept(&Tok::Value)? {
                let (_, mark) = self.peek()?;
                self.node_unless(&[Tok::FlowEntry, Tok::FlowMappingEnd], mark, false, false)?
            } else {
                self.empty(mark)
            };
            entries.push((key, value));
        }
    }
}
