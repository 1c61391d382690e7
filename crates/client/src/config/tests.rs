//! Loading as tables: which file wins, what each malformed input says.

use super::*;
use crate::testing::TempDir;
use std::collections::HashMap;
use std::path::Path;

const CERT: &str = "LS0tLS1CRUdJTiBDRVJU";

fn env(dir: &TempDir, vars: &[(&str, &str)]) -> Environment {
    let vars: HashMap<String, String> =
        vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Environment {
        vars: Box::new(move |name| vars.get(name).cloned()),
        service_account: dir.path().join("sa"),
    }
}

fn simple(name: &str, server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\n\
         clusters: [{{name: {name}, cluster: {{server: '{server}'}}}}]\n\
         contexts: [{{name: {name}, context: {{cluster: {name}}}}}]\n"
    )
}

fn load_files(dir: &TempDir, files: &[&Path], options: &LoadOptions) -> Result<Config, Error> {
    let list = std::env::join_paths(files).unwrap();
    load::load(options, &env(dir, &[("KUBECONFIG", list.to_str().unwrap())]))
}

/// Loads one file's text; the error has the folder's name cut out.
fn load_text(text: &str, options: &LoadOptions) -> Result<Config, String> {
    let dir = TempDir::new();
    let file = dir.write("config", text);
    load_files(&dir, &[&file], options)
        .map_err(|e| e.to_string().replace(&format!("{}/", dir.path().display()), ""))
}

