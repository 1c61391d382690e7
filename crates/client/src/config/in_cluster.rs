//! The configuration of a program in a pod (Go: `rest.InClusterConfig`).

use super::load::Environment;
use super::{Config, Pem};
use crate::Error;
use crate::error::config as error;

pub(super) const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) fn is_possible(env: &Environment) -> bool {
    env.var("KUBERNETES_SERVICE_HOST").is_some()
        && env.var("KUBERNETES_SERVICE_PORT").is_some()
        && env.service_account.join("token").is_file()
}

pub(super) fn in_cluster(env: &Environment) -> Result<Config, Error> {
    let (Some(host), Some(port)) =
        (env.var("KUBERNETES_SERVICE_HOST"), env.var("KUBERNETES_SERVICE_PORT"))
    else {
        return Err(error(
            "this is not a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set",
        ));
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let token = env.service_account.join("token");
    if let Err(e) = std::fs::read(&token) {
        return Err(error(format!(
            "the service account token {} cannot be read: {e}; is automountServiceAccountToken off?",
            token.display()
        )));
    }
    let mut config = Config::new(format!("https://{host}:{port}"))?;
    config.proxy = crate::Proxy::from_lookup(&*env.vars);
    config.credentials.token_file = Some(token);
    let authorities = env.service_account.join("ca.crt");
    if authorities.is_file() {
        config.tls.authorities = Some(Pem::File(authorities));
    } else {
        tracing::warn!(file = %authorities.display(), "no such file; using the system's certificate authorities");
    }
    config.default_namespace = namespace(env);
    Ok(config)
}

fn namespace(env: &Environment) -> String {
    if let Some(namespace) = env.var("POD_NAMESPACE") {
        return namespace;
    }
    std::fs::read_to_string(env.service_account.join("namespace"))
        .ok()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "default".into())
}
