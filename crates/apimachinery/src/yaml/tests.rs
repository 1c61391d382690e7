//! Tests of YAML as Go's yaml.v2 reads and writes it.
use super::*;

#[track_caller]
fn check(yaml: &str, json: &str) {
    let found = match parse(yaml.as_bytes()) {
        Ok(v) => v.to_string(),
        Err(e) => e.to_string(),
    };
    assert_eq!(found, json, "{yaml:?}");
}

#[test]
fn scalars_are_those_of_yaml_1_1() {
    check(
        "[yes, off, y, N, 'yes', ~, '', .5, 1e3, 1_000]",
        r#"[true,false,true,false,"yes",null,"",0.5,1000,1000]"#,
    );
    check(
        "[0644, 08, 0x1F, 0b11, -0o17, 1:30, 2020-01-01, 1.2.3]",
        r#"[420,8,31,3,-15,"1:30","2020-01-01","1.2.3"]"#,
    );
    check("[18446744073709551615, 99999999999999999999]", "[18446744073709551615,1e+20]");
    check("!!str 5", r#""5""#);
    check("!!int yes", "yaml: cannot decode !!bool `yes` as a !!int");
    check("!!float 5", "5");
    check(".nan", "json: unsupported value: NaN");
    check("!!binary aGk=", r#""hi""#);
    check("!own {a: !x b}", r#"{"a":"b"}"#);
}

#[test]
fn structures() {
    check(
        "a:\n- 1\n- b: 2\n  c:\n    - 3\nd: {e: [f, {g}], h: }",
        r#"{"a":[1,{"b":2,"c":[3]}],"d":{"e":["f",{"g":null}],"h":null}}"#,
    );
    check("? a\n: b\n? c\n", r#"{"a":"b","c":null}"#);
    check("- - 1\n  - 2\n-\n- - 3", "[[1,2],null,[3]]");
    check(
        "a: |\n  x\n   y\n\nb: >-\n  p\n  q\n\n  r\nc: |+\n  z\n\n",
        r#"{"a":"x\n y\n","b":"p q\nr","c":"z\n\n"}"#,
    );
    check(
        "a: \"x\\\n  y\\u00e9\\n\"\nb: 'it''s\n\n  here'\nc: plain\n  over lines # and a comment",
        r#"{"a":"xyé\n","b":"it's\nhere","c":"plain over lines"}"#,
    );
    check(
        "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  k: 2\n  <<: [{m: 1}, {m: 2}]",
        r#"{"a":{"k":1},"b":{"k":1},"c":{"k":2,"m":1}}"#,
    );
    check("1: a\ntrue: b\n1.5: c\n1e9: d", r#"{"1":"a","1.5":"c","1e+09":"d","true":"b"}"#);
    check("[a: 1, ? b : 2]", r#"[{"a":1},{"b":2}]"#);
    check("%YAML 1.1\n%TAG !e! tag:yaml.org,2002:\n--- !e!str 1\n...\nx", r#""1""#);
    check("", "null");
    check("# nothing", "null");
    check("{\"a\": \"b\", \"c\":[1,2]}", r#"{"a":"b","c":[1,2]}"#);
}

#[test]
fn errors_name_the_line() {
    check("a: b: c", "yaml: mapping values are not allowed in this context");
    check("a: 1\nb: [1,", "yaml: line 2: did not find expected node content");
    check("a: 1\n b: 2", "yaml: line 2: mapping values are not allowed in this context");
    check("x: *y", "yaml: unknown anchor 'y' referenced");
    check("a: &a [*a]", "yaml: anchor 'a' value contains itself");
    check("\u{1}", "yaml: control characters are not allowed");
    check("{[a]: b}", "yaml: invalid map key: [\"a\"]");
    check("%YAML 1.2\n---\na", "yaml: found incompatible YAML document");
    check(&"[".repeat(300), "yaml: nested more than 200 levels deep");
}

#[test]
fn aliases_do_not_blow_up() {
    let mut laughs = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for i in 1..12 {
        let of = format!("*a{},", i - 1).repeat(10);
        laughs.push_str(&format!("a{i}: &a{i} [{of}]\n"));
    }
    check(&laughs, "yaml: document contains excessive aliasing");
    let mut deep = String::from("- &a0 [x]\n");
    for i in 1..500 {
        deep.push_str(&format!("- &a{i} [*a{}]\n", i - 1));
    }
    check(&deep, "yaml: nested more than 200 levels deep");
}

#[test]
fn keys_that_are_there_twice() {
    let (value, twice) = parse_strict(b"a: 1\nb: {c: 1,\n  c: 2}\na: 3\n1: x\n1: z\n").unwrap();
    assert_eq!(value.to_string(), r#"{"1":"z","a":3,"b":{"c":2}}"#);
    assert_eq!(
        twice.unwrap(),
        "yaml: unmarshal errors:\n  line 3: key \"c\" already set in map\n  line 4: key \"a\" already set in map\n  line 6: key 1 already set in map"
    );
    assert!(parse_strict(b"a: 1\nb: 2").unwrap().1.is_none());
}

#[test]
fn what_is_written_is_read_again() {
    let texts = [
        "",
        " ",
        "a",
        "yes",
        "0644",
        "1:30",
        "- a",
        "a: b",
        "a #b",
        "a\nb",
        "a\n",
        "\n",
        " a\nb",
        "a\n\n\n",
        "é\u{85}\u{2028}",
        "\t",
        "'",
        "\"\\",
        "---",
        "...",
        "<<",
        "=",
        "null",
        "1e3",
        "a:",
        ":a",
        "?",
        "? a",
        "[x",
        "x]",
        "!t",
        "&a",
        "*a",
        "%d",
        "@a",
        "`a",
        "a\r\nb",
        "\u{feff}",
        "a\n b\n\nc ",
        "\u{1}\u{1f600}",
        "- ",
        "-",
        "a\tb",
        "x\n\ty",
    ];
    for a in texts {
        for b in texts {
            let v = serde_json::json!({a: [b, {b: a}, [], {}, [[a], b]], "z": {a: {b: 1.5}}, "n": null});
            let yaml = to_string(&v);
            assert_eq!(parse(yaml.as_bytes()).expect(&yaml), v, "{yaml}");
        }
        let yaml = to_string(&a.into());
        assert_eq!(parse(yaml.as_bytes()).expect(&yaml), a, "{yaml}");
    }
}

#[test]
fn documents_are_split_at_lines() {
    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let found: Vec<String> = documents(text.as_bytes())
            .map(|d| match d {
                Ok(d) => String::from_utf8(d).unwrap(),
                Err(e) => e.to_string(),
            })
            .collect();
        assert_eq!(found, expect, "{text:?}");
    }
    check("", &[]);
    check("---\n", &["---\n"]);
    check("a\n---\nb\n", &["a\n", "b\n"]);
    check("---\na\n---  # c\nb", &["---\na\n", "b\n"]);
    check("a\n--- \r\nb\r\n", &["a\n", "b\n"]);
    check("a\n---x\nb", &["invalid Yaml document separator: x"]);
    check("a\n ---\nb", &["a\n ---\nb\n"]);
    check("\n\n---\n", &["\n\n"]);
    check("a\n---\n---\nb", &["a\n", "---\nb\n"]);
    // Across what is split at once.
    let long = "x".repeat(70_000);
    check(&format!("{long}\n---\n{long}"), &[&format!("{long}\n"), &format!("{long}\n")]);
}

#[test]
fn mutated_input_never_panics() {
    const PIECES: [&str; 26] = [
        "a", "k: ", ":", "\n", "\n  ", "- ", "-", "? ", "[", "]", "{", "}", ",", "'", "\"", "|\n",
        ">", "&a ", "*a", "!!str ", "!", "%", "#", "---\n", "\t", "\\",
    ];
    let mut random = crate::parse_error::random(11);
    for _ in 0..20_000 {
        let text: String =
            (0..random(16)).map(|_| PIECES[random(PIECES.len() as u64) as usize]).collect();
        if let Ok((v, _)) = parse_strict(text.as_bytes()) {
            let again = to_string(&v);
            assert_eq!(parse(again.as_bytes()).expect(&again), v, "{text:?} is {again:?}");
        }
        let cut: Result<Vec<_>, _> = documents(text.as_bytes()).collect();
        let cut = cut.map(|all| all.into_iter().map(|d| String::from_utf8(d).unwrap()).collect());
        let same = crate::util::yaml_documents(&text);
        assert_eq!(cut.map_err(|e| e.to_string()), same.map_err(|e| e.to_string()), "{text:?}");
    }
}

#[test]
fn what_json_cannot_hold_is_no_mistake_where_another_value_takes_its_place() {
    assert_eq!(
        parse(b"{a: {~: 1}, b: .nan, a: 1, b: 2}").unwrap(),
        serde_json::json!({"a": 1, "b": 2})
    );
    assert!(parse_strict(b"{a: {~: 1}, a: 1}").unwrap().1.is_some());
    assert!(parse(b"{a: {~: 1}}").is_err());
    assert!(parse(b"{a: 1, a: {~: 1}}").is_err());
    assert!(parse(b"{a: [b, {c: .inf}]}").is_err());
}
