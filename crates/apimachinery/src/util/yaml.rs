//! The documents of a YAML stream. Go: `YAMLReader`, `NewDocumentDecoder` and `IsJSONBuffer` of
//! `k8s.io/apimachinery/pkg/util/yaml`.
//!
//! Go has two ways to cut, and so has this: [`YamlSplitter`] goes line by line and is what `kubectl
//! apply -f` uses, [`YamlFramer`] looks for `\n---` and frames the bodies of requests. Neither
//! parses: `---` in a block of text cuts too.

use crate::ParseError;

/// Cuts a stream into documents at lines that begin with `---`, after which only a comment may
/// follow. Line ends become `\n`, and a document ends with one. Go: `YAMLReader`.
///
/// The line `---` stays at the beginning of a document that it begins without ending another, so
/// that `---\na: 1` is one document, and two such lines make a document of the first one alone.
///
/// # Example: as it arrives
/// ```
/// use pintle_apimachinery::util::YamlSplitter;
///
/// let mut splitter = YamlSplitter::new();
/// splitter.feed(b"a: 1\r\n--- # the second");
/// assert_eq!(splitter.next()?, None);
/// splitter.feed(b"\nb: 2");
/// assert_eq!(splitter.next()?.as_deref(), Some(&b"a: 1\n"[..]));
/// assert_eq!(splitter.next()?, None);
/// assert_eq!(splitter.finish()?, [b"b: 2\n"]);
/// # Ok::<(), pintle_apimachinery::ParseError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct YamlSplitter {
    buffer: Vec<u8>,
    /// Where the next line begins.
    at: usize,
    /// Up to where there is no line end.
    searched: usize,
    document: Vec<u8>,
}

const SEPARATOR: &[u8] = b"---";

impl YamlSplitter {
    /// Nothing was fed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next part of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.searched -= self.at;
            self.at = 0;
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// The next document that is there as a whole, which is known when the next begins.
    ///
    /// # Errors
    /// `invalid Yaml document separator: ...` if something else than a comment follows `---`. The
    /// document before it is lost, and the next call goes on after it.
    #[allow(clippy::should_implement_trait)] // that more may come is no end
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, ParseError> {
        while let Some(found) = self.buffer[self.searched..].iter().position(|b| *b == b'\n') {
            let end = self.searched + found;
            let carriage_return = end > self.at && self.buffer[end - 1] == b'\r';
            let line = self.at..end - usize::from(carriage_return);
            (self.at, self.searched) = (end + 1, end + 1);
            if let Some(document) = self.line(line)? {
                return Ok(Some(document));
            }
        }
        self.searched = self.buffer.len();
        Ok(None)
    }

    /// Takes a line, and gives the document that it ends.
    fn line(&mut self, line: std::ops::Range<usize>) -> Result<Option<Vec<u8>>, ParseError> {
        let line = &self.buffer[line];
        let mut ended = None;
        if let Some(rest) = line.strip_prefix(SEPARATOR) {
            let rest = String::from_utf8_lossy(rest);
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                self.document.clear();
                let message = format!("invalid Yaml document separator: {rest}");
                return Err(ParseError::new(message));
            }
            if !self.document.is_empty() {
                ended = Some(std::mem::take(&mut self.document));
            }
        }
        if ended.is_none() {
            self.document.extend_from_slice(line);
            self.document.push(b'\n');
        }
        Ok(ended)
    }

    /// The documents that are left when the stream ends here.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn finish(mut self) -> Result<Vec<Vec<u8>>, ParseError> {
        let mut documents = Vec::new();
        while let Some(document) = self.next()? {
            documents.push(document);
        }
        if self.at < self.buffer.len() {
            documents.extend(self.line(self.at..self.buffer.len())?);
        }
        if !self.document.is_empty() {
            documents.push(self.document);
        }
        Ok(documents)
    }
}

