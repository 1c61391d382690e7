//! Every feature of `pintle-api` is forwarded under its own name.

fn features(manifest: &str) -> Vec<(&str, &str)> {
    let (_, rest) = manifest.split_once("\n[features]\n").expect("a [features] table");
    let table = rest.split("\n[").next().unwrap_or_default();
    table.lines().filter_map(|l| l.split_once(" = [")).collect()
}

#[test]
fn groups_are_forwarded() {
    let api = features(include_str!("../../api/Cargo.toml"));
    let own = features(include_str!("../Cargo.toml"));
    assert!(api.len() > 50, "{api:?}");
    for (group, _) in api.iter().filter(|(name, _)| *name != "default") {
        let expect = format!("\"pintle-api/{group}\"]");
        let found = own.iter().find(|(name, _)| name == group);
        assert!(
            found.is_some_and(|(_, to)| *to == expect),
            "crates/pintle/Cargo.toml lacks: {group} = [{expect}"
        );
    }
    let served = own.iter().find(|(name, _)| *name == "served");
    assert_eq!(served, Some(&("served", "\"pintle-api/default\"]")));
}
