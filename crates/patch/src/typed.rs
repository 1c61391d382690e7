//! Typed objects as JSON values and back.

use pintle_apimachinery::{Codec, Decoder, Error, Format};
use serde_json::{Map, Value};

use crate::error::{Reason, fail};

/// The JSON form of an object.
pub(crate) fn to_value<T: Codec>(object: &T) -> Result<Value, Error> {
    let mut json = Vec::new();
    object.encode(Format::Json, &mut json)?;
    serde_json::from_slice(&json).map_err(|e| Error::encode(format!("not JSON: {e}")))
}

/// The JSON form of an object, which must be an object.
pub(crate) fn to_object<T: Codec>(object: &T) -> Result<Map<String, Value>, Error> {
    match to_value(object)? {
        Value::Object(map) => Ok(map),
        _ => Err(fail(Reason::Malformed, "the JSON form of the type is not an object")),
    }
}

/// The object of a JSON form.
pub(crate) fn from_value<T: Codec>(value: &Value) -> Result<T, Error> {
    let json = serde_json::to_vec(value).map_err(|e| Error::encode(format!("not JSON: {e}")))?;
    T::decode(&json, Format::Json, &mut Decoder::new())
}
