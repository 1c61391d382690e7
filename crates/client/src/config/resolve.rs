//! From a kubeconfig and the caller's choices to one configuration (Go:
//! `clientcmd.DirectClientConfig`, `clientcmd/validation.go`).

use super::load::Environment;
use super::{
    Cluster, Config, Credentials, Identity, Impersonate, Kubeconfig, LoadOptions, Pem, Secret, Tls,
    User,
};
use crate::Error;
use crate::exec::Exec;
use crate::proxy::Proxy;
use base64::Engine;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A complaint and the file it is about.
struct Fault(PathBuf, String);

pub(super) fn resolve(
    kubeconfig: &Kubeconfig,
    options: &LoadOptions,
    env: &Environment,
) -> Result<Config, Error> {
    pick(kubeconfig, options, env).map_err(|Fault(file, complaint)| {
        crate::error::config(format!("kubeconfig {}: {complaint}", file.display()))
    })
}

fn pick(
    kubeconfig: &Kubeconfig,
    options: &LoadOptions,
    env: &Environment,
) -> Result<Config, Fault> {
    let files =
        kubeconfig.files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ");
    let whole = |complaint: String| Fault(PathBuf::from(&files), complaint);

    let context_name = choose(&options.context, &kubeconfig.current_context);
    let context = if context_name.is_empty() {
        if options.cluster.is_empty() && options.server.is_empty() {
            return Err(whole(format!(
                "current-context is not set and no context was chosen; {}",
                there_are(&kubeconfig.contexts)
            )));
        }
        super::Context::default()
    } else {
        let what = if options.context.is_empty() { "current-context" } else { "context" };
        kubeconfig.contexts.get(context_name).cloned().ok_or_else(|| {
            whole(format!(
                "{what} {context_name:?} does not exist; {}",
                there_are(&kubeconfig.contexts)
            ))
        })?
    };
    let in_context = |complaint: String| Fault(context.origin.clone(), complaint);

    let cluster_name = choose(&options.cluster, &context.cluster);
    let cluster = if cluster_name.is_empty() && !options.server.is_empty() {
        Cluster { origin: PathBuf::from(&files), ..Cluster::default() }
    } else if cluster_name.is_empty() {
        return Err(in_context(format!("context {context_name:?} names no cluster")));
    } else {
        lookup(&kubeconfig.clusters, cluster_name, "cluster", context_name, &options.cluster)
            .map_err(in_context)?
            .clone()
    };
    let user_name = choose(&options.user, &context.user);
    let user = if user_name.is_empty() {
        User::default()
    } else {
        lookup(&kubeconfig.users, user_name, "user", context_name, &options.user)
            .map_err(in_context)?
            .clone()
    };

    let mut config = cluster_part(cluster_name, &cluster, options, env)
        .map_err(|c| Fault(cluster.origin.clone(), c))?;
    let (identity, credentials) =
        user_part(user_name, &user, &cluster).map_err(|c| Fault(user.origin.clone(), c))?;
    if config.uses_tls() {
        config.tls.identity = identity;
        config.credentials = credentials;
    } else if identity.is_some() || credentials != Credentials::default() {
        tracing::warn!(
            server = %config.server,
            user = user_name,
            "the server's address is not https: the user's credentials are not sent"
        );
    }
    config.impersonate = if options.impersonate.is_empty() {
        Impersonate {
            user: user.impersonate,
            uid: user.impersonate_uid,
            groups: user.impersonate_groups,
            extra: user.impersonate_extra.into_iter().collect(),
        }
    } else {
        options.impersonate.clone()
    };
    if config.impersonate.user.is_empty() && !config.impersonate.is_empty() {
        return Err(Fault(
            user.origin,
            format!("user {user_name:?} impersonates a UID, groups or extra without a user (`as`)"),
        ));
    }
    let namespace = choose(&options.namespace, &context.namespace);
    config.default_namespace = if namespace.is_empty() { "default" } else { namespace }.to_owned();
    Ok(config)
}

fn choose<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

fn lookup<'a, T>(
    map: &'a BTreeMap<String, T>,
    name: &str,
    kind: &str,
    context: &str,
    override_: &str,
) -> Result<&'a T, String> {
    map.get(name).ok_or_else(|| {
        let there = there_are(map);
        if override_.is_empty() {
            format!("context {context:?} names {kind} {name:?}, which does not exist; {there}")
        } else {
            format!("{kind} {name:?} does not exist; {there}")
        }
    })
}

