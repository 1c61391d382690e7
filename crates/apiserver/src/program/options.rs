//! From flags to a server.
//!
//! Go counterpart: `cmd/kube-apiserver/app/options`, of which only what this server has a use for
//! is here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use pintle_apimachinery::Error;
use pintle_apiserver::{ApiServer, Builder, Controllers, User};

use super::Called;
use super::flags::{Given, all, duration};

/// Flags that say what this server does anyway, or how a real one keeps its data: not worth a word.
const IMPLIED: [&str; 8] = [
    "advertise-address",
    "allow-privileged",
    "etcd-prefix",
    "etcd-servers",
    "service-cluster-ip-range",
    "service-node-port-range",
    "v",
    "vmodule",
];

/// Flags that are looked at.
const USED: [&str; 24] = [
    "anonymous-auth",
    "api-audiences",
    "authorization-mode",
    "bind-address",
    "cert-dir",
    "client-ca-file",
    "controllers",
    "disable-admission-plugins",
    "enable-admission-plugins",
    "help",
    "kubeconfig-out",
    "max-mutating-requests-inflight",
    "max-requests-inflight",
    "secure-port",
    "service-account-extend-token-expiration",
    "service-account-issuer",
    "service-account-jwks-uri",
    "service-account-key-file",
    "service-account-max-token-expiration",
    "service-account-signing-key-file",
    "tls-cert-file",
    "tls-private-key-file",
    "token-auth-file",
    "version",
];

/// Of those, flags that are read and have no effect.
const WITHOUT_EFFECT: [&str; 2] = ["max-mutating-requests-inflight", "max-requests-inflight"];

/// A server that flags describe.
pub(crate) struct Options {
    pub(crate) builder: Builder,
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Where the certificate that the server makes is to be kept, as `apiserver.crt` and `.key`.
    pub(crate) keep_certificate: Option<PathBuf>,
    /// What is without meaning here, for one line to the user.
    pub(crate) meaningless: Vec<String>,
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::config(format!("cannot read {}: {error}", path.display())))
}

fn named<T>(path: &str, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| error.context(format_args!("file {path}")))
}

