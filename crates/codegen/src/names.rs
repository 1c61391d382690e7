//! Names: Go and JSON identifiers to Rust ones. One splitter into words serves fields, statics,
//! constants and modules, so that a name is spelled alike wherever it appears.

/// Splits an identifier into lower-case words: `podIPs` -> `pod`, `ips`; `openAPIV3Schema` ->
/// `open`, `api`, `v3`, `schema`. An acronym keeps a plural `s` and the digits that follow it.
pub fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        if !chars[i].is_ascii_alphanumeric() {
            i += 1;
            continue;
        }
        let end = word_end(&chars, i);
        out.push(chars[i..end].iter().collect::<String>().to_ascii_lowercase());
        i = end;
    }
    out
}

/// Where the word that begins at `start` ends.
fn word_end(chars: &[char], start: usize) -> usize {
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let lower_or_digit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut end = start;
    if (at(start), at(start + 1), at(start + 2)) == ('I', 'P', 'v')
        && at(start + 3).is_ascii_digit()
    {
        return start + 4; // `IPv4` and `IPv6` are one word
    }
    while at(end).is_ascii_uppercase() {
        end += 1;
    }
    let run = end - start;
    if run <= 1 {
        // `Port`, `port`, `V1`: one capital at most, then lower case and digits.
        end = start + 1;
        while lower_or_digit(at(end)) {
            end += 1;
        }
        return end;
    }
    if at(end).is_ascii_digit() {
        if at(end - 1) == 'V' {
            return end - 1; // `APIV3`: the version is a word of its own
        }
        while at(end).is_ascii_digit() {
            end += 1; // `PKCS10`
        }
        return end;
    }
    if at(end) == 's' && !lower_or_digit(at(end + 1)) {
        return end + 1; // `IPs`, `URLs`
    }
    // `HTTPGet`: the last capital begins the next word.
    if at(end).is_ascii_lowercase() { end - 1 } else { end }
}

/// `hostIP` -> `host_ip`. Not yet safe against keywords: see [`field`].
pub fn snake(name: &str) -> String {
    words(name).join("_")
}

/// `PodRunning` -> `POD_RUNNING`.
pub fn screaming(name: &str) -> String {
    snake(name).to_ascii_uppercase()
}

/// The Rust name of a field with the given JSON name.
pub fn field(json: &str) -> String {
    let name = if json == "$ref" { "ref_path".to_owned() } else { snake(json) };
    if is_keyword(&name) { name + "_" } else { name }
}

/// The Go name that a JSON name has when nothing special happened: `hostIP` -> `HostIP`.
pub fn exported(json: &str) -> String {
    let mut chars = json.chars();
    match chars.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + chars.as_str(),
        None => String::new(),
    }
}

/// The English plural as Kubernetes' generators form it: `ingress` -> `ingresses`, `policy` ->
/// `policies`, `gateway` -> `gateways`, `endpoints` -> `endpoints`.
pub fn plural(singular: &str) -> String {
    let last = singular.chars().next_back().unwrap_or_default();
    let before = singular.chars().rev().nth(1).unwrap_or_default();
    match (before, last) {
        _ if singular == "endpoints" => singular.to_owned(),
        (_, 's' | 'x') | ('c' | 's', 'h') => format!("{singular}es"),
        (b, 'y') if !"aeiou".contains(b) => format!("{}ies", &singular[..singular.len() - 1]),
        _ => format!("{singular}s"),
    }
}

/// Words that Rust keeps for itself, up to edition 2024.
pub fn is_keyword(name: &str) -> bool {
    const KEYWORDS: &str = " abstract as async await become box break const continue crate do dyn \
        else enum extern false final fn for gen if impl in let loop macro match mod move mut \
        override priv pub ref return self static struct super trait true try type typeof unsafe \
        unsized use virtual where while yield ";
    KEYWORDS.split(' ').any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expect: &str) {
        assert_eq!(field(json), expect, "{json}");
    }

    #[test]
    fn fields() {
        for (json, expect) in [
            ("name", "name"),
            ("containerPort", "container_port"),
            ("hostIP", "host_ip"),
            ("podIPs", "pod_ips"),
            ("clusterIPs", "cluster_ips"),
            ("externalIPs", "external_ips"),
            ("hostIPC", "host_ipc"),
            ("hostPID", "host_pid"),
            ("podCIDRs", "pod_cidrs"),
            ("nonResourceURLs", "non_resource_urls"),
            ("serverAddressByClientCIDRs", "server_address_by_client_cidrs"),
            ("targetWWNs", "target_wwns"),
            ("wwids", "wwids"),
            ("openAPIV3Schema", "open_api_v3_schema"),
            ("fieldsV1", "fields_v1"),
            ("stubPKCS10Request", "stub_pkcs10_request"),
            ("setHostnameAsFQDN", "set_hostname_as_fqdn"),
            ("targetCPUUtilizationPercentage", "target_cpu_utilization_percentage"),
            ("insecureSkipTLSVerifyBackend", "insecure_skip_tls_verify_backend"),
            ("JSONPath", "json_path"),
            ("Port", "port"),
            ("scaleIO", "scale_io"),
            ("x-kubernetes-int-or-string", "x_kubernetes_int_or_string"),
            ("$ref", "ref_path"),
            ("$schema", "schema"),
            ("type", "type_"),
            ("continue", "continue_"),
            ("enum", "enum_"),
            ("ref", "ref_"),
            ("gen", "gen_"),
            ("uid", "uid"),
            ("httpGet", "http_get"),
        ] {
            check(json, expect);
        }
    }

    #[test]
    fn statics_and_constants() {
        for (go, expect) in [
            ("EnvVar", "ENV_VAR"),
            ("HTTPGetAction", "HTTP_GET_ACTION"),
            ("JSONSchemaPropsOrArray", "JSON_SCHEMA_PROPS_OR_ARRAY"),
            ("PodQOSBestEffort", "POD_QOS_BEST_EFFORT"),
            ("NodeInternalIP", "NODE_INTERNAL_IP"),
            ("IPv4Protocol", "IPV4_PROTOCOL"),
        ] {
            assert_eq!(screaming(go), expect, "{go}");
        }
    }

    #[test]
    fn plurals() {
        for (one, many) in [
            ("pod", "pods"),
            ("ingress", "ingresses"),
            ("networkpolicy", "networkpolicies"),
            ("gateway", "gateways"),
            ("endpoints", "endpoints"),
            ("prefix", "prefixes"),
            ("switch", "switches"),
        ] {
            assert_eq!(plural(one), many);
        }
    }
}
