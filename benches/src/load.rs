//! Putting a server under load: options of the programs that do, namespaces, many requests at once.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pintle_api::core_v1::Namespace;
use pintle_client::{Client, Config, Error, LoadOptions};

/// Requests under way at a time.
const WORKERS: usize = 32;
/// Namespaces that Pods are spread over.
const TEAMS: usize = 10;

/// The arguments of a program: names, each followed by its value.
pub struct Options(Vec<String>);

impl Options {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Options(std::env::args().skip(1).collect())
    }

    /// The first argument.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }

    /// The value of an option.
    ///
    /// # Errors
    /// It is missing.
    pub fn text(&self, name: &str) -> Result<&str, String> {
        let at = self.0.iter().position(|argument| argument == name);
        let value = at.and_then(|at| self.0.get(at + 1)).map(String::as_str);
        value.ok_or_else(|| format!("{name} is missing"))
    }

    /// The value of an option that is a number.
    ///
    /// # Errors
    /// It is missing, or none.
    pub fn number<T: FromStr>(&self, name: &str) -> Result<T, String> {
        let text = self.text(name)?;
        text.parse().map_err(|_| format!("{name} is to be a number, not {text}"))
    }

    /// How to reach the server: the file of `--kubeconfig`.
    ///
    /// # Errors
    /// It is missing, or no kubeconfig.
    pub fn config(&self) -> Result<Config, Box<dyn std::error::Error>> {
        Ok(Config::load(&LoadOptions::file(self.text("--kubeconfig")?))?)
    }
}

/// Creates the namespaces of the Pods, those that are missing.
///
/// # Errors
/// The server refuses one.
///
/// # Cancel safety
/// Some are there.
pub async fn make_teams(client: &Client) -> Result<(), Error> {
    for team in 0..TEAMS {
        let mut namespace = Namespace::default();
        namespace.metadata.name = format!("team-{team}").into();
        match client.all::<Namespace>().create(&namespace).await {
            Err(error) if !error.is_already_exists() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Does something for each number below `count`, a few at a time and about in order.
///
/// # Errors
/// The first that fails.
///
/// # Cancel safety
/// What is under way is left.
pub async fn in_parallel<F, Fut>(count: usize, client: &Client, one: F) -> Result<(), Error>
where
    F: Fn(Client, usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Error>> + Send,
{
    let (next, one) = (Arc::new(AtomicUsize::new(0)), Arc::new(one));
    let mut workers = tokio::task::JoinSet::<Result<(), Error>>::new();
    for _ in 0..WORKERS {
        let (next, one, client) = (next.clone(), one.clone(), client.clone());
        workers.spawn(async move {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return Ok(());
                }
                one(client.clone(), at).await?;
            }
        });
    }
    while let Some(done) = workers.join_next().await {
        done.map_err(|error| Error::other(error.to_string()))??;
    }
    Ok(())
}