#[test]
fn where_it_is_looked_for() {
    let dir = TempDir::new();
    let home = dir.write("home/.kube/config", simple("home", "https://home"));
    let one = dir.write("one", simple("one", "https://one"));
    let home_dir = home.parent().unwrap().parent().unwrap().to_str().unwrap();
    let server = |options: &LoadOptions, vars: &[(&str, &str)]| {
        load::load(options, &env(&dir, vars)).unwrap().server.to_string()
    };
    let none = LoadOptions::default();
    let explicit = LoadOptions { kubeconfig: Some(one.clone()), ..Default::default() };
    assert_eq!(server(&none, &[("HOME", home_dir)]), "https://home/");
    let one_var = ("KUBECONFIG", one.to_str().unwrap());
    assert_eq!(server(&none, &[("HOME", home_dir), one_var]), "https://one/");
    assert_eq!(server(&explicit, &[("HOME", home_dir)]), "https://one/");

    // The explicit file must exist and is never merged.
    let missing = LoadOptions { kubeconfig: Some("/does/not/exist".into()), ..Default::default() };
    let error = load::load(&missing, &env(&dir, &[one_var])).unwrap_err().to_string();
    assert!(error.starts_with("kubeconfig /does/not/exist: cannot be read: "), "{error}");

    // $KUBECONFIG with nothing behind it hides the home file, as in Go.
    let error = load::load(&none, &env(&dir, &[("HOME", home_dir), ("KUBECONFIG", "/no/such")]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("$KUBECONFIG is \"/no/such\" and names no file"), "{error}");
    let error = load::load(&none, &env(&dir, &[("HOME", "/no")])).unwrap_err().to_string();
    assert!(
        error.contains("$KUBECONFIG is not set, /no/.kube/config does not exist, and this is not"),
        "{error}"
    );
}

#[test]
fn merging_takes_entries_whole_and_the_first_of_each() {
    let dir = TempDir::new();
    let a = dir.write(
        "a/config",
        format!(
            "current-context: x
clusters:
- {{name: x, cluster: {{server: 'https://a', certificate-authority: ca.pem}}}}
users:
- {{name: u, user: {{token: from-a}}}}
contexts:
- {{name: x, context: {{cluster: x, user: u}}}}
- {{name: why, context: {{cluster: why, user: u, namespace: team}}}}
# {CERT}
"
        ),
    );
    dir.write("a/ca.pem", "a");
    let b = dir.write(
        "b/config",
        "current-context: why
clusters:
- {name: x, cluster: {server: 'https://b', tls-server-name: ignored}}
- {name: why, cluster: {server: 'https://y', certificate-authority: ../b/ca.pem}}
users:
- {name: u, user: {username: ignored, password: ignored}}
",
    );
    dir.write("b/ca.pem", "b");
    let missing = dir.path().join("missing");

    let files: [&Path; 4] = [&missing, &a, &b, &a];
    let config = load_files(&dir, &files, &LoadOptions::default()).unwrap();
    assert_eq!(config.server, "https://a/");
    assert_eq!(config.tls.authorities, Some(Pem::File(dir.path().join("a/ca.pem"))));
    assert_eq!(config.tls.server_name, None, "entries are taken whole");
    assert_eq!(config.credentials.basic, None);
    assert_eq!(config.default_namespace, "default");

    let y = LoadOptions { context: "why".into(), ..Default::default() };
    let config = load_files(&dir, &files, &y).unwrap();
    assert_eq!(config.server, "https://y/");
    assert_eq!(config.tls.authorities, Some(Pem::File(dir.path().join("b/../b/ca.pem"))));
    assert_eq!(config.default_namespace, "team");

    let config = load_files(&dir, &[&b, &a], &LoadOptions::default()).unwrap();
    assert_eq!(config.server, "https://y/", "the first file's current-context wins");
    assert_eq!(config.credentials.basic.unwrap().0, "ignored");
}

#[test]
fn overrides() {
    let text = "
current-context: x
clusters:
- {name: x, cluster: {server: 'https://x'}}
- {name: why, cluster: {server: 'https://y'}}
users:
- {name: u, user: {token: t1, as: jane, as-groups: [g], as-uid: '7', as-user-extra: {k: [v]}}}
- {name: v, user: {token: t2}}
contexts: [{name: x, context: {cluster: x, user: u, namespace: ns}}]
";
    let config = load_text(text, &LoadOptions::default()).unwrap();
    assert_eq!(config.impersonate.user, "jane");
    assert_eq!(config.impersonate.extra, [("k".to_owned(), vec!["v".to_owned()])]);
    let options = LoadOptions {
        cluster: "why".into(),
        user: "v".into(),
        namespace: "m".into(),
        ..Default::default()
    };
    let config = load_text(text, &options).unwrap();
    assert_eq!((&*config.server.to_string(), &*config.default_namespace), ("https://y/", "m"));
    assert_eq!(config.credentials.token.unwrap().expose(), "t2");
    assert!(config.impersonate.is_empty());
    let options = LoadOptions { server: "https://z:1/base".into(), ..Default::default() };
    assert_eq!(load_text(text, &options).unwrap().server, "https://z:1/base");
}

#[test]
fn everything_a_cluster_and_user_may_hold() {
    let dir = TempDir::new();
    dir.write("key.pem", "k");
    dir.write("cert.pem", "c");
    let file = dir.write(
        "config",
        format!(
            "current-context: x
preferences: {{}}
unheard-of: [1, 2]
clusters:
- name: x
  cluster:
    server: https://10.0.0.1:6443/k8s/clusters/c-1
    certificate-authority-data: {CERT}
    tls-server-name: kubernetes
    proxy-url: http://proxy:3128
    disable-compression: true
    extensions: [{{name: e, extension: {{}}}}]
users:
- name: u
  user: {{client-certificate: cert.pem, client-key: key.pem, tokenFile: token}}
contexts:
- name: x
  context: {{cluster: x, user: u}}
"
        ),
    );
    let config = load_files(&dir, &[&file], &LoadOptions::default()).unwrap();
    assert_eq!(config.server.path(), "/k8s/clusters/c-1");
    assert_eq!(
        config.tls,
        Tls {
            authorities: Some(Pem::Data(Secret::new(b"-----BEGIN CERT".to_vec()))),
            server_name: Some("kubernetes".into()),
            insecure: false,
            identity: Some(Identity {
                certificate: Pem::File(dir.path().join("cert.pem")),
                key: Pem::File(dir.path().join("key.pem")),
            }),
        }
    );
    assert_eq!(config.credentials.token_file, Some(dir.path().join("token")));
    assert_eq!(config.proxy, Proxy::always("http://proxy:3128").unwrap());
}

#[test]
fn exec_plugins() {
    let dir = TempDir::new();
    let file = dir.write(
        "config",
        "current-context: x
clusters:
- name: x
  cluster:
    server: https://a
    certificate-authority-data: YQ==
    extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: b}}]
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: ./bin/plugin
      args: [get, token]
      env: [{name: PROFILE, value: hunter2}]
      installHint: ask me
      interactiveMode: Never
      provideClusterInfo: true
      comand: x
