//! From flags to a server.
//!
//! Go counterpart: `cmd/kube-apiserver/app/options`, of which only what this server has a use for
//! is here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pintle_apimachinery::Error;
use pintle_apiserver::{ApiServer, Builder, Controllers, User};

use super::Called;
use super::flags::{Given, all, duration};

/// Flags that say what this server does anyway, or how a real one keeps its data: not worth a word.
const IMPLIED: [&str; 6] =
    ["advertise-address", "allow-privileged", "etcd-prefix", "etcd-servers", "v", "vmodule"];

/// Flags that are looked at.
const USED: [&str; 31] = [
    "anonymous-auth",
    "api-audiences",
    "authorization-mode",
    "bind-address",
    "cert-dir",
    "client-ca-file",
    "controllers",
    "disable-admission-plugins",
    "enable-admission-plugins",
    "event-ttl",
    "help",
    "kubeconfig-out",
    "max-mutating-requests-inflight",
    "max-requests-inflight",
    "min-request-timeout",
    "request-timeout",
    "runtime-config",
    "secure-port",
    "service-account-extend-token-expiration",
    "service-account-issuer",
    "service-account-jwks-uri",
    "service-account-key-file",
    "service-account-max-token-expiration",
    "service-account-signing-key-file",
    "service-cluster-ip-range",
    "service-node-port-range",
    "shutdown-delay-duration",
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
    /// Who keeps the objects while this program does not run.
    pub(crate) kept: Option<super::keep::Place>,
    /// How long to go on serving when the program is told to end.
    pub(crate) delay: Duration,
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
        // Without its controllers, kube-apiserver refuses Pods that have no account.
        if called == Called::KubeApiserver
            && !given.list("disable-admission-plugins").contains(&"ServiceAccount")
        {
            builder = builder.admission_plugin("ServiceAccount", true)?;
        }
        builder = ranges(given, builder, &mut wrong, &mut meaningless);
        builder = versions(given, builder, &mut wrong, &mut meaningless);
        builder = times(given, builder, &mut wrong);
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
        let delay = given.last("shutdown-delay-duration").and_then(duration).unwrap_or_default();
        let servers = given.list("etcd-servers");
        let kept = servers.first().and_then(|server| {
            super::keep::Place::new(server, given.last("etcd-prefix").unwrap_or("/registry"))
        });
        Ok(Options { builder, kubeconfig, keep_certificate, kept, delay, meaningless })
    }
}

