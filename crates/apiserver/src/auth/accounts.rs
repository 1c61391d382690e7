//! Tokens of ServiceAccounts: issued for a time and an audience, signed, and checked again.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/serviceaccount` (`claims.go`, `jwt.go`,
//! `openidmetadata.go`). A token is good as long as the account and the object it is bound to are.

use std::sync::OnceLock;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE_NO_PAD};
use pintle_apimachinery::{Error, Time};
use serde_json::{Map, Value, json};

use super::User;
use super::keys::{PrivateKey, PublicKey};
use crate::core::Core;
use crate::object::{metadata, text};
use crate::status::quote;

/// Who issues tokens, unless told otherwise.
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// Seconds that clocks may differ.
const LEEWAY: i64 = 60;
/// Requests for so many seconds come from kubelets for Pods, and are for longer in truth.
pub(crate) const PROJECTED: i64 = 3_600 + 7;
/// How long those are: a year.
pub(crate) const EXTENDED: i64 = 365 * 24 * 3_600;

/// What the server issues and accepts.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    /// The first issues; tokens of all are accepted. Empty means the usual one.
    pub(crate) issuers: Vec<String>,
    /// Whom tokens are for that are for this server; empty means the issuers.
    pub(crate) audiences: Vec<String>,
    /// Keys that tokens are accepted under, beside that of the signer.
    pub(crate) keys: Vec<PublicKey>,
    /// Seconds a token may be good for at most.
    pub(crate) max_seconds: Option<i64>,
    /// Whether tokens of Pods are for a year.
    pub(crate) extend: bool,
    /// Where the keys can be read, if not here.
    pub(crate) jwks_uri: Option<String>,
    signer: OnceLock<PrivateKey>,
}

impl Default for Accounts {
    fn default() -> Self {
        Accounts {
            issuers: Vec::new(),
            audiences: Vec::new(),
            keys: Vec::new(),
            max_seconds: None,
            extend: true,
            jwks_uri: None,
            signer: OnceLock::new(),
        }
    }
}

/// An object a token names.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) uid: String,
}