fn there_are<T>(map: &BTreeMap<String, T>) -> String {
    if map.is_empty() {
        return "there are none".into();
    }
    format!("there are: {}", map.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
}

fn cluster_part(
    name: &str,
    cluster: &Cluster,
    options: &LoadOptions,
    env: &Environment,
) -> Result<Config, String> {
    let server = choose(&options.server, &cluster.server);
    if server.is_empty() {
        return Err(format!("cluster {name:?} has no server"));
    }
    let has_tls = cluster.certificate_authority.is_some()
        || !cluster.certificate_authority_data.is_empty()
        || cluster.insecure_skip_tls_verify;
    let uri = server_uri(server, has_tls)
        .map_err(|complaint| format!("cluster {name:?}: server {complaint}"))?;
    let both = format!("cluster {name:?} has");
    let authorities = pem(
        &both,
        "certificate-authority",
        cluster.certificate_authority.as_deref(),
        &cluster.certificate_authority_data,
    )?;
    if cluster.insecure_skip_tls_verify && authorities.is_some() {
        return Err(format!(
            "cluster {name:?} has both insecure-skip-tls-verify and a certificate-authority; \
             remove one"
        ));
    }
    let mut config = Config::new(server).map_err(|e| e.to_string())?;
    config.server = uri;
    config.tls = Tls {
        authorities,
        server_name: (!cluster.tls_server_name.is_empty()).then(|| cluster.tls_server_name.clone()),
        insecure: cluster.insecure_skip_tls_verify,
        identity: None,
    };
    config.proxy = if cluster.proxy_url.is_empty() {
        Proxy::from_lookup(&*env.vars)
    } else {
        Proxy::always(&cluster.proxy_url)
            .map_err(|complaint| format!("cluster {name:?}: proxy-url {complaint}"))?
    };
    Ok(config)
}

fn user_part(
    name: &str,
    user: &User,
    cluster: &Cluster,
) -> Result<(Option<Identity>, Credentials), String> {
    if let Some(provider) = &user.auth_provider {
        return Err(format!(
            "user {name:?} uses auth-provider {provider:?}; auth providers were removed from \
             Kubernetes in 1.26, use an exec plugin, a token or a client certificate"
        ));
    }
    if let Some(fault) = user.exec.as_ref().and_then(Exec::fault) {
        return Err(format!("user {name:?}: {fault}"));
    }
    let has = format!("user {name:?} has");
    let certificate = pem(
        &has,
        "client-certificate",
        user.client_certificate.as_deref(),
        &user.client_certificate_data,
    )?;
    let key = pem(&has, "client-key", user.client_key.as_deref(), user.client_key_data.expose())?;
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
        (None, None) => None,
        (Some(_), None) => {
            return Err(format!("user {name:?} has a client-certificate but no client-key"));
        }
        (None, Some(_)) => {
            return Err(format!("user {name:?} has a client-key but no client-certificate"));
        }
    };
    let mut credentials =
        Credentials { token_file: user.token_file.clone(), ..Credentials::default() };
    let token: &Secret = &user.token;
    if !token.expose().is_empty() {
        credentials.token = Some(token.clone());
    }
    if !user.username.is_empty() || !user.password.expose().is_empty() {
        if credentials.token.is_some() || credentials.token_file.is_some() {
            return Err(format!("user {name:?} has both a token and a username; remove one"));
        }
        credentials.basic = Some((user.username.clone(), user.password.clone()));
    }
    if let Some(exec) = &user.exec {
        if credentials != Credentials::default() {
            return Err(format!("user {name:?} has both exec and another credential; remove one"));
        }
        let mut exec = exec.clone();
        exec.cluster = user.exec_wants_cluster.then(|| describe(cluster)).transpose()?;
        credentials.exec = Some(exec);
    }
    Ok((identity, credentials))
}

/// What an exec plugin is told about a cluster (Go: `clientauthentication.Cluster`).
fn describe(cluster: &Cluster) -> Result<serde_json::Value, String> {
    let mut authorities = cluster.certificate_authority_data.clone();
    if let Some(file) = &cluster.certificate_authority {
        authorities = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    let mut out = serde_json::Map::new();
    let mut put = |key: &str, value: serde_json::Value| {
        let is_empty = value.as_str().is_some_and(str::is_empty) || value == false;
        if !is_empty {
            out.insert(key.to_owned(), value);
        }
    };
    put("server", cluster.server.as_str().into());
    put("tls-server-name", cluster.tls_server_name.as_str().into());
    put("insecure-skip-tls-verify", cluster.insecure_skip_tls_verify.into());
    let encoded = base64::engine::general_purpose::STANDARD.encode(authorities);
    put("certificate-authority-data", encoded.into());
    put("proxy-url", cluster.proxy_url.as_str().into());
    if let Some(config) = &cluster.exec_extension {
        put("config", config.clone());
    }
    Ok(out.into())
}

/// `field` or `field-data`, not both; a file must be there now, so that the message can say where
/// it was named.
fn pem(has: &str, field: &str, file: Option<&Path>, data: &[u8]) -> Result<Option<Pem>, String> {
    match (file, data.is_empty()) {
        (Some(_), false) => Err(format!("{has} both {field} and {field}-data; remove one")),
        (None, true) => Ok(None),
        (None, false) => Ok(Some(Pem::Data(Secret::new(data.to_vec())))),
        (Some(file), true) => {
            if let Err(e) = std::fs::File::open(file) {
                return Err(format!("{has} {field} {}: {e}", file.display()));
            }
            Ok(Some(Pem::File(file.to_owned())))
        }
    }
}

/// An address as people write it: with a scheme or just `host:port`.
pub(super) fn server_uri(text: &str, has_tls: bool) -> Result<http::Uri, String> {
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("{}://{text}", if has_tls { "https" } else { "http" })
    };
    let uri: http::Uri = with_scheme.parse().map_err(|e| format!("{text:?} is not a URL: {e}"))?;
    match uri.scheme_str() {
        Some("https" | "http") => {}
        other => {
            return Err(format!(
                "{text:?} has the scheme {:?}; it must be https or http",
                other.unwrap_or_default()
            ));
        }
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(format!("{text:?} has no host"));
    }
    if uri.authority().is_some_and(|a| a.as_str().contains('@')) {
        return Err("holds a user name; put credentials into the user entry".into());
    }
    if uri.query().is_some() {
        return Err(format!("{text:?} has a query; only a path may follow the host"));
    }
    Ok(uri)
}
