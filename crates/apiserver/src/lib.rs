//! An embedded Kubernetes API server for tests and local development.

mod storage;
