//! `pintle-apiserver`: an API server with nothing behind it, until it is interrupted.
//!
//! Go counterpart: `cmd/kube-apiserver`, whose flags it takes; `pintle-apiserver --help` lists
//! them. Called `kube-apiserver` or `etcd`, as by the links that `pintle-apiserver assets DIR`
//! writes, it behaves as those do in a test environment.

mod program;

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().collect();
    program::main(&args)
}
