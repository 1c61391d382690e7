//! Status: constructors, predicates, causes.
use crate::apimachinery::area::Case;
use crate::apimachinery::rng::Rng;
use serde_json::{Value, json};

const REASONS: &[&str] = &[
    "",
    "Unauthorized",
    "Forbidden",
    "NotFound",
    "AlreadyExists",
    "Conflict",
    "Gone",
    "Invalid",
    "ServerTimeout",
    "StorageReadError",
    "Timeout",
    "TooManyRequests",
    "BadRequest",
    "MethodNotAllowed",
    "NotAcceptable",
    "RequestEntityTooLarge",
    "UnsupportedMediaType",
    "InternalError",
    "Expired",
    "ServiceUnavailable",
    "Unknown",
    "notfound",
    "Custom",
];

const CODES: &[u16] = &[
    0, 100, 200, 301, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413, 415, 418, 422, 429,
    499, 500, 501, 502, 503, 504, 505, 599, 600,
];

const CONSTRUCTORS: &[&str] = &[
    "NotFound",
    "AlreadyExists",
    "GenerateNameConflict",
    "Unauthorized",
    "Forbidden",
    "Conflict",
    "ApplyConflict",
    "Gone",
    "ResourceExpired",
    "Invalid",
    "Invalid",
    "BadRequest",
    "TooManyRequests",
    "TooManyRequestsError",
    "ServiceUnavailable",
    "MethodNotSupported",
    "ServerTimeout",
    "InternalError",
    "Timeout",
    "RequestEntityTooLarge",
    "GenericServerResponse",
    "GenericServerResponse",
    "GenericServerResponse",
    "ClientError",
];

const TEXTS: &[&str] = &["", "why", "a \"b\"", "é", "unknown", "\n", "<b>&", "\u{200b}"];

fn cause(rng: &mut Rng) -> Value {
    let reasons = [
        "",
        "FieldValueInvalid",
        "FieldValueRequired",
        "UnexpectedServerResponse",
        "FieldManagerConflict",
    ];
    let mut out = json!({});
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            out[key] = value.into();
        }
    };
    put("reason", *rng.pick(&reasons));
    put("message", *rng.pick(TEXTS));
    put("field", *rng.pick(&["", "spec.a", "x"]));
    out
}

pub(super) fn statuses(rng: &mut Rng) -> Case {
    let causes: Vec<Value> = (0..rng.below(3)).map(|_| cause(rng)).collect();
    if rng.chance(50) {
        let mut status = json!({
            "status": "Failure",
            "reason": *rng.pick(REASONS),
            "code": *rng.pick(CODES),
            "message": *rng.pick(TEXTS),
        });
        if rng.chance(70) {
            status["details"] = json!({
                "retryAfterSeconds": *rng.pick(&[0, 0, 1, 30, -5, i32::MAX]),
                "causes": causes,
            });
        }
        return Case::new("status.predicates", status);
    }
    let fields: Vec<&str> =
        (0..rng.below(4)).map(|_| *rng.pick(&["spec.a", "spec.b", "x", "spec.a"])).collect();
    Case::new(
        "status.new",
        json!({
            "of": *rng.pick(CONSTRUCTORS),
            "group": *rng.pick(&["", "apps", "example.com"]),
            "resource": *rng.pick(&["", "pods", "Deployment"]),
            "name": *rng.pick(&["", "web", "a\"b", "é", "\u{7f}"]),
            "text": *rng.pick(TEXTS),
            "verb": *rng.pick(&["", "GET", "POST", "PUT", "list", "DELETE"]),
            "code": *rng.pick(CODES),
            "retryAfter": *rng.pick(&[0, 1, 30, -1, i32::MAX, i32::MIN]),
            "isUnexpected": rng.chance(50),
            "causes": causes,
            "invalidFields": fields,
        }),
    )
}