contexts:
- name: x
  context: {cluster: x, user: u}
",
    );
    let config = load_files(&dir, &[&file], &LoadOptions::default()).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let exec = config.credentials.exec.unwrap();
    assert_eq!(exec.command, dir.path().join("./bin/plugin").to_str().unwrap());
    assert_eq!((exec.args.len(), exec.env[0].1.expose().as_str()), (2, "hunter2"));
    assert_eq!(exec.interactive, crate::Interactive::Never);
    assert_eq!(
        exec.cluster.unwrap(),
        serde_json::json!({"server": "https://a", "certificate-authority-data": "YQ==",
                           "config": {"audience": "b"}})
    );
    let unknown = Kubeconfig::read(&file).unwrap().unknown_fields;
    assert_eq!(
        (&*unknown[0].path, unknown[0].resembles),
        ("users[0].user.exec.comand", Some("command"))
    );
}

#[test]
fn credentials_stay_at_home_without_tls() {
    let text = "
current-context: x
clusters: [{name: x, cluster: {server: 'localhost:8080'}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: x, user: u}}]
";
    let config = load_text(text, &LoadOptions::default()).unwrap();
    assert_eq!(config.server, "http://localhost:8080/");
    assert_eq!(config.credentials, Credentials::default());
    // A bare host is https when there is something about TLS.
    let text = text.replace("8080'", "8080', insecure-skip-tls-verify: true");
    let config = load_text(&text, &LoadOptions::default()).unwrap();
    assert_eq!(config.server, "https://localhost:8080/");
    assert!(config.credentials.token.is_some());
}

#[test]
fn unknown_fields_are_reported_not_refused() {
    let kubeconfig = Kubeconfig::parse(
        "curent-context: x\nclusters: [{name: x, cluster: {sever: a, other: 1}}]\nz: 1\n",
        "f",
    )
    .unwrap();
    let found: Vec<_> = kubeconfig.unknown_fields.iter().map(|u| (&*u.path, u.resembles)).collect();
    assert_eq!(
        found,
        [
            ("clusters[0].cluster.other", None),
            ("clusters[0].cluster.sever", Some("server")),
            ("curent-context", Some("current-context")),
            ("z", None),
        ]
    );
}

#[test]
fn what_malformed_files_say() {
    #[track_caller]
    fn check(text: &str, expect: &str) {
        let error = load_text(text, &LoadOptions::default()).expect_err("was accepted");
        assert!(error.starts_with(expect), "\n   got {error}\nexpect {expect}");
    }
    check("{", "kubeconfig config: is not YAML: ");
    check("- a", "kubeconfig config: the file must be a mapping, not a list");
    check("hello", "kubeconfig config: the file must be a mapping, not a string");
    check("a: 1\na: 2", "kubeconfig config: is not YAML: ");
    check("kind: Pod", "kubeconfig config: kind is \"Pod\"; a kubeconfig's is \"Config\"");
    check("apiVersion: v2", "kubeconfig config: apiVersion is \"v2\"; a kubeconfig's is \"v1\"");
    check("clusters: {}", "kubeconfig config: clusters must be a list, not a mapping");
    check("clusters: [a]", "kubeconfig config: clusters[0] must be a mapping, not a string");
    check("users: [{}]", "kubeconfig config: users[0] has no name");
    check(
        "users: [{name: a}, {name: a}]",
        "kubeconfig config: users[1] is the second of the name \"a\"",
    );
    check(
        "users: [{name: a, user: {token: 12}}]",
        "kubeconfig config: users[0].user.token must be a string, not a number; put it in quotes",
    );
    check(
        "clusters: [{name: a, cluster: {insecure-skip-tls-verify: 'yes'}}]",
        "kubeconfig config: clusters[0].cluster.insecure-skip-tls-verify must be true or false, \
         not a string",
    );
    check(
        "clusters: [{name: a, cluster: {certificate-authority-data: '%%'}}]",
        "kubeconfig config: clusters[0].cluster.certificate-authority-data is not valid base64: ",
    );
    check(
        "users: [{name: a, user: {as-user-extra: {k: v}}}]",
        "kubeconfig config: users[0].user.as-user-extra.k must be a list, not a string",
    );
}