impl Options {
    /// # Errors
    /// Flags contradict each other, or a file cannot be read ([`Error::is_config`]).
    pub(crate) fn new(given: &Given, called: Called) -> Result<Self, Error> {
        let mut wrong: Vec<String> = Vec::new();
        if called == Called::KubeApiserver && given.list("etcd-servers").is_empty() {
            wrong.push("--etcd-servers must be specified".to_owned());
        }
        let port = match given.last("secure-port").map(str::parse::<u16>) {
            None if called == Called::KubeApiserver => 6443,
            None => 0,
            // Any free one.
            Some(Ok(0)) if called == Called::Itself => 0,
            Some(Ok(port)) if port > 0 => port,
            Some(_) => {
                let given = given.last("secure-port").unwrap_or_default();
                wrong.push(format!(
                    "--secure-port {given} must be between 1 and 65535, inclusive. It cannot be \
                     turned off with 0"
                ));
                0
            }
        };
        let bind = given.last("bind-address").and_then(|ip| ip.trim().parse::<IpAddr>().ok());
        let bind = bind.unwrap_or(match called {
            Called::KubeApiserver => Ipv4Addr::UNSPECIFIED.into(),
            Called::Itself => Ipv4Addr::LOCALHOST.into(),
        });
        let mut builder = ApiServer::builder().listen_on(SocketAddr::new(bind, port));

        let mut modes = given.list("authorization-mode");
        if modes.is_empty() && called == Called::KubeApiserver {
            modes.push("AlwaysAllow");
        }
        for mode in &modes {
            let known = ["ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"];
            if !known.contains(mode) {
                wrong.push(format!("authorization-mode {mode:?} is not a valid mode"));
            }
        }
        if modes.contains(&"AlwaysAllow") {
            // Nobody is to be everybody, unless somebody says so.
            builder = builder.allow_all(true).anonymous(false);
        } else if !modes.is_empty() && modes.iter().all(|mode| *mode == "AlwaysDeny") {
            builder = builder.deny_all();
        }

        let (on, off) =
            (given.list("enable-admission-plugins"), given.list("disable-admission-plugins"));
        let mut meaningless = meaningless(given);
        let mut both: Vec<&str> = on.iter().copied().filter(|name| off.contains(name)).collect();
        both.sort_unstable();
        if !both.is_empty() {
            wrong.push(format!(
                "[{}] in enable-admission-plugins and disable-admission-plugins overlapped",
                both.join(" ")
            ));
        }
        for (names, enable) in [(on, true), (off, false)] {
            for name in names {
                match builder.clone().admission_plugin(name, enable) {
                    Ok(next) => builder = next,
                    Err(error) => wrong.push(error.to_string()),
                }
                if enable && !Builder::admission_plugins().any(|known| known == name) {
                    meaningless.push(format!("--enable-admission-plugins={name}"));
                }
            }
        }
        if !wrong.is_empty() {
            let text = wrong.join(", ");
            let text = if wrong.len() > 1 { format!("[{text}]") } else { text };
            return Err(Error::config(text));
        }

        let controllers = match (given.last("controllers"), called) {
            (Some(names), _) => names.parse()?,
            (None, Called::Itself) => Controllers::all(),
            // Whoever starts kube-apiserver alone has no controllers.
            (None, Called::KubeApiserver) => Controllers::none(),
        };
        builder = builder.controllers(controllers);
        if let Some(anonymous) = given.switch("anonymous-auth") {
            builder = builder.anonymous(anonymous);
        }
        if let Some(path) = given.last("token-auth-file").filter(|path| !path.is_empty()) {
            for (token, user) in tokens(path, &read(path.as_ref())?)? {
                builder = builder.token(token, user);
            }
        }
        if let Some(path) = given.last("client-ca-file").filter(|path| !path.is_empty()) {
            builder = builder.client_ca(read(path.as_ref())?);
        }
        builder = accounts(given, builder)?;
        let (identity, keep_certificate) = identity(given)?;
        if let Some((certificate, key)) = identity {
            builder = builder.tls_identity(certificate, key);
        }
        let kubeconfig = given.last("kubeconfig-out").map(PathBuf::from);
        Ok(Options { builder, kubeconfig, keep_certificate, meaningless })
    }
}

/// Who issues tokens of ServiceAccounts, and how.
fn accounts(given: &Given, mut builder: Builder) -> Result<Builder, Error> {
    for issuer in given.list("service-account-issuer") {
        builder = builder.service_account_issuer(issuer);
    }
    for path in given.list("service-account-key-file") {
        let pem = read(path.as_ref())?;
        builder = named(path, builder.service_account_keys(&pem))?;
    }
    let signing = given.last("service-account-signing-key-file").filter(|path| !path.is_empty());
    if let Some(path) = signing {
        let pem = read(path.as_ref())?;
        builder = named(path, builder.service_account_signing_key(&pem))?;
    }
    let most = given.last("service-account-max-token-expiration").and_then(duration);
    if let Some(most) = most.filter(|most| !most.is_zero()) {
        builder = builder.service_account_max_token_expiration(most);
    }
    if let Some(extend) = given.switch("service-account-extend-token-expiration") {
        builder = builder.service_account_extend_token_expiration(extend);
    }
    if let Some(uri) = given.last("service-account-jwks-uri").filter(|uri| !uri.is_empty()) {
        builder = builder.service_account_jwks_uri(uri);
    }
    let audiences = given.list("api-audiences");
    Ok(if audiences.is_empty() { builder } else { builder.api_audiences(audiences) })
}