/// The documents of a text, as [`YamlSplitter`] cuts it.
/// Go: `YAMLReader.Read` until the end.
///
/// ```
/// use pintle_apimachinery::util::yaml_documents;
/// let documents = yaml_documents("a: 1\n---\nb: 2\n")?;
/// assert_eq!(documents, ["a: 1\n", "b: 2\n"]);
/// assert!(yaml_documents("a: 1\n---b: 2\n").is_err());
/// # Ok::<(), pintle_apimachinery::ParseError>(())
/// ```
///
/// # Errors
/// `invalid Yaml document separator: ...` if something else than a comment follows `---`.
pub fn yaml_documents(text: &str) -> Result<Vec<String>, ParseError> {
    let mut splitter = YamlSplitter::new();
    splitter.feed(text.as_bytes());
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into())
    };
    Ok(splitter.finish()?.into_iter().map(text).collect())
}

/// Cuts a stream at each `\n---`, whatever follows it on the line, and leaves everything else as it
/// is. Go: `NewDocumentDecoder`, which frames YAML bodies; it gives up on a document of more than
/// 5 MiB, and so does this.
///
/// ```
/// use pintle_apimachinery::util::YamlFramer;
///
/// let mut framer = YamlFramer::new();
/// framer.feed(b"a: 1\r\n--- # next\nb: 2\n");
/// assert_eq!(framer.next()?.as_deref(), Some(&b"a: 1\r"[..]));
/// assert_eq!(framer.next()?, None);
/// assert_eq!(framer.finish()?, [b"b: 2\n"]);
/// # Ok::<(), pintle_apimachinery::ParseError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct YamlFramer {
    buffer: Vec<u8>,
    at: usize,
    /// Up to where there is no separator, from `at`.
    searched: usize,
}

const LINE_AND_SEPARATOR: &[u8] = b"\n---";
const MOST: usize = 5 << 20;

impl YamlFramer {
    /// Nothing was fed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next part of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(chunk);
    }

    /// The next document that is there as a whole, with the line that ends it.
    ///
    /// # Errors
    /// The document is too long.
    #[allow(clippy::should_implement_trait)] // that more may come is no end
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, ParseError> {
        let rest = &self.buffer[self.at..];
        let separator = separator_in(rest, self.searched);
        self.searched =
            separator.unwrap_or(rest.len().saturating_sub(LINE_AND_SEPARATOR.len() - 1));
        let end = separator.and_then(|separator| {
            let after = separator + LINE_AND_SEPARATOR.len();
            let line_end = rest[after..].iter().position(|b| *b == b'\n')?;
            Some((separator, after + line_end + 1))
        });
        match end {
            Some((separator, next)) if next <= MOST => {
                let document = rest[..separator].to_vec();
                self.at += next;
                self.searched = 0;
                Ok(Some(document))
            }
            None if rest.len() < MOST => Ok(None),
            _ => Err(ParseError::new("bufio.Scanner: token too long")),
        }
    }

    /// The documents that are left when the stream ends here. Where it ends within a line that
    /// begins with `---`, Go loses the document before that line; this does not.
    ///
    /// # Errors
    /// The document is too long.
    pub fn finish(mut self) -> Result<Vec<Vec<u8>>, ParseError> {
        let mut documents = Vec::new();
        while let Some(document) = self.next()? {
            documents.push(document);
        }
        let rest = &self.buffer[self.at..];
        if !rest.is_empty() {
            documents.push(rest[..separator_in(rest, 0).unwrap_or(rest.len())].to_vec());
        }
        Ok(documents)
    }
}

/// Where the first `\n---` is, at or after `from`.
fn separator_in(bytes: &[u8], from: usize) -> Option<usize> {
    let mut windows = bytes.get(from..)?.windows(LINE_AND_SEPARATOR.len());
    windows.position(|window| window == LINE_AND_SEPARATOR).map(|found| from + found)
}

/// Whether a text is JSON rather than YAML, as its first character says: `{`. Go: `IsJSONBuffer`.
///
/// ```
/// use pintle_apimachinery::util::looks_like_json;
/// assert!(looks_like_json(b" \n{\"a\": 1}") && !looks_like_json(b"a: {}"));
/// ```
pub fn looks_like_json(bytes: &[u8]) -> bool {
    let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    text.trim_start().starts_with('{')
}