#[test]
fn what_incomplete_files_say() {
    #[track_caller]
    fn check(text: &str, expect: &str) {
        check_with(text, &LoadOptions::default(), expect);
    }
    #[track_caller]
    fn check_with(text: &str, options: &LoadOptions, expect: &str) {
        let error = load_text(text, options).expect_err("was accepted");
        assert!(error.starts_with(expect), "\n   got {error}\nexpect {expect}");
    }
    let contexts = "contexts: [{name: prod, context: {cluster: prod-eu}}, {name: dev}]\n";
    let clusters = "clusters: [{name: staging}, {name: dev}]\n";
    check(
        &format!("current-context: prod\n{contexts}{clusters}"),
        "kubeconfig config: context \"prod\" names cluster \"prod-eu\", which does not exist; \
         there are: dev, staging",
    );
    check(
        &format!("current-context: prod\n{contexts}"),
        "kubeconfig config: context \"prod\" names cluster \"prod-eu\", which does not exist; \
         there are none",
    );
    check(
        contexts,
        "kubeconfig config: current-context is not set and no context was chosen; there are: dev, \
         prod",
    );
    check(
        &format!("current-context: nope\n{contexts}"),
        "kubeconfig config: current-context \"nope\" does not exist; there are: dev, prod",
    );
    check_with(
        contexts,
        &LoadOptions { context: "nope".into(), ..Default::default() },
        "kubeconfig config: context \"nope\" does not exist; there are: dev, prod",
    );
    check(
        &format!("current-context: dev\n{contexts}"),
        "kubeconfig config: context \"dev\" names no cluster",
    );
    check_with(
        &format!("current-context: dev\n{contexts}{clusters}"),
        &LoadOptions { cluster: "dev".into(), user: "me".into(), ..Default::default() },
        "kubeconfig config: user \"me\" does not exist; there are none",
    );
    check_with(
        clusters,
        &LoadOptions { cluster: "dev".into(), ..Default::default() },
        "kubeconfig config: cluster \"dev\" has no server",
    );

    #[track_caller]
    fn cluster(fields: &str, expect: &str) {
        let text = format!("clusters: [{{name: c, cluster: {{{fields}}}}}]");
        let options = LoadOptions { cluster: "c".into(), ..Default::default() };
        check_with(&text, &options, &format!("kubeconfig config: cluster \"c\"{expect}"));
    }
    cluster("server: 'ftp://a'", ": server \"ftp://a\" has the scheme \"ftp\"");
    cluster("server: 'https://a b'", ": server \"https://a b\" is not a URL: ");
    cluster("server: 'https://a?x=1'", ": server \"https://a?x=1\" has a query");
    cluster("server: 'https://me:secret@a'", ": server holds a user name");
    cluster("server: a, proxy-url: 'socks5://p:1'", ": proxy-url is a SOCKS5 proxy");
    cluster("server: a, certificate-authority: nope", " has certificate-authority nope: ");
    cluster(
        "server: a, certificate-authority: nope, certificate-authority-data: YQ==",
        " has both certificate-authority and certificate-authority-data; remove one",
    );
    cluster(
        "server: a, insecure-skip-tls-verify: true, certificate-authority-data: YQ==",
        " has both insecure-skip-tls-verify and a certificate-authority; remove one",
    );

    #[track_caller]
    fn user(fields: &str, expect: &str) {
        let text = format!(
            "clusters: [{{name: c, cluster: {{server: 'https://a'}}}}]\n\
             users: [{{name: u, user: {{{fields}}}}}]"
        );
        let options = LoadOptions { cluster: "c".into(), user: "u".into(), ..Default::default() };
        check_with(&text, &options, &format!("kubeconfig config: user \"u\" {expect}"));
    }
    let has_exec = "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1";
    user(&format!("{has_exec}}}, token: t"), "has both exec and another credential; remove one");
    user("auth-provider: {name: gcp}", "uses auth-provider \"gcp\"; auth providers were removed");
    user("client-certificate-data: YQ==", "has a client-certificate but no client-key");
    user("client-key-data: YQ==", "has a client-key but no client-certificate");
    user("client-certificate: none, client-key: none", "has client-certificate none: ");
    let exec = |fields: &str, expect: &str| {
        let text = format!(
            "clusters: [{{name: c, cluster: {{server: 'https://a'}}}}]\n\
             users: [{{name: u, user: {{exec: {{{fields}}}}}}}]"
        );
        let options = LoadOptions { cluster: "c".into(), user: "u".into(), ..Default::default() };
        check_with(&text, &options, &format!("kubeconfig config: {expect}"));
    };
    exec("command: aws", "user \"u\": exec.apiVersion is \"\"; it must be one of client.auth");
    exec("args: []", "user \"u\": exec has no command");
    exec("args: {}", "users[0].user.exec.args must be a list, not a mapping");
    exec(
        "interactiveMode: Perhaps",
        "users[0].user.exec.interactiveMode is \"Perhaps\"; it must be Never",
    );
    user("token: a, username: b", "has both a token and a username; remove one");
    user("as-groups: [g]", "impersonates a UID, groups or extra without a user");
}

