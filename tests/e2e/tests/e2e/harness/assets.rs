//! etcd and kube-apiserver from the folder `KUBEBUILDER_ASSETS`, as envtest starts them.
//!
//! A shell owns both: it ends them when its standard input does, and so with this process.
use super::Who;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pintle::client::Request;
use pintle::{Client, Config, Error};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the two may take to be ready.
const START: Duration = Duration::from_secs(60);

const ADMIN_TOKEN: &str = "the-token-of-the-admin";
const JOE_TOKEN: &str = "the-token-of-joe";

/// $1: folder of the programs; $2: folder for data; $3, $4: ports of etcd; $5: the server's.
const SCRIPT: &str = r#"
set -e
cd "$2"
"$1/etcd" --data-dir=etcd --listen-client-urls="http://127.0.0.1:$3" \
    --advertise-client-urls="http://127.0.0.1:$3" --listen-peer-urls="http://127.0.0.1:$4" \
    --unsafe-no-fsync=true >etcd.log 2>&1 & etcd=$!
"$1/kube-apiserver" --etcd-servers="http://127.0.0.1:$3" --cert-dir=. --bind-address=127.0.0.1 \
    --secure-port="$5" --tls-cert-file=apiserver.crt --tls-private-key-file=apiserver.key \
    --client-ca-file=ca.crt --token-auth-file=tokens.csv --authorization-mode=RBAC \
    --service-cluster-ip-range=10.0.0.0/24 --allow-privileged=true \
    --disable-admission-plugins=ServiceAccount --watch-cache=false \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file=service-account.pub \
    --service-account-signing-key-file=service-account.key >kube-apiserver.log 2>&1 & server=$!
cat >/dev/null || true
kill $server 2>/dev/null || true; wait $server || true
kill $etcd 2>/dev/null || true; wait $etcd || true
rm -rf etcd
"#;

/// The two programs while they run.
pub(super) struct Assets {
    pub(super) kubeconfigs: HashMap<Who, PathBuf>,
    etcd: String,
    /// Held open: the shell waits for its end.
    _shell: Child,
}

