//! Flags as kube-apiserver reads them.
//!
//! Go counterpart: `github.com/spf13/pflag`. Which flags there are, and of which type, is data:
//! `kube-apiserver-flags.tsv` is written by the Go program of `tests/control-plane`
//! (`export --only flags`).

use std::net::IpAddr;

/// The flags of kube-apiserver: name, letter, type, value when given without one, hidden.
const TABLE: &str = include_str!("kube-apiserver-flags.tsv");

/// Flags of this program alone.
const OWN: [(&str, &str); 2] = [("controllers", "string"), ("kubeconfig-out", "string")];

/// A flag there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    letter: &'static str,
    pub(crate) kind: &'static str,
    /// What a flag without a value stands for; empty where a value must follow.
    alone: &'static str,
    pub(crate) hidden: bool,
}

/// Every flag, kube-apiserver's first.
pub(crate) fn all() -> impl Iterator<Item = Flag> {
    let theirs = TABLE.lines().map(|line| {
        let mut parts = line.split('\t');
        let mut next = || parts.next().unwrap_or_default();
        let (name, letter, kind, alone) = (next(), next(), next(), next());
        Flag { name, letter, kind, alone, hidden: !next().is_empty() }
    });
    let own =
        OWN.iter().map(|&(name, kind)| Flag { name, letter: "", kind, alone: "", hidden: false });
    theirs.chain(own)
}

/// Flags that were given, in order.
#[derive(Debug, Default)]
pub(crate) struct Given(Vec<(Flag, String)>);

impl Given {
    /// Reads arguments; `program` is what the program calls itself.
    ///
    /// # Errors
    /// In kube-apiserver's words: a flag is unknown or has no value or a wrong one, or there is an
    /// argument that is no flag.
    pub(crate) fn parse(args: &[String], program: &str) -> Result<Self, String> {
        let mut given = Given::default();
        let mut others = Vec::new();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                others.extend(args.by_ref().cloned());
            } else if let Some(name) = arg.strip_prefix("--") {
                given.long(arg, name, &mut args)?;
            } else if arg.len() > 1 && arg.starts_with('-') {
                given.short(&arg[1..], arg, &mut args)?;
            } else {
                others.push(arg.clone());
            }
        }
        if others.iter().any(|arg| !arg.is_empty()) {
            let shown: Vec<String> = others.iter().map(|arg| format!("{arg:?}")).collect();
            let shown = shown.join(" ");
            return Err(format!("{program:?} does not take any arguments, got [{shown}]"));
        }
        Ok(given)
    }

    fn long<'a>(
        &mut self,
        whole: &str,
        arg: &str,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), String> {
        if arg.is_empty() || arg.starts_with('-') || arg.starts_with('=') {
            return Err(format!("bad flag syntax: {whole}"));
        }
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (arg, None),
        };
        // Words may be separated by underscores, too.
        let name = name.replace('_', "-");
        let flag = all().find(|flag| flag.name == name);
        let Some(flag) = flag else { return Err(format!("unknown flag: --{name}")) };
        let value = match value {
            Some(value) => value,
            None if !flag.alone.is_empty() => flag.alone.to_owned(),
            None => {
                let next = rest.next();
                next.cloned().ok_or_else(|| format!("flag needs an argument: --{name}"))?
            }
        };
        self.add(flag, value)
    }

    fn short<'a>(
        &mut self,
        mut letters: &str,
        whole: &str,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), String> {
        while let Some(letter) = letters.chars().next() {
            let after = &letters[letter.len_utf8()..];
            let flag = all().find(|flag| flag.letter.chars().eq([letter]));
            let Some(flag) = flag else {
                return Err(format!("unknown shorthand flag: {letter:?} in {whole}"));
            };
            if let Some(value) = after.strip_prefix('=') {
                return self.add(flag, value.to_owned());
            }
            if !flag.alone.is_empty() {
                self.add(flag, flag.alone.to_owned())?;
                letters = after;
                continue;
            }
            let value = match after {
                "" => rest
                    .next()
                    .cloned()
                    .ok_or_else(|| format!("flag needs an argument: {letter:?} in {whole}"))?,
                value => value.to_owned(),
            };
            return self.add(flag, value);
        }
        Ok(())
    }

    fn add(&mut self, flag: Flag, value: String) -> Result<(), String> {
        if let Err(error) = check(flag.kind, &value) {
            let name = match flag.letter {
                "" => format!("--{}", flag.name),
                letter => format!("-{letter}, --{}", flag.name),
            };
            return Err(format!("invalid argument {value:?} for {name:?} flag: {error}"));
        }
        self.0.push((flag, value));
        Ok(())
    }

    /// The last value of a flag.
    pub(crate) fn last(&self, name: &str) -> Option<&str> {
        let mut of = self.0.iter().rev().filter(|(flag, _)| flag.name == name);
        of.next().map(|(_, value)| value.as_str())
    }

    /// Every value of a flag that is a list, the parts of values with commas one by one.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let of = self.0.iter().filter(|(flag, _)| flag.name == name);
        of.flat_map(|(flag, value)| match flag.kind {
            "stringSlice" => value.split(',').filter(|part| !part.is_empty()).collect(),
            _ => vec![value.as_str()],
        })
        .collect()
    }

    /// A switch, if it was given.
    pub(crate) fn switch(&self, name: &str) -> Option<bool> {
        self.last(name).and_then(truth)
    }

    /// The names that were given, each once, in order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = Vec::new();
        for (flag, _) in &self.0 {
            if !names.contains(&flag.name) {
                names.push(flag.name);
            }
        }
        names
    }
}

