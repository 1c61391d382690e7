//! What is not among Go's answers in `tests/answers`.

use super::*;
use crate::{Codec, Decoder, Format, Unstructured};

#[test]
fn errors_of_objects() {
    #[track_caller]
    fn check(json: &str, expect: Result<&str, &str>) {
        let object = Unstructured::decode(json.as_bytes(), Format::Json, &mut Decoder::new());
        let error = Error::from_object(&object.unwrap());
        match expect {
            Ok(reason) => assert_eq!(error.reason(), reason),
            Err(message) => {
                assert!(error.status().is_none());
                assert_eq!(error.to_string(), message);
            }
        }
    }
    check(r#"{"kind":"Status","apiVersion":"v1","reason":"Expired","code":410}"#, Ok("Expired"));
    check(r#"{"kind":"Status","apiVersion":"meta.k8s.io/v1","reason":"Gone"}"#, Ok("Gone"));
    check(
        r#"{"kind":"Status","apiVersion":"x/v1","reason":"Gone"}"#,
        Err("unexpected object: x/v1, Kind=Status"),
    );
    // Never the object itself, which may be a secret.
    check(
        r#"{"kind":"Secret","apiVersion":"v1","data":{"password":"aHVudGVyMg=="}}"#,
        Err("unexpected object: /v1, Kind=Secret"),
    );
    assert_eq!(Error::from_object(&Status::gone("x")).reason(), "Gone");
}

#[test]
fn only_server_timeouts_ask_for_no_time_at_all() {
    #[track_caller]
    fn check(status: Status, expect: Option<u32>) {
        assert_eq!(Error::from(status).retry_after_seconds(), expect);
    }
    let pods = &GroupResource::from_static("", "pods");
    check(Status::server_timeout(pods, "get", 0), Some(0));
    check(Status::server_timeout(pods, "get", 7), Some(7));
    check(Status::server_timeout(pods, "get", -7), Some(0));
    check(Status::too_many_requests("m", 0), None);
    check(Status::too_many_requests("m", 2), Some(2));
    check(Status::gone("m"), None);
    assert_eq!(Error::timeout("local").retry_after_seconds(), None);
}

#[test]
fn a_status_as_an_error_and_back() {
    let pods = &GroupResource::from_static("", "pods");
    let error = Error::from(Status::not_found(pods, "a\"b"));
    assert_eq!(error.to_string(), "pods \"a\\\"b\" not found (404)");
    assert_eq!(error.status().unwrap().details.as_ref().unwrap().kind, "pods");
    assert!(error.cause("x").is_none() && !error.is_unexpected_server_error());
    assert!(!error.status().unwrap().is_success());
}
