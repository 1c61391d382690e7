//! Options to and from queries. Go: `TestConvert` of `pkg/conversion/queryparams` and
//! `pkg/runtime/conversion_test.go`, plus what the generated conversions do.

use super::*;

fn query(text: &str) -> QueryPairs {
    QueryPairs::parse(text)
}

#[test]
fn list_options_both_ways() {
    #[track_caller]
    fn check(options: ListOptions, expect: &str) {
        assert_eq!(options.query_string(), expect);
        assert_eq!(ListOptions::from_query(&query(expect)), Ok(options));
    }
    let new = ListOptions::new;
    check(new(), "");
    check(ListOptions::labels("a in (b,c)"), "labelSelector=a+in+%28b%2Cc%29");
    check(new().fields("metadata.name=x"), "fieldSelector=metadata.name%3Dx");
    check(new().watch(), "watch=true");
    check(new().limit(500).continue_token("abc_-"), "continue=abc_-&limit=500");
    check(new().limit(-1), "limit=-1");
    check(new().timeout_seconds(0), "timeoutSeconds=0");
    check(ListOptions { send_initial_events: Some(false), ..new() }, "sendInitialEvents=false");
    check(
        new().resource_version("0").resource_version_match(ResourceVersionMatch::Exact),
        "resourceVersion=0&resourceVersionMatch=Exact",
    );
    check(
        new().watch().send_initial_events().timeout_seconds(431),
        "allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=431&watch=true",
    );
    check(new().shard_selector("x"), "shardSelector=x");
}

#[test]
fn list_options_from_odd_queries() {
    #[track_caller]
    fn check(text: &str, expect: Result<ListOptions, &str>) {
        assert_eq!(
            ListOptions::from_query(&query(text)).map_err(|e| e.to_string()),
            expect.map_err(str::to_owned)
        );
    }
    let new = ListOptions::new;
    check("unknown=1&pretty=true&LIMIT=3", Ok(new()));
    for yes in [
        "watch",
        "watch=",
        "watch=1",
        "watch=true",
        "watch=True",
        "watch=no",
        "watch=00",
        "watch=+false",
    ] {
        check(yes, Ok(new().watch()));
    }
    for no in [
        "watch=0",
        "watch=false",
        "watch=FALSE",
        "watch=False",
        "watch=fal%C5%BFe",
        "watch=false&watch=true",
    ] {
        check(no, Ok(new()));
    }
    check("sendInitialEvents", Ok(ListOptions { send_initial_events: Some(true), ..new() }));
    check("limit=5&limit=6", Ok(new().limit(5)));
    check("limit=%2B5", Ok(new().limit(5)));
    check("limit=x", Err(r#"strconv.ParseInt: parsing "x": invalid syntax"#));
    check("limit=", Err(r#"strconv.ParseInt: parsing "": invalid syntax"#));
    check("limit=1.5", Err(r#"strconv.ParseInt: parsing "1.5": invalid syntax"#));
    check(
        "timeoutSeconds=9223372036854775808",
        Err(r#"strconv.ParseInt: parsing "9223372036854775808": value out of range"#),
    );
    check("timeoutSeconds=x&limit=y", Err(r#"strconv.ParseInt: parsing "x": invalid syntax"#));
}

#[test]
fn watch_list_defaults() {
    #[track_caller]
    fn check(mut options: ListOptions, enabled: bool, begins: bool) {
        options.set_defaults(enabled);
        assert_eq!(options.send_initial_events == Some(true), begins);
        assert_eq!(options.resource_version_match.as_str() == "NotOlderThan", begins);
    }
    let new = ListOptions::new;
    check(new().watch(), true, true);
    check(new().watch().resource_version("0"), true, true);
    check(new().watch(), false, false);
    check(new().watch().resource_version("7"), true, false);
    check(new(), true, false);
    check(new().watch().resource_version_match(ResourceVersionMatch::Exact), true, false);
    check(ListOptions { send_initial_events: Some(false), ..new().watch() }, true, false);
}

#[test]
fn write_options_both_ways() {
    let create = CreateOptions::default().dry_run().field_manager("me").field_validation("Strict");
    assert_eq!(create.query_string(), "dryRun=All&fieldManager=me&fieldValidation=Strict");
    assert_eq!(CreateOptions::from_query(&query(&create.query_string())), Ok(create));
    assert_eq!(CreateOptions::default().query_string(), "");

    let update =
        UpdateOptions { dry_run: vec!["All".into(), "".into(), "x".into()], ..Default::default() };
    assert_eq!(
        update.query_string(),
        "dryRun=All&dryRun=x",
        "an empty entry is left out, as in Go"
    );
    assert_eq!(
        UpdateOptions::from_query(&query("dryRun=&dryRun=All")).unwrap().dry_run,
        ["", "All"].map(Str::new)
    );

    let apply = PatchOptions::apply("kubectl").force();
    assert_eq!(apply.query_string(), "fieldManager=kubectl&force=true");
    assert_eq!(PatchOptions::from_query(&query(&apply.query_string())), Ok(apply));
    let unforced = PatchOptions { force: Some(false), ..Default::default() };
    assert_eq!(unforced.query_string(), "force=false");

    let get = GetOptions::default().resource_version("0");
    assert_eq!(get.query_string(), "resourceVersion=0");
    assert_eq!(GetOptions::from_query(&query("resourceVersion=0")), Ok(get));
}

#[test]
fn delete_options_both_ways() {
    let full = DeleteOptions {
        preconditions: Some(Preconditions {
            uid: Some("u".into()),
            resource_version: Some("7".into()),
        }),
        orphan_dependents: Some(false),
        ignore_store_read_error_with_cluster_breaking_potential: Some(true),
        ..DeleteOptions::foreground().grace_period_seconds(0).dry_run()
    };
    let text = "dryRun=All&gracePeriodSeconds=0&ignoreStoreReadErrorWithClusterBreakingPotential=true&orphanDependents=false&propagationPolicy=Foreground&resourceVersion=7&uid=u";
    assert_eq!(full.query_string(), text);
    assert_eq!(DeleteOptions::from_query(&query(text)), Ok(full.clone()));
    assert_eq!(
        full.to_json(),
        concat!(
            r#"{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"preconditions":{"uid":"u","resourceVersion":"7"},"#,
            r#""orphanDependents":false,"propagationPolicy":"Foreground","dryRun":["All"],"ignoreStoreReadErrorWithClusterBreakingPotential":true}"#
        )
    );
    assert_eq!(DeleteOptions::default().to_json(), r#"{"kind":"DeleteOptions","apiVersion":"v1"}"#);
    assert_eq!(
        DeleteOptions::background().preconditions(Preconditions::uid("a\"b")).to_json(),
        r#"{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"a\"b"},"propagationPolicy":"Background"}"#
    );
    assert_eq!(
        DeleteOptions::from_query(&query("uid=&propagationPolicy=")).unwrap().propagation_policy,
        Some(Str::default())
    );
    assert_eq!(DeleteOptions::from_query(&query("uid=")).unwrap(), DeleteOptions::default());
    assert_eq!(
        DeleteOptions::from_query(&query("gracePeriodSeconds=a")).unwrap_err().to_string(),
        r#"strconv.ParseInt: parsing "a": invalid syntax"#
    );
    for policy in [
        DeletionPropagation::Orphan,
        DeletionPropagation::Background,
        DeletionPropagation::Foreground,
    ] {
        assert_eq!(DeletionPropagation::from_name(policy.as_str()), Some(policy));
    }
    assert_eq!(DeletionPropagation::from_name("foreground"), None);
}