/// Go's `strconv.ParseBool`.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// A duration of a flag.
pub(crate) fn duration(text: &str) -> Option<std::time::Duration> {
    pintle_apimachinery::Duration::parse(text).ok()?.to_std()
}

/// Whether a value is one of its type.
fn check(kind: &str, value: &str) -> Result<(), String> {
    let syntax = |function: &str| format!("strconv.{function}: parsing {value:?}: invalid syntax");
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    let (radix, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        _ => (10, digits),
    };
    let whole = || {
        let digits = digits.replace('_', "");
        !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
    };
    match kind {
        "bool" if truth(value).is_none() => Err(syntax("ParseBool")),
        "int" | "int64" | "Level" if !whole() => Err(syntax("ParseInt")),
        "int" | "int64" | "Level"
            if i64::from_str_radix(&digits.replace('_', ""), radix).is_err() =>
        {
            Err(format!("strconv.ParseInt: parsing {value:?}: value out of range"))
        }
        "uint" if value.starts_with(['+', '-']) || !whole() => Err(syntax("ParseUint")),
        "float32" | "float64" if value.parse::<f64>().is_err() => Err(syntax("ParseFloat")),
        "ip" if value.trim().parse::<IpAddr>().is_err() => {
            Err(format!("failed to parse IP: {value:?}"))
        }
        "duration" => match pintle_apimachinery::Duration::parse(value) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        },
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Given, String> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        Given::parse(&args, "kube-apiserver")
    }

    #[track_caller]
    fn fails(args: &[&str], message: &str) {
        assert_eq!(parse(args).expect_err("an error"), message);
    }

    #[test]
    fn the_table_is_whole() {
        assert!(all().count() > 170);
        let port = all().find(|flag| flag.name == "secure-port").expect("a flag");
        assert_eq!((port.kind, port.hidden), ("int", false));
        assert!(all().all(|flag| !flag.name.is_empty() && !flag.kind.is_empty()));
    }

    #[test]
    fn flags_are_read_in_every_form() {
        let args = ["--secure-port", "1", "--secure_port=2", "--anonymous-auth", "-v3", "-v", "4"];
        let given = parse(&args).expect("read");
        assert_eq!(given.last("secure-port"), Some("2"));
        assert_eq!(given.switch("anonymous-auth"), Some(true));
        assert_eq!(given.last("v"), Some("4"));
        assert_eq!(given.names(), ["secure-port", "anonymous-auth", "v"]);
        let given =
            parse(&["--anonymous-auth=F", "--api-audiences=a,b", "--api-audiences=c", "--"]);
        let given = given.expect("read");
        assert_eq!(given.switch("anonymous-auth"), Some(false));
        assert_eq!(given.list("api-audiences"), ["a", "b", "c"]);
        assert_eq!(parse(&["-h"]).expect("read").switch("help"), Some(true));
    }

    #[test]
    fn what_is_wrong_is_said_as_in_kubernetes() {
        fails(&["--nosuch"], "unknown flag: --nosuch");
        fails(&["--nosuch=1"], "unknown flag: --nosuch");
        fails(&["--insecure-port=0"], "unknown flag: --insecure-port");
        fails(&["-z"], "unknown shorthand flag: 'z' in -z");
        fails(&["--secure-port"], "flag needs an argument: --secure-port");
        fails(&["-v"], "flag needs an argument: 'v' in -v");
        fails(&["--=x"], "bad flag syntax: --=x");
        fails(
            &["--secure-port=abc"],
            "invalid argument \"abc\" for \"--secure-port\" flag: strconv.ParseInt: parsing \
             \"abc\": invalid syntax",
        );
        fails(
            &["--anonymous-auth=x"],
            "invalid argument \"x\" for \"--anonymous-auth\" flag: strconv.ParseBool: parsing \
             \"x\": invalid syntax",
        );
        fails(
            &["--bind-address=x"],
            "invalid argument \"x\" for \"--bind-address\" flag: failed to parse IP: \"x\"",
        );
        fails(
            &["--service-account-max-token-expiration=x"],
            "invalid argument \"x\" for \"--service-account-max-token-expiration\" flag: time: \
             invalid duration \"x\"",
        );
        fails(
            &["--anonymous-auth", "false"],
            "\"kube-apiserver\" does not take any arguments, got [\"false\"]",
        );
    }
}
