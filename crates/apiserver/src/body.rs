//! Bodies of answers: bytes, or the frames of a watch.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::handlers::watch::Watch;

/// The body of an answer: the whole of it, or a watch's frames as they come.
pub struct Body {
    content: Content,
    breaks: Breaks,
}

enum Content {
    Full(Option<Bytes>),
    Watch(Box<Watch>),
}

/// Whether the body ends in the middle, in a test.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Never,
    InFirstFrame,
    Now,
}

impl Body {
    fn new(content: Content) -> Self {
        Body { content, breaks: Breaks::Never }
    }

    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        Body::new(Content::Full(Some(bytes.into()).filter(|bytes| !bytes.is_empty())))
    }

    pub(crate) fn watch(watch: Watch) -> Self {
        Body::new(Content::Watch(Box::new(watch)))
    }

    /// The same body, until the middle of its first frame.
    pub(crate) fn break_off(mut self) -> Self {
        self.breaks = Breaks::InFirstFrame;
        self
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.content {
            Content::Full(_) => f.write_str("Body::Full"),
            Content::Watch(_) => f.write_str("Body::Watch"),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.breaks == Breaks::Now {
            let error = io::Error::new(io::ErrorKind::ConnectionReset, "broken off by a fault");
            return Poll::Ready(Some(Err(error)));
        }
        let frame = match &mut self.content {
            Content::Full(bytes) => bytes.take(),
            Content::Watch(watch) => std::task::ready!(watch.poll_frames(cx)),
        };
        let Some(mut bytes) = frame else { return Poll::Ready(None) };
        if self.breaks == Breaks::InFirstFrame {
            self.breaks = Breaks::Now;
            bytes.truncate(bytes.len() / 2);
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.breaks == Breaks::Never && matches!(self.content, Content::Full(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Content::Watch(_) => SizeHint::default(),
        }
    }
}
