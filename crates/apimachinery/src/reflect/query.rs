//! Messages as query parameters. Go: `conversion/queryparams.Convert`.
use super::{FieldRef, INLINE, Message, NOJSON, OMITEMPTY, is_empty};
use crate::QueryPairs;

/// The fields of options as query parameters; those of a struct inside are among them, maps and
/// lists of structs are left out. Go: `queryparams.Convert`, `ParameterCodec.EncodeParameters`.
///
/// ```
/// use pintle_apimachinery::{meta_v1::DeleteOptions, reflect};
/// let mut options = DeleteOptions::default();
/// options.grace_period_seconds = Some(0);
/// options.dry_run = ["All".into()].into_iter().collect();
/// assert_eq!(reflect::to_query(&options).encode(), "dryRun=All&gracePeriodSeconds=0");
/// ```
pub fn to_query(m: &dyn Message) -> QueryPairs {
    let mut out = QueryPairs::new();
    fields(m, &mut out);
    out
}

fn fields(m: &dyn Message, out: &mut QueryPairs) {
    for (f, v) in m.desc().fields.iter().zip(m.fields().iter()) {
        let omits = f.flags & OMITEMPTY != 0;
        if f.flags & (NOJSON | INLINE) != 0 || (omits && is_empty(v)) {
            continue;
        }
        match v {
            FieldRef::Msg(m) | FieldRef::OptMsg(Some(m)) => fields(m, out),
            FieldRef::List(l) => {
                for i in 0..l.len() {
                    let element = l.at(i);
                    if let Some(text) = scalar(element)
                        && !(omits && is_empty(element))
                    {
                        out.push(f.name, text);
                    }
                }
            }
            v => {
                if let Some(text) = scalar(v) {
                    out.push(f.name, text);
                }
            }
        }
    }
}

fn scalar(v: FieldRef<'_>) -> Option<String> {
    use FieldRef as F;
    Some(match v {
        F::Str(v) | F::OptStr(Some(v)) => v.to_string(),
        F::I32(v) | F::OptI32(Some(v)) => v.to_string(),
        F::I64(v) | F::OptI64(Some(v)) => v.to_string(),
        F::Bool(v) | F::OptBool(Some(v)) => v.to_string(),
        F::F64(v) | F::OptF64(Some(v)) => v.to_string(),
        F::OptStr(None)
        | F::OptI32(None)
        | F::OptI64(None)
        | F::OptBool(None)
        | F::OptF64(None) => String::new(),
        _ => return None,
    })
}
