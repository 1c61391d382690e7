//! Bodies of answers: bytes, or the frames of a watch.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::handlers::watch::Watch;

/// The body of an answer: the whole of it, or a watch's frames as they come.
pub struct Body(Inner);

enum Inner {
    Full(Option<Bytes>),
    Watch(Box<Watch>),
}

impl Body {
    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        Body(Inner::Full(Some(bytes.into()).filter(|bytes| !bytes.is_empty())))
    }

    pub(crate) fn watch(watch: Watch) -> Self {
        Body(Inner::Watch(Box::new(watch)))
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Inner::Full(_) => f.write_str("Body::Full"),
            Inner::Watch(_) => f.write_str("Body::Watch"),
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
        match &mut self.0 {
            Inner::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Inner::Watch(watch) => {
                watch.poll_frames(cx).map(|frame| frame.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Inner::Full(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Inner::Watch(_) => SizeHint::default(),
        }
    }
}
