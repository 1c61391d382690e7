//! Events about objects, counted, aggregated and kept from flooding the server. Go counterpart:
//! `tools/record`.
//!
//! The correlator is a pure state machine; the recorder puts events into a bounded queue, and one
//! task correlates and writes them.

mod correlator;
mod recorder;
mod sink;

pub use correlator::CorrelatorOptions;
pub use recorder::{EventRecorder, EventType, RecorderOptions};
pub use sink::EventSink;