/// What a token is to say.
pub(crate) struct Claims<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) account: Reference,
    /// The objects it is bound to by what tokens call them: `pod`, `node`, `secret`.
    pub(crate) bound: Vec<(&'static str, Reference)>,
    pub(crate) audiences: Vec<String>,
    pub(crate) seconds: i64,
    /// After so many seconds a token that is good for longer is to be renewed.
    pub(crate) warn_after: Option<i64>,
    pub(crate) id: String,
    pub(crate) now: Time,
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// As Go reads it: bits too many at the end are not looked at.
const READER: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

fn decode(part: &str) -> Option<Value> {
    serde_json::from_slice(&READER.decode(part).ok()?).ok()
}

impl Accounts {
    pub(crate) fn issuer(&self) -> &str {
        self.issuers.first().map_or(ISSUER, String::as_str)
    }

    /// The audiences this server is.
    pub(crate) fn own_audiences(&self) -> Vec<String> {
        match (self.audiences.as_slice(), self.issuers.as_slice()) {
            ([], []) => vec![ISSUER.to_owned()],
            ([], issuers) => issuers.to_vec(),
            (audiences, _) => audiences.to_vec(),
        }
    }

    /// Signs with `key` from now on.
    pub(crate) fn sign_with(&mut self, key: PrivateKey) {
        self.signer = OnceLock::from(key);
    }

    /// The key that signs; made when there is none.
    fn signer(&self) -> Result<&PrivateKey, Error> {
        if let Some(key) = self.signer.get() {
            return Ok(key);
        }
        let key = PrivateKey::generate()?;
        Ok(self.signer.get_or_init(|| key))
    }

    /// Every key that a token may be signed with.
    fn public_keys(&self) -> Vec<&PublicKey> {
        let mut keys: Vec<&PublicKey> = self.keys.iter().collect();
        let signer = self.signer.get().map(|key| &key.public);
        let signer = signer.filter(|key| keys.iter().all(|known| known.id != key.id));
        keys.extend(signer);
        keys
    }

    /// Writes and signs a token.
    ///
    /// # Errors
    /// There is no key, and none can be made.
    pub(crate) fn issue(&self, claims: &Claims<'_>) -> Result<String, Error> {
        let key = self.signer()?;
        let reference = |of: &Reference| {
            let mut map = Map::new();
            map.insert("name".to_owned(), of.name.as_str().into());
            if !of.uid.is_empty() {
                map.insert("uid".to_owned(), of.uid.as_str().into());
            }
            Value::Object(map)
        };
        let now = claims.now.unix();
        let mut own = Map::new();
        own.insert("namespace".to_owned(), claims.namespace.into());
        own.insert("serviceaccount".to_owned(), reference(&claims.account));
        for (what, of) in &claims.bound {
            own.insert((*what).to_owned(), reference(of));
        }
        if let Some(seconds) = claims.warn_after {
            own.insert("warnafter".to_owned(), (now + seconds).into());
        }
        own.sort_keys();
        let subject = format!("system:serviceaccount:{}:{}", claims.namespace, claims.account.name);
        let body = json!({
            "aud": claims.audiences,
            "exp": now.saturating_add(claims.seconds),
            "iat": now,
            "iss": self.issuer(),
            "jti": claims.id,
            "kubernetes.io": own,
            "nbf": now,
            "sub": subject,
        });
        let head = json!({"alg": key.public.algorithm(), "kid": key.public.id});
        let message = format!("{}.{}", encode(&head), encode(&body));
        let signature = key.sign(message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Whom a token is of, and for which of `wanted` audiences. `Ok(None)` is a token of somebody
    /// else's.
    ///
    /// # Errors
    /// What is wrong with it, in Kubernetes' words.
    pub(crate) fn check(
        &self,
        core: &Core,
        token: &str,
        wanted: &[String],
    ) -> Result<Option<(User, Vec<String>)>, String> {
        let mut parts = token.split('.');
        let (Some(head), Some(body), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Ok(None);
        };
        let (Some(known), Some(claims)) = (decode(head), decode(body)) else { return Ok(None) };
        let (Some(claims), Ok(bytes)) = (claims.as_object(), READER.decode(signature)) else {
            return Ok(None);
        };
        let issuer = text(claims, "iss");
        let ours = issuer == self.issuer() || self.issuers.iter().any(|own| own == issuer);
        if !ours {
            return Ok(None);
        }
        let message = &token[..head.len() + 1 + body.len()];
        let id = known["kid"].as_str().unwrap_or_default();
        let mut keys = self.public_keys();
        if keys.iter().any(|key| key.id == id) {
            keys.retain(|key| key.id == id);
        }
        let algorithm = known["alg"].as_str().unwrap_or_default();
        let signed = keys
            .iter()
            .filter(|key| key.algorithm() == algorithm)
            .any(|key| key.verifies(message.as_bytes(), &bytes));
        if !signed {
            return Err("go-jose/go-jose: error in cryptographic primitive".to_owned());
        }
        let audiences: Vec<&str> = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let shared: Vec<String> = audiences
            .iter()
            .filter(|audience| wanted.iter().any(|wanted| wanted == *audience))
            .map(|audience| (*audience).to_owned())
            .collect();
        if shared.is_empty() {
            let list = |all: &[&str]| {
                let all: Vec<String> = all.iter().map(|one| quote(one)).collect();
                format!("[{}]", all.join(" "))
            };
            let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
            return Err(format!(
                "token audiences {} is invalid for the target audiences {}",
                list(&audiences),
                list(&wanted)
            ));
        }
        Ok(Some((valid_user(core, claims)?, shared)))
    }

    /// `/.well-known/openid-configuration`.
    pub(crate) fn configuration(&self, host: &str) -> Value {
        // Without a key there is none to name yet.
        let _ = self.signer();
        let mut algorithms: Vec<&str> =
            self.public_keys().iter().map(|key| key.algorithm()).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        let jwks = match &self.jwks_uri {
            Some(uri) => uri.clone(),
            None => format!("https://{host}/openid/v1/jwks"),
        };
        json!({
            "issuer": self.issuer(),
            "jwks_uri": jwks,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": algorithms,
        })
    }

    /// `/openid/v1/jwks`.
    pub(crate) fn key_set(&self) -> Value {
        let _ = self.signer();
        let keys: Vec<Value> = self.public_keys().iter().filter_map(|key| key.jwk()).collect();
        json!({ "keys": keys })
    }
}

/// The user of claims whose signature is right, if they still hold.
fn valid_user(core: &Core, claims: &Map<String, Value>) -> Result<User, String> {
    let now = (core.clock)().unix();
    let number = |key: &str| claims.get(key).and_then(Value::as_f64).map(|n| n as i64);
    if number("nbf").is_some_and(|from| now.saturating_add(LEEWAY) < from) {
        return Err("service account token is not valid yet".to_owned());
    }
    if number("exp").is_some_and(|until| now.saturating_sub(LEEWAY) > until) {
        return Err("service account token has expired".to_owned());
    }
    if number("iat").is_some_and(|at| now.saturating_add(LEEWAY) < at) {
        return Err("service account token is issued in the future".to_owned());
    }
    let empty = Map::new();
    let own = claims.get("kubernetes.io").and_then(Value::as_object).unwrap_or(&empty);
    let reference = |what: &str| {
        let of = own.get(what)?.as_object()?;
        Some(Reference { name: text(of, "name").to_owned(), uid: text(of, "uid").to_owned() })
    };
    // UID and the time of deletion of an object there is.
    let find = |plural: &str, namespace: &str, name: &str| {
        let key = match namespace {
            "" => format!("/registry/{plural}/{name}"),
            namespace => format!("/registry/{plural}/{namespace}/{name}"),
        };
        let object = core.store.get(&key)?.value.object(None);
        let meta = metadata(&object);
        let deleted = Time::parse(text(meta, "deletionTimestamp")).ok();
        let gone = deleted.is_some_and(|at| at.unix() < now - LEEWAY);
        Some((text(meta, "uid").to_owned(), gone))
    };
    let namespace = text(own, "namespace");
    let account = reference("serviceaccount")
        .unwrap_or(Reference { name: String::new(), uid: String::new() });
    let Some((uid, gone)) = find("serviceaccounts", namespace, &account.name) else {
        return Err(format!("serviceaccounts {} not found", quote(&account.name)));
    };
    if uid != account.uid {
        return Err(format!("service account UID ({uid}) does not match claim ({})", account.uid));
    }
    if gone {
        return Err(format!("service account {namespace}/{} has been deleted", account.name));
    }
    let invalidated = || "service account token has been invalidated".to_owned();
    let holds = |plural: &str, namespace: &str, what: &str, of: &Reference| {
        let (uid, gone) = find(plural, namespace, &of.name).ok_or_else(invalidated)?;
        if uid != of.uid {
            let (title, claim) = match what {
                "secret" => ("secret", "service account secret ref claim"),
                "pod" => ("pod", "service account pod ref claim"),
                _ => ("node", "service account node ref claim"),
            };
            return Err(format!("{title} UID ({uid}) does not match {claim} ({})", of.uid));
        }
        if gone { Err(invalidated()) } else { Ok(()) }
    };
    let (secret, pod, node) = (reference("secret"), reference("pod"), reference("node"));
    if let Some(of) = &secret {
        holds("secrets", namespace, "secret", of)?;
    }
    match (&pod, &node) {
        (Some(of), _) => holds("pods", namespace, "pod", of)?,
        (None, Some(of)) => holds("nodes", "", "node", of)?,
        _ => {}
    }
    let mut user = User::new(
        format!("system:serviceaccount:{namespace}:{}", account.name),
        account_groups(namespace),
    );
    user.uid = uid;
    let id = text(claims, "jti");
    let mut extra = |key: &str, value: String| {
        if !value.is_empty() {
            user.extra.insert(format!("authentication.kubernetes.io/{key}"), vec![value]);
        }
    };
    if !id.is_empty() {
        extra("credential-id", format!("JTI={id}"));
    }
    for (what, of) in [("pod", pod), ("node", node)] {
        if let Some(of) = of {
            extra(&format!("{what}-name"), of.name);
            extra(&format!("{what}-uid"), of.uid);
        }
    }
    Ok(user)
}

/// The groups of every account of a namespace.
pub(crate) fn account_groups(namespace: &str) -> Vec<String> {
    vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]
}