#[test]
fn in_a_pod() {
    let dir = TempDir::new();
    let vars = [("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("KUBERNETES_SERVICE_PORT", "443")];
    let load = |vars: &[(&str, &str)]| in_cluster::in_cluster(&env(&dir, vars));
    let error = load(&[]).unwrap_err().to_string();
    assert!(error.starts_with("this is not a pod: KUBERNETES_SERVICE_HOST and "), "{error}");
    let error = load(&vars).unwrap_err().to_string();
    assert!(error.contains("sa/token cannot be read: "), "{error}");

    let token = dir.write("sa/token", "t");
    let config = load(&vars).unwrap();
    assert_eq!(config.server, "https://10.0.0.1:443/");
    assert_eq!(config.tls.authorities, None);
    assert_eq!(config.credentials.token_file, Some(token));
    assert_eq!(config.default_namespace, "default");

    let ca = dir.write("sa/ca.crt", "c");
    dir.write("sa/namespace", "team-a\n");
    let config = load(&[("KUBERNETES_SERVICE_HOST", "fd00::1"), vars[1]]).unwrap();
    assert_eq!(config.server, "https://[fd00::1]:443/");
    assert_eq!(config.tls.authorities, Some(Pem::File(ca)));
    assert_eq!(config.default_namespace, "team-a");
    assert_eq!(load(&[vars[0], vars[1], ("POD_NAMESPACE", "b")]).unwrap().default_namespace, "b");

    // It is what is used when there is no kubeconfig, and only then.
    let config = load::load(&LoadOptions::default(), &env(&dir, &vars)).unwrap();
    assert_eq!(config.server, "https://10.0.0.1:443/");
    let file = dir.write("config", simple("x", "https://x"));
    let with_file = [vars[0], vars[1], ("KUBECONFIG", file.to_str().unwrap())];
    let config = load::load(&LoadOptions::default(), &env(&dir, &with_file)).unwrap();
    assert_eq!(config.server, "https://x/");
}

#[test]
fn names_sent_to_the_server() {
    let mut config = Config::new("https://a").unwrap();
    config.user_agent = "backup/1.2".into();
    let header = config.user_agent_header();
    assert!(header.starts_with("backup/1.2 ("), "{header}");
    assert!(header.contains(&format!("({}/", std::env::consts::OS)), "{header}");
    assert!(header.contains(") pintle/"), "{header}");
    assert_eq!(config.field_manager_name(), "backup");
    config.field_manager = "owner of things/x".into();
    assert_eq!(config.field_manager_name(), "owner of things/x");
}

#[test]
fn secrets_are_not_printed() {
    let text = "
current-context: x
clusters: [{name: x, cluster: {server: 'https://x'}}]
users: [{name: u, user: {token: hunter2, client-key-data: aHVudGVyMg==, client-certificate-data: aHVudGVyMg==}}]
contexts: [{name: x, context: {cluster: x, user: u}}]
";
    let kubeconfig = Kubeconfig::parse(text, "f").unwrap();
    let config = Config::from_kubeconfig(&kubeconfig, &LoadOptions::default()).unwrap();
    for printed in [format!("{kubeconfig:?}"), format!("{config:?}")] {
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