/// The certificate and key to serve with, or where those that the server makes are to be kept.
#[allow(clippy::type_complexity)]
fn identity(given: &Given) -> Result<(Option<(String, String)>, Option<PathBuf>), Error> {
    let file = |flag: &str| given.last(flag).filter(|path| !path.is_empty());
    match (file("tls-cert-file"), file("tls-private-key-file")) {
        (Some(certificate), Some(key)) => {
            Ok((Some((read(certificate.as_ref())?, read(key.as_ref())?)), None))
        }
        (None, None) => {
            let Some(dir) = file("cert-dir").map(PathBuf::from) else { return Ok((None, None)) };
            let (certificate, key) = (dir.join("apiserver.crt"), dir.join("apiserver.key"));
            if certificate.exists() && key.exists() {
                return Ok((Some((read(&certificate)?, read(&key)?)), None));
            }
            Ok((None, Some(dir)))
        }
        _ => Err(Error::config(
            "--tls-cert-file and --tls-private-key-file must be given both, or neither",
        )),
    }
}

fn meaningless(given: &Given) -> Vec<String> {
    let quiet = |name: &&str| {
        !IMPLIED.contains(name) && (!USED.contains(name) || WITHOUT_EFFECT.contains(name))
    };
    given.names().into_iter().filter(quiet).map(|name| format!("--{name}")).collect()
}

/// The users of a file of tokens: token, name, UID and groups a line.
fn tokens(path: &str, text: &str) -> Result<Vec<(String, User)>, Error> {
    let mut users = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let fields = csv(line);
        let [token, name, uid, rest @ ..] = fields.as_slice() else {
            return Err(Error::config(format!(
                "token file {path:?} must have at least 3 columns (token, user name, user uid), \
                 found {}",
                fields.len()
            )));
        };
        if token.is_empty() {
            continue;
        }
        let groups = rest.first().map(|groups| groups.split(',').map(str::to_owned).collect());
        let mut user = User::new(name.as_str(), groups.unwrap_or_else(Vec::<String>::new));
        user.uid = uid.clone();
        users.push((token.clone(), user));
    }
    Ok(users)
}

/// The fields of a line: with commas between them, and quotes around those that have commas.
fn csv(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.trim_end_matches('\r').chars().peekable();
    while let Some(c) = chars.next() {
        let field = fields.last_mut();
        match (c, quoted) {
            ('"', true) if chars.peek() == Some(&'"') => {
                chars.next();
                field.into_iter().for_each(|field| field.push('"'));
            }
            ('"', _) => quoted = !quoted,
            (',', false) => fields.push(String::new()),
            (c, _) => field.into_iter().for_each(|field| field.push(c)),
        }
    }
    fields
}

/// What `--help` prints.
pub(crate) fn help(called: Called) -> String {
    let name = called.name();
    let mut out = format!(
        "An API server with Kubernetes' API and nothing behind it: objects are kept in memory and \
         are gone\nwhen it ends, and no Pod runs. It takes the flags of kube-apiserver 1.37.\n\n\
         Usage:\n  {name} [flags]\n"
    );
    if called == Called::Itself {
        out += "  pintle-apiserver assets DIR\n      writes DIR/etcd and DIR/kube-apiserver, links to \
                this program, for KUBEBUILDER_ASSETS=DIR\n";
    }
    let mut section = |title: &str, used: bool| {
        out += &format!("\n{title}:\n\n");
        for flag in all().filter(|flag| !flag.hidden) {
            let is_used = USED.contains(&flag.name) && !WITHOUT_EFFECT.contains(&flag.name);
            if is_used == used {
                let kind = match flag.kind {
                    "bool" => String::new(),
                    "stringSlice" | "stringArray" => " strings".to_owned(),
                    kind => format!(" {kind}"),
                };
                let line = format!("      --{}{kind}", flag.name);
                out += format!("{line:<58} {}", what(flag.name)).trim_end();
                out.push('\n');
            }
        }
    };
    section("Flags", true);
    section("Flags that are accepted and have no effect", false);
    out
}

