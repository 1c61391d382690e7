//! The program: its flags, its names, and that it leaves nothing behind.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pintle-apiserver");

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).output().expect("it runs")
}

fn error(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A program that serves.
struct Serving {
    child: Child,
    lines: Vec<String>,
}

impl Serving {
    /// Starts it and reads `lines` lines of what it prints.
    fn start(program: &str, args: &[&str], temporary: &Folder, lines: usize) -> Self {
        let mut child = Command::new(program)
            .args(args)
            .env("TMPDIR", &temporary.0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let lines = output.lines().take(lines).map(|line| line.expect("a line")).collect();
        Serving { child, lines }
    }

    fn stop(mut self, signal: &str) -> Output {
        let id = self.child.id().to_string();
        assert!(run("kill", &[signal, &id]).status.success());
        let stderr = self.child.stderr.take();
        let status = self.child.wait().expect("it ends");
        let stderr = stderr.map(|err| std::io::read_to_string(err).expect("text"));
        Output { status, stdout: Vec::new(), stderr: stderr.unwrap_or_default().into_bytes() }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn flags_are_kube_apiservers() {
    assert_eq!(error(&run(PROGRAM, &["--nosuch"])), "Error: unknown flag: --nosuch\n");
    assert_eq!(
        error(&run(PROGRAM, &["--authorization-mode=Foo"])),
        "Error: authorization-mode \"Foo\" is not a valid mode\n"
    );
    assert!(error(&run(PROGRAM, &["--controllers=nope"])).contains("\"nope\""));
    let help = run(PROGRAM, &["--help"]);
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("\n      --kubeconfig-out"));
}

#[test]
fn it_serves_and_leaves_nothing() {
    for signal in ["-TERM", "-INT"] {
        let temporary = Folder::new(&format!("serves{signal}"));
        let serving = Serving::start(PROGRAM, &["--audit-log-path=-"], &temporary, 2);
        assert!(
            serving.lines[0].starts_with("serving on https://127.0.0.1:"),
            "{:?}",
            serving.lines
        );
        let path = serving.lines[1].strip_prefix("kubeconfig: ").expect("a kubeconfig").to_owned();
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.contains("client-key-data"));
        let ended = serving.stop(signal);
        assert!(ended.status.success());
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let expect = "pintle-apiserver: accepted, but without meaning here: --audit-log-path\n";
        assert_eq!(said, expect);
        assert_eq!(temporary.names(), Vec::<String>::new());
    }
}

#[test]
fn files_that_were_asked_for_stay() {
    let folder = Folder::new("files");
    let kubeconfig = folder.0.join("config").display().to_string();
    let certs = folder.0.join("certs");
    let args = ["--kubeconfig-out", &kubeconfig, "--cert-dir", &certs.display().to_string()];
    let first = Serving::start(PROGRAM, &args, &folder, 2);
    assert!(first.stop("-TERM").status.success());
    assert_eq!(folder.names(), ["certs", "config"]);
    let written = std::fs::read_to_string(certs.join("apiserver.crt")).expect("a certificate");
    assert_eq!(written.matches("BEGIN CERTIFICATE").count(), 2);
    // The next one serves with the same certificate.
    let second = Serving::start(PROGRAM, &args, &folder, 2);
    assert!(second.stop("-TERM").status.success());
    let again = std::fs::read_to_string(certs.join("apiserver.crt")).expect("a certificate");
    assert_eq!(written, again);
}

#[test]
fn assets_stand_in_for_etcd_and_kube_apiserver() {
    let folder = Folder::new("assets");
    let assets = folder.0.join("bin");
    let dir = assets.display().to_string();
    for _ in 0..2 {
        let written = run(PROGRAM, &["assets", &dir]);
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    }
    let etcd = assets.join("etcd").display().to_string();
    let server = assets.join("kube-apiserver").display().to_string();
    let help = run(&etcd, &["--help"]);
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("\n  --unsafe-no-fsync\n"));
    let help = run(&server, &["--help"]);
    assert!(help.status.success());
    assert!(!String::from_utf8_lossy(&help.stdout).contains("--insecure-port"));
    let output = run(&server, &["--version"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Kubernetes v1.37.2\n");
    assert_eq!(error(&run(&server, &[])), "Error: --etcd-servers must be specified\n");
    let wrong = run(&etcd, &["--nosuch"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(error(&wrong).starts_with("flag provided but not defined: -nosuch\n"));
    // Something that is no link of ours is left alone.
    std::fs::remove_file(assets.join("etcd")).expect("removed");
    std::fs::write(assets.join("etcd"), "mine").expect("written");
    assert!(error(&run(PROGRAM, &["assets", &dir])).contains("choose another folder"));
}

#[test]
fn the_stand_in_serves_with_the_given_files() {
    let folder = Folder::new("stand-in");
    let assets = folder.0.join("bin");
    assert!(run(PROGRAM, &["assets", &assets.display().to_string()]).status.success());
    let server = assets.join("kube-apiserver").display().to_string();
    let port = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        socket.local_addr().expect("an address").port().to_string()
    };
    let certs = folder.0.join("certs").display().to_string();
    let args = [
        "--etcd-servers=http://127.0.0.1:1",
        &format!("--cert-dir={certs}"),
        "--bind-address=127.0.0.1",
        &format!("--secure-port={port}"),
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--allow-privileged=true",
        "--disable-admission-plugins=ServiceAccount",
        "--service-account-issuer=https://127.0.0.1/",
    ];
    let serving = Serving::start(&server, &args, &folder, 1);
    assert_eq!(serving.lines, [format!("serving on https://127.0.0.1:{port}")]);
    let ended = serving.stop("-TERM");
    assert!(ended.status.success() && ended.stderr.is_empty());
}

/// The UID of a namespace in what was kept.
fn kept_uid(folder: &Path) -> String {
    let kept = std::fs::read_dir(folder.join("pintle")).expect("a folder");
    let kept: Vec<_> = kept.map(|entry| entry.expect("an entry").path()).collect();
    let [file] = kept.as_slice() else { panic!("{kept:?}") };
    let text = std::fs::read_to_string(file).expect("text");
    let line = text.lines().find(|line| line.contains("/registry/namespaces/default\""));
    let (_, uid) = line.expect("the namespace").split_once("\"uid\":\"").expect("a UID");
    uid.split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn the_stand_in_keeps_objects_while_it_is_stopped() {
    let folder = Folder::new("kept");
    let assets = folder.0.join("bin");
    assert!(run(PROGRAM, &["assets", &assets.display().to_string()]).status.success());
    let (etcd, server) = (assets.join("etcd"), assets.join("kube-apiserver"));
    let (etcd, server) = (etcd.display().to_string(), server.display().to_string());
    let port = || {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        socket.local_addr().expect("an address").port().to_string()
    };
    let data = folder.0.join("data");
    let mut uids = Vec::new();
    // The second time etcd is a new one as well, on the folder of the first.
    for _ in 0..2 {
        let url = format!("http://127.0.0.1:{}", port());
        let args =
            [format!("--data-dir={}", data.display()), format!("--listen-client-urls={url}")];
        let etcd = Serving::start(&etcd, &[&args[0], &args[1]], &folder, 1);
        assert_eq!(etcd.lines, [format!("serving on {url}")]);
        for _ in 0..2 {
            let args = [
                format!("--etcd-servers={url}"),
                "--bind-address=127.0.0.1".to_owned(),
                format!("--secure-port={}", port()),
                format!("--cert-dir={}", folder.0.join("certs").display()),
            ];
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let serving = Serving::start(&server, &args, &folder, 1);
            assert!(serving.stop("-TERM").status.success());
            uids.push(kept_uid(&data));
        }
        assert!(etcd.stop("-TERM").status.success());
    }
    assert!(uids[0].len() == 36 && uids.iter().all(|uid| *uid == uids[0]), "{uids:?}");
}