fn fail(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> Error {
    move |e| Error::other(format!("{what}: {e}"))
}

impl Assets {
    /// Starts both and waits until `/healthz` answers.
    pub(super) fn start() -> Result<Assets, Error> {
        let programs = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
        let programs = programs.ok_or_else(|| {
            Error::config(
                "KUBEBUILDER_ASSETS is not set: name the folder with etcd and kube-apiserver",
            )
        })?;
        for program in ["etcd", "kube-apiserver"] {
            if !programs.join(program).is_file() {
                let folder = programs.display();
                return Err(Error::config(format!(
                    "KUBEBUILDER_ASSETS: {folder} has no {program}"
                )));
            }
        }
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("assets");
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).map_err(fail(dir.display()))?;
        let [clients, peers, secure] = ports().map_err(fail("free ports"))?;
        let server = format!("https://127.0.0.1:{secure}");
        let kubeconfigs = credentials(&dir, &server)?;
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .args([&programs, &dir])
            .args([clients, peers, secure].map(|port| port.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(fail("sh"))?;
        let etcd = format!("http://127.0.0.1:{clients}");
        let assets = Assets { kubeconfigs, etcd, _shell: shell };
        // On a thread of its own: this one may be inside a runtime.
        let config = Config::load(&pintle::LoadOptions::file(&assets.kubeconfigs[&Who::Admin]))?;
        let ready = std::thread::spawn(move || wait_until_ready(&config)).join();
        match ready {
            Ok(Ok(())) => Ok(assets),
            Ok(Err(e)) => Err(e.context(format!("see the logs in {}", dir.display()))),
            Err(_) => Err(Error::other("the thread that waits for the server failed")),
        }
    }

    /// Makes etcd forget all history.
    pub(super) async fn compact(&self) -> Result<(), Error> {
        let client = Client::new(&Config::new(&self.etcd)?)?;
        let ask = async |path: &str, body: Value| {
            let request = Request::post(path).body("application/json", body.to_string());
            client.request(request).await?.json().await
        };
        let key = STANDARD.encode("pintle-e2e-compaction");
        let put = ask("/v3/kv/put", json!({"key": key, "value": ""})).await?;
        let revision = put["header"]["revision"].clone();
        ask("/v3/kv/compaction", json!({"revision": revision})).await?;
        Ok(())
    }
}

fn ports() -> std::io::Result<[u16; 3]> {
    let sockets = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0"));
    let mut ports = [0; 3];
    for (port, socket) in ports.iter_mut().zip(sockets) {
        *port = socket?.local_addr()?.port();
    }
    Ok(ports)
}

fn wait_until_ready(config: &Config) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(fail("a runtime"))?;
    runtime.block_on(async {
        let client = Client::new(config)?;
        let started = Instant::now();
        loop {
            let asked = Request::get("/healthz").timeout(Duration::from_secs(2));
            let error = match client.request(asked).await {
                Ok(_) => match namespaces(&client).await {
                    Ok(()) => return Ok(()),
                    Err(e) => e,
                },
                Err(e) => e,
            };
            if started.elapsed() > START {
                return Err(error.context(format!("kube-apiserver is not ready after {START:?}")));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}

/// The namespaces that the server makes for itself come a moment after it is healthy.
async fn namespaces(client: &Client) -> Result<(), Error> {
    client.request(Request::get("/api/v1/namespaces/default")).await.map(drop)
}

/// Writes certificates, keys, tokens and kubeconfigs.
fn credentials(dir: &Path, server: &str) -> Result<HashMap<Who, PathBuf>, Error> {
    let put = |name: &str, text: &str| {
        let file = dir.join(name);
        std::fs::write(&file, text).map_err(fail(file.display())).map(|()| file)
    };
    let bad = |e: rcgen::Error| Error::other(format!("cannot make a certificate: {e}"));

    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "pintle-e2e-ca");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(bad)?).map_err(bad)?;
    put("ca.crt", &authority.pem())?;
    let sign = |params: CertificateParams, name: &str| {
        let key = KeyPair::generate().map_err(bad)?;
        let certificate = params.signed_by(&key, &authority).map_err(bad)?;
        let certificate = put(&format!("{name}.crt"), &certificate.pem())?;
        Ok::<_, Error>((certificate, put(&format!("{name}.key"), &key.serialize_pem())?))
    };

    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).map_err(bad)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    sign(params, "apiserver")?;
    let account = KeyPair::generate().map_err(bad)?;
    put("service-account.key", &account.serialize_pem())?;
    put("service-account.pub", &account.public_key_pem())?;
    let tokens = format!("{ADMIN_TOKEN},token-admin,1,system:masters\n{JOE_TOKEN},token-joe,2\n");
    put("tokens.csv", &tokens)?;

    let person = |name: &str, group: Option<&str>| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        sign(params, name)
    };
    let admin = person("admin", Some("system:masters"))?;
    let jane = person("jane", None)?;
    let inline = |(certificate, key): &(PathBuf, PathBuf)| {
        let read = |file: &PathBuf| std::fs::read(file).map_err(fail(file.display()));
        Ok::<_, Error>(json!({
            "client-certificate-data": STANDARD.encode(read(certificate)?),
            "client-key-data": STANDARD.encode(read(key)?),
        }))
    };
    let users = [
        (Who::Admin, inline(&admin)?),
        (Who::AdminFiles, json!({"client-certificate": admin.0, "client-key": admin.1})),
        (Who::AdminToken, json!({"token": ADMIN_TOKEN})),
        (Who::Jane, inline(&jane)?),
        (Who::JoeToken, json!({"token": JOE_TOKEN})),
        (Who::Anonymous, json!({})),
    ];
    let mut files = HashMap::new();
    for (who, user) in users {
        let cluster = json!({
            "server": server,
            "certificate-authority-data": STANDARD.encode(authority.pem()),
        });
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "e2e",
            "clusters": [{"name": "e2e", "cluster": cluster}],
            "users": [{"name": "e2e", "user": user}],
            "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "e2e"}}],
        });
        files.insert(who, put(&format!("kubeconfig-{}", who.key()), &kubeconfig.to_string())?);
    }
    Ok(files)
}