/// What a flag does here.
fn what(name: &str) -> &'static str {
    match name {
        "anonymous-auth" => {
            "whether requests without credentials are system:anonymous; true by default"
        }
        "api-audiences" => "whom tokens are for that are for this server; the issuers by default",
        "authorization-mode" => {
            "AlwaysAllow, AlwaysDeny, or RBAC: system:masters may all, others ask who they are"
        }
        "bind-address" => "the address to listen on; loopback by default",
        "cert-dir" => "where apiserver.crt and apiserver.key are, or are written",
        "client-ca-file" => "authorities whose client certificates count, beside the server's own",
        "controllers" => {
            "all (the default), none, or names of controllers that run beside the server"
        }
        "disable-admission-plugins" => "admission plugins to turn off",
        "enable-admission-plugins" => "admission plugins to turn on",
        "help" => "this text",
        "kubeconfig-out" => "where to write a kubeconfig of an administrator",
        "secure-port" => "the port to listen on; a free one by default",
        "service-account-extend-token-expiration" => {
            "whether tokens for Pods are good for a year; true by default"
        }
        "service-account-issuer" => "who issues tokens of ServiceAccounts",
        "service-account-jwks-uri" => "where the keys of tokens can be read, when not here",
        "service-account-key-file" => "keys that tokens of ServiceAccounts are accepted under",
        "service-account-max-token-expiration" => "how long a token may be good for",
        "service-account-signing-key-file" => "the key that signs tokens of ServiceAccounts",
        "tls-cert-file" => "the certificate to serve with",
        "tls-private-key-file" => "its key",
        "token-auth-file" => "static tokens: token,name,uid,\"group,group\" a line",
        "version" => "print the version",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(called: Called, args: &[&str]) -> Result<Options, Error> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        Options::new(&Given::parse(&args, "x").expect("flags"), called)
    }

    #[track_caller]
    fn fails(called: Called, args: &[&str], message: &str) {
        let error = options(called, args).err().expect("an error");
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn what_has_no_meaning_is_named() {
        let args = ["--audit-log-path=-", "--allow-privileged", "--secure-port=0", "--profiling"];
        let options = options(Called::Itself, &args).expect("options");
        assert_eq!(options.meaningless, ["--audit-log-path", "--profiling"]);
        let args =
            ["--etcd-servers=http://x", "--enable-admission-plugins=AlwaysPullImages,Priority"];
        let options = self::options(Called::KubeApiserver, &args).expect("options");
        assert_eq!(options.meaningless, ["--enable-admission-plugins=AlwaysPullImages"]);
    }

    #[test]
    fn what_contradicts_is_refused_in_kubernetes_words() {
        let etcd = "--etcd-servers=http://x";
        fails(Called::KubeApiserver, &[], "--etcd-servers must be specified");
        fails(
            Called::KubeApiserver,
            &[
                etcd,
                "--secure-port=0",
                "--authorization-mode=Foo",
                "--enable-admission-plugins=Bar",
            ],
            "[--secure-port 0 must be between 1 and 65535, inclusive. It cannot be turned off with \
             0, authorization-mode \"Foo\" is not a valid mode, enable-admission-plugins plugin \
             \"Bar\" is unknown]",
        );
        fails(
            Called::Itself,
            &["--disable-admission-plugins=Foo"],
            "disable-admission-plugins plugin \"Foo\" is unknown",
        );
    }

    #[test]
    fn token_files_are_csv() {
        let text = "a,jane,1\nb,joe,2,\"x,y\"\n\n,nobody,3\nc,\"q\"\"r\",4,z\n";
        let users = tokens("f", text).expect("users");
        let shown: Vec<String> = users
            .iter()
            .map(|(token, user)| {
                format!("{token} {} {} {}", user.name, user.uid, user.groups.join("+"))
            })
            .collect();
        assert_eq!(shown, ["a jane 1 ", "b joe 2 x+y", "c q\"r 4 z"]);
        let error = tokens("f", "a,b\n").expect_err("too few");
        assert!(error.to_string().ends_with("found 2"), "{error}");
    }

    #[test]
    fn help_names_every_flag_and_no_other() {
        for called in [Called::Itself, Called::KubeApiserver] {
            let help = help(called);
            assert!(help.contains("\n      --secure-port int"));
            assert!(!help.contains("--insecure-port"));
            assert!(
                all()
                    .filter(|flag| !flag.hidden)
                    .all(|flag| { help.contains(&format!("\n      --{}", flag.name)) })
            );
        }
    }
}