/// The addresses and ports of Services.
fn ranges(
    given: &Given,
    mut builder: Builder,
    wrong: &mut Vec<String>,
    meaningless: &mut Vec<String>,
) -> Builder {
    let networks = given.last("service-cluster-ip-range").unwrap_or_default();
    let (six, four): (Vec<&str>, Vec<&str>) =
        networks.split(',').filter(|network| !network.is_empty()).partition(|n| n.contains(':'));
    meaningless.extend(six.iter().map(|network| format!("--service-cluster-ip-range={network}")));
    if let Some(network) = four.first() {
        match builder.clone().service_cluster_ip_range(network) {
            Ok(next) => builder = next,
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if let Some(text) = given.last("service-node-port-range") {
        // From-to, from+more, or one port alone.
        let parsed = match (text.split_once('-'), text.split_once('+')) {
            (Some((from, to)), _) => from.parse::<u16>().ok().zip(to.parse::<u16>().ok()),
            (_, Some((from, more))) => {
                let from = from.parse::<u16>().ok();
                from.and_then(|from| Some((from, from.checked_add(more.parse().ok()?)?)))
            }
            _ => text.parse::<u16>().ok().map(|port| (port, port)),
        };
        let set = parsed.map(|(from, to)| builder.clone().service_node_port_range(from, to));
        match set {
            Some(Ok(next)) => builder = next,
            _ => wrong.push(format!("--service-node-port-range {text} is not a valid range")),
        }
    }
    builder
}

/// Which versions of groups are served.
fn versions(
    given: &Given,
    mut builder: Builder,
    wrong: &mut Vec<String>,
    meaningless: &mut Vec<String>,
) -> Builder {
    for pair in given.list("runtime-config").into_iter().flat_map(|value| value.split(',')) {
        if pair.is_empty() {
            continue;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, "true"));
        let on = match value {
            "true" | "" => true,
            "false" => false,
            _ => {
                wrong.push(format!("invalid value {key}={value}"));
                continue;
            }
        };
        let parts: Vec<&str> = key.split('/').collect();
        match parts.as_slice() {
            // What is served is all that is generally available, whatever others are asked for.
            ["api", "ga" | "all"] if on => {}
            ["api", "beta" | "alpha" | "legacy"] if !on => {}
            ["api", "all"] => wrong.push("invalid runtime-config with only api/all=false".into()),
            [group, version, rest @ ..] if rest.len() < 2 && *group != "api" => {
                let resource = rest.first().copied().unwrap_or_default();
                match (on, Builder::serves(group, version)) {
                    (true, true) => {}
                    (false, _) => builder = builder.without_api(group, version, resource),
                    (true, false) => meaningless.push(format!("--runtime-config={pair}")),
                }
            }
            _ => meaningless.push(format!("--runtime-config={pair}")),
        }
    }
    builder
}

/// How long things take.
fn times(given: &Given, mut builder: Builder, wrong: &mut Vec<String>) -> Builder {
    if let Some(ttl) = given.last("event-ttl").and_then(duration) {
        builder = builder.event_ttl(ttl);
    }
    match given.last("request-timeout").map(duration) {
        None => {}
        Some(Some(timeout)) if !timeout.is_zero() => builder = builder.request_timeout(timeout),
        Some(_) => wrong.push("--request-timeout can not be negative value".to_owned()),
    }
    match given.last("min-request-timeout").map(str::parse::<u64>) {
        None => {}
        Some(Ok(seconds)) if seconds > 0 => {
            builder = builder.min_request_timeout(Duration::from_secs(seconds));
        }
        Some(_) => wrong.push("--min-request-timeout can not be negative value".to_owned()),
    }
    builder
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
        "event-ttl" => "how long events are kept; an hour by default",
        "help" => "this text",
        "kubeconfig-out" => "where to write a kubeconfig of an administrator",
        "min-request-timeout" => "seconds that watches last at least; 1800 by default",
        "request-timeout" => "how long a request may take; a minute by default",
        "runtime-config" => "which versions of groups are not served: group/version=false",
        "secure-port" => "the port to listen on; a free one by default",
        "service-account-extend-token-expiration" => {
            "whether tokens for Pods are good for a year; true by default"
        }
        "service-account-issuer" => "who issues tokens of ServiceAccounts",
        "service-account-jwks-uri" => "where the keys of tokens can be read, when not here",
        "service-account-key-file" => "keys that tokens of ServiceAccounts are accepted under",
        "service-account-max-token-expiration" => "how long a token may be good for",
        "service-account-signing-key-file" => "the key that signs tokens of ServiceAccounts",
        "service-cluster-ip-range" => "addresses of Services; 10.0.0.0/24 by default",
        "service-node-port-range" => "ports of nodes; 30000-32767 by default",
        "shutdown-delay-duration" => "how long to go on serving when told to end",
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
    fn what_is_served_is_asked_for() {
        let args = [
            "--runtime-config=batch/v1=false,api/beta=true,batch/v1beta1=true,apps/v1=true",
            "--service-cluster-ip-range=10.96.0.0/16,fd00::/108",
            "--service-node-port-range=40000-40009",
            "--event-ttl=1h",
            "--request-timeout=5s",
            "--min-request-timeout=10",
            "--shutdown-delay-duration=2s",
        ];
        let options = options(Called::Itself, &args).expect("options");
        assert_eq!(options.delay, Duration::from_secs(2));
        assert_eq!(
            options.meaningless,
            [
                "--service-cluster-ip-range=fd00::/108",
                "--runtime-config=api/beta=true",
                "--runtime-config=batch/v1beta1=true"
            ]
        );
        fails(
            Called::Itself,
            &["--runtime-config=apps/v1=x,api/all=false", "--service-node-port-range=9-1"],
            "[--service-node-port-range 9-1 is not a valid range, invalid value apps/v1=x, invalid \
             runtime-config with only api/all=false]",
        );
        fails(
            Called::Itself,
            &["--service-cluster-ip-range=10.0.0.0/8"],
            "specified --service-cluster-ip-range is too large; for 32-bit addresses, the mask \
             must be >= 12",
        );
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
