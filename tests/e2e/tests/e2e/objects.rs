//! What objects may hold: much, in any script, in secret.
use crate::harness::{Done, config_map, refusal, run};
use pintle::api::core_v1::{ConfigMap, Secret};
use pintle::{Api, ApiResource, Bytes, Map, ObjectMeta, Str};

#[tokio::test]
async fn a_config_map_of_a_megabyte() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        // JSON of many short pieces, protobuf of one long one.
        let long = "0123456789abcdef".repeat((1 << 16) - 16);
        let api = t.client().namespaced::<ConfigMap>(&ns);
        let made = api.create(&config_map("long", &long)).await?;
        assert_eq!(made.data.get("k").map(|s| s.len()), Some(long.len()));
        assert_eq!(api.get("long").await?, made);
        assert_eq!(
            api.modify("long", |m| drop(m.metadata.labels.insert("a".into(), "b".into())))
                .await?
                .data,
            made.data
        );

        let any = t.client().dynamic(&ApiResource::of::<ConfigMap>())?.in_namespace(&ns);
        let read = any.get("long").await?;
        assert_eq!(read.get("data.k").and_then(|v| v.as_str()), Some(&*long));

        // The most that a ConfigMap may have, and the most that a request may have.
        let more = "x".repeat((1 << 20) + 1);
        refusal(api.create(&config_map("more", &more)).await).is(
            422,
            "Invalid",
            "ConfigMap \"more\" is invalid: []: Too long: may not be more than 1048576 bytes",
        );
        let too_much = "x".repeat(4 << 20);
        let refused = refusal(api.create(&config_map("much", &too_much)).await);
        refused.is(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
        assert!(refused.error.is_request_entity_too_large());
        Ok(())
    })
    .await
}

const TEXTS: [&str; 6] = [
    "žluťoučký kůň — naïve “quotes”",
    "日本語テキスト",
    "مرحبا بالعالم",
    "👩‍👩‍👧‍👦 \u{10FFFF} \u{FFFD}",
    "tab\tnew\nline\r\n\u{1} \u{7F} \u{2028} \\ \" </script>",
    "",
];

#[tokio::test]
async fn text_in_any_script_survives_every_format() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let mut new = config_map("texts", "v");
        for (i, text) in TEXTS.iter().enumerate() {
            new.data.insert(format!("k{i}").into(), (*text).into());
            new.metadata.annotations.insert(format!("k{i}").into(), (*text).into());
        }
        new.binary_data = Map::from([("bytes", Bytes::from((0..=255).collect::<Vec<u8>>()))]);
        let (json_client, tap) = t.tapped()?;
        tap.refuse_protobuf();
        let protobuf = t.client().namespaced::<ConfigMap>(&ns);
        let json = json_client.namespaced::<ConfigMap>(&ns);
        for (name, write) in [("by-protobuf", &protobuf), ("by-json", &json)] {
            new.metadata.name = name.into();
            let made = write.create(&new).await?;
            assert_eq!((&made.data, &made.binary_data), (&new.data, &new.binary_data), "{name}");
            assert_eq!(made.metadata.annotations, new.metadata.annotations, "{name}");
            assert_eq!(protobuf.get(name).await?, made);
            assert_eq!(json.get(name).await?, made);
        }
        assert!(tap.take().iter().all(|s| s.got == "application/json"));
        Ok(())
    })
    .await
}

async fn secret_roundtrip(api: &Api<Secret>, other: &Api<Secret>, name: &str) -> Done {
    let mut new = Secret {
        metadata: ObjectMeta { name: name.into(), ..Default::default() },
        data: Map::from([
            ("bytes", Bytes::from((0..=255).collect::<Vec<u8>>())),
            ("none", Bytes::default()),
        ]),
        ..Default::default()
    };
    new.string_data.insert("text".into(), "päss".into());
    let made = api.create(&new).await?;
    assert_eq!(made.type_, "Opaque", "the default");
    assert!(made.string_data.is_empty(), "only for writing");
    assert_eq!(made.data.get("bytes"), new.data.get("bytes"));
    assert_eq!(made.data.get("text").map(|b| b.to_vec()), Some("päss".as_bytes().to_vec()));
    assert_eq!(made.data.get("none").map(|b| b.len()), Some(0));
    assert_eq!(api.get(name).await?, made);
    assert_eq!(other.get(name).await?, made);
    Ok(())
}

#[tokio::test]
async fn a_secret_comes_back_as_it_was() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let (json, tap) = t.tapped()?;
        tap.refuse_protobuf();
        let protobuf = t.client().namespaced::<Secret>(&ns);
        let json = json.namespaced::<Secret>(&ns);
        secret_roundtrip(&protobuf, &json, "by-protobuf").await?;
        secret_roundtrip(&json, &protobuf, "by-json").await?;
        let typed = protobuf.list(&pintle::ListOptions::new().fields("type=Opaque")).await?;
        assert_eq!(typed.items.len(), 2);
        let change = |s: &mut Secret| s.type_ = Str::from("other");
        refusal(protobuf.modify("by-json", change).await).is(
            422,
            "Invalid",
            "Secret \"by-json\" is invalid: type: Invalid value: \"other\": field is immutable",
        );
        // What says that it does not change does not.
        protobuf.modify("by-json", |s| s.immutable = Some(true)).await?;
        let change = |s: &mut Secret| drop(s.data.insert("more".into(), Bytes::default()));
        refusal(protobuf.modify("by-json", change).await).is(
            422,
            "Invalid",
            "Secret \"by-json\" is invalid: data: Forbidden: field is immutable when `immutable` is set",
        );
        let bad = Secret {
            metadata: ObjectMeta { name: "bad".into(), ..Default::default() },
            data: Map::from([("a/b", Bytes::default())]),
            ..Default::default()
        };
        refusal(protobuf.create(&bad).await).is(
            422,
            "Invalid",
            "Secret \"bad\" is invalid: data[a/b]: Invalid value: \"a/b\": a valid config key must \
             consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  \
             or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        );
        Ok(())
    })
    .await
}
