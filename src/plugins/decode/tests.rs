//! Bodies of every format, well-formed, sloppy and hostile.

use serde_json::{Value, json};

use super::*;

/// A format as a manifest writes it.
fn format(written: &str) -> BodyFormat {
    serde_saphyr::from_str(written).unwrap()
}

fn read(written: &str, body: impl AsRef<[u8]>) -> Result<Value, String> {
    read_as(written, body, None)
}

fn read_as(
    written: &str,
    body: impl AsRef<[u8]>,
    content_type: Option<&str>,
) -> Result<Value, String> {
    let read = decode(&format(written), body.as_ref(), content_type);
    read.map_err(|fault| {
        assert_eq!(fault.cause, Cause::BadBody);
        fault.reason
    })
}

/// How deeply a value is nested.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[test]
fn json_is_read_whatever_the_content_type_says() {
    for content_type in [None, Some("text/plain; charset=UTF-8"), Some("application/json")] {
        assert_eq!(read_as("json", "{\"a\": 1}\n", content_type), Ok(json!({"a": 1})));
    }
    assert_eq!(read("json", b"\xef\xbb\xbf[]"), Ok(json!([])));
    assert_eq!(read("json", "18446744073709551615"), Ok(json!(u64::MAX)));
    assert_eq!(read("json", r#""a\u0000b""#), Ok(json!("a\0b")));
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    let deep = "[".repeat(100_000);
    let huge = "9".repeat(400);
    for (body, reason) in [
        (&b""[..], "the body is empty"),
        (b" \r\n", "the body is empty"),
        (b"\xef\xbb\xbf", "the body is empty"),
        (b"{\"a\": \n  oops}", "the body is no JSON: expected value at line 2 column 3"),
        (b"{\"a\"", "the body is no JSON: EOF while parsing an object at line 1 column 4"),
        (b"{} {}", "the body is no JSON: trailing characters at line 1 column 4"),
        (b"\"\xff\"", "the body is no JSON: invalid unicode code point at line 1 column 2"),
        (deep.as_bytes(), "the body is no JSON: recursion limit exceeded at line 1 column 128"),
        (huge.as_bytes(), "the body is no JSON: number out of range at line 1 column 400"),
    ] {
        assert_eq!(read("json", body), Err(reason.to_owned()));
    }
}

#[test]
fn lenient_json_forgives_what_templates_do_to_json() {
    let sloppy = "{\n // who\n \"a\": \"one\ntwo\tthree\", /* list */ \"b\": [1, 2,],\n}";
    let expected = json!({"a": "one\ntwo\tthree", "b": [1, 2]});
    assert_eq!(read("lenient_json", sloppy), Ok(expected));
    assert!(read("json", sloppy).is_err());
    let strict = r#"{"a": "// no comment, /* none */", "n": 18446744073709551615}"#;
    assert_eq!(read("lenient_json", strict), read("json", strict));
    let broken = read("lenient_json", "{\"a\": \"x\n\", oops}").unwrap_err();
    assert!(broken.ends_with("at line 2 column 4"), "{broken}");
    for hostile in ["[".repeat(100_000), "/*".repeat(50_000), "\"".to_owned(), "{} {}".to_owned()] {
        assert!(read("lenient_json", hostile).is_err());
    }
    assert!(read("lenient_json", b"\"\xff\n\"").is_err());
}

#[test]
fn lines_of_json_become_a_list() {
    assert_eq!(read("ndjson", "{\"a\": 1}\r\n\n{\"b\": 2}\n"), Ok(json!([{"a": 1}, {"b": 2}])));
    assert_eq!(
        read("ndjson", "{}\n\n{\"a\"\n"),
        Err("line 3 of the body is no JSON document: EOF while parsing an object column 4".into())
    );
    let deep = format!("1\n{}", "[".repeat(100_000));
    assert!(read("ndjson", deep).unwrap_err().starts_with("line 2 of the body"));
    let nested = format!("{}{}", "[".repeat(127), "]".repeat(127));
    assert_eq!(depth(&read("ndjson", nested).unwrap()), DEPTH);
}

#[test]
fn a_form_becomes_an_object() {
    let body = "Name=a+b%26c&Tag=x&Tag=y&Tag=z&Empty=";
    let expected = json!({"Name": "a b&c", "Tag": ["x", "y", "z"], "Empty": ""});
    for written in ["form", "{form: {}}"] {
        let posted = read_as(written, body, Some("application/x-www-form-urlencoded"));
        assert_eq!(posted, Ok(expected.clone()));
    }
    let posted = read_as("form", "{\"Name\": 1}", Some("application/json; charset=utf-8"));
    assert_eq!(posted, Ok(json!({"Name": 1})));
    assert!(read("form", b"a=\xff").unwrap_err().contains("from byte 2 on"));
    assert!(read("form", "a=1&".repeat(50_000)).unwrap()["a"].as_array().unwrap().len() == 50_000);
}

#[test]
fn a_form_may_hold_json_in_one_field() {
    let written = "{form: {json_field: payload}}";
    assert_eq!(read(written, "payload=%7B%22a%22%3A1%7D&x=y"), Ok(json!({"a": 1})));
    assert_eq!(read(written, "x=y"), Err("the form has no field `payload`".to_owned()));
    let broken = decode(&format(written), b"payload=%7B", None).unwrap_err();
    assert_eq!(broken.path.as_deref(), Some("payload"));
    assert!(broken.reason.starts_with("the form's field `payload` is no JSON: EOF"));
}

#[test]
fn text_is_kept_whole_beside_the_fields_of_its_lines() {
    assert_eq!(read("text", "Disk: full\n"), Ok(json!({"text": "Disk: full\n"})));
    let written = r"{text: {line: '^(?<key>[^:]+): *(?<value>.*)$'}}";
    let body = "Alert Name: disk: root\r\nStatus: firing\nno field\nStatus: ok\n: none\ntext: x";
    let expected = json!({
        "text": body, "Alert Name": "disk: root", "Status": "firing",
    });
    assert_eq!(read(written, body), Ok(expected));
    assert!(read("text", b"a\xff").unwrap_err().contains("no UTF-8 from byte 1 on"));
    // A pattern that would take a backtracking engine for ever.
    let greedy = "{text: {line: '^(?<key>(a+)+)(?<value>b)$'}}";
    assert!(read(greedy, "a".repeat(200_000)).is_ok());
}

const BOUNDARY: Option<&str> = Some("multipart/form-data; boundary=\"X\"");

/// A form of parts, each with its headers and its content.
fn parts(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend_from_slice(
            format!("--X\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--X--\r\n");
    body
}

#[test]
fn the_parts_of_a_form_with_files_become_an_object() {
    let body = parts(&[
        ("name=\"subject\"", "Füll".as_bytes()),
        ("name=\"tag\"", b"a"),
        ("name=\"tag\"", b"b"),
        ("name=\"payload\"\r\nContent-Type: application/json", b"{\"a\": [1]}"),
        ("name=\"log\"; filename=\"a.log\"\r\nContent-Type: text/plain", b"line"),
        ("name=\"picture\"; filename=\"a.png\"\r\nContent-Type: image/png", b"\x89PNG\xff"),
        ("name=\"long\"; filename=\"b.log\"", &vec![b'x'; 70_000]),
    ]);
    let expected = json!({
        "subject": "Füll",
        "tag": ["a", "b"],
        "payload": {"a": [1]},
        "log": {"filename": "a.log", "content_type": "text/plain", "size": 4, "text": "line"},
        "picture": {
            "filename": "a.png", "content_type": "image/png", "size": 5, "skipped": "it is no text"
        },
        "long": {
            "filename": "b.log", "content_type": null, "size": 70_000,
            "skipped": "it is longer than 64 KiB"
        },
    });
    assert_eq!(read_as("multipart", &body, BOUNDARY), Ok(expected.clone()));
    assert_eq!(read_as("auto", &body, BOUNDARY), Ok(expected));
    // A list that came as one part stays an element of the list of two.
    let json = "name=\"a\"\r\nContent-Type: application/json";
    let twice = read_as("multipart", parts(&[(json, b"[1]"), (json, b"[2]")]), BOUNDARY);
    assert_eq!(twice, Ok(json!({"a": [[1], [2]]})));
}

#[test]
fn a_form_with_files_that_is_broken_is_told_with_its_part() {
    let whole = parts(&[("name=\"a\"", b"1")]);
    let unnamed = parts(&[("name=\"a\"", b"1"), ("filename=\"x\"", b"1")]);
    let no_text = parts(&[("name=\"a\"", b"\xff")]);
    let no_json = parts(&[("name=\"a\"\r\nContent-Type: application/json", b"{")]);
    let many = parts(&vec![("name=\"a\"", &b"1"[..]); 1_001]);
    for (body, content_type, expected) in [
        (&whole[..], None, "the content type `` is none of a form with files"),
        (&whole, Some("text/plain; boundary=X"), "expected `multipart/form-data; boundary=…`"),
        (&whole[..whole.len() - 12], BOUNDARY, "part 1 of the form cannot be read"),
        (b"no parts at all", BOUNDARY, "part 1 of the form cannot be read"),
        (&unnamed, BOUNDARY, "part 2 of the form has no name"),
        (&no_text, BOUNDARY, "the form's field `a` is no UTF-8 from byte 0 on"),
        (&no_json, BOUNDARY, "the form's field `a` is no JSON: EOF"),
        (&many, BOUNDARY, "the form has more than 1000 parts"),
    ] {
        let fault = read_as("multipart", body, content_type).unwrap_err();
        assert!(fault.contains(expected), "{expected}: {fault}");
    }
}

#[test]
fn xml_becomes_an_object_of_attributes_texts_and_children() {
    let body = "<?xml version=\"1.0\"?>\n<!-- c -->\n<Alert id=\"7 &lt; 8\" xmlns:x=\"urn:x\">\n  \
        <x:host>a&amp;b &#x41;<![CDATA[<c>]]></x:host>\n  <tag>one</tag><tag k='v'>two</tag>\n  \
        <empty/><none></none>\n  words <b>bold</b>\n</Alert>\n";
    let expected = json!({ "Alert": {
        "@id": "7 < 8",
        "@xmlns:x": "urn:x",
        "x:host": "a&b A<c>",
        "tag": ["one", {"@k": "v", "#text": "two"}],
        "empty": "",
        "none": "",
        "#text": "words",
        "b": "bold",
    }});
    assert_eq!(read("xml", body), Ok(expected));
    let listed = read("{xml: {lists: [tag]}}", "<a><tag>1</tag></a>");
    assert_eq!(listed, Ok(json!({"a": {"tag": ["1"]}})));
    assert_eq!(
        read("{xml: {lists: [tag]}}", "<a><tag>1</tag><tag>2</tag></a>"),
        Ok(json!({"a": {"tag": ["1", "2"]}}))
    );
}

#[test]
fn xml_that_is_broken_or_hostile_is_refused_with_its_place() {
    let deep = "<a>".repeat(100_000);
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbb\"><!ENTITY c \"&b;&b;&b;\">]><a>&c;</a>";
    let outside = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>";
    for (body, expected) in [
        ("<a>\n  <b></a>", "at line 2 column"),
        ("<a>", "it ends inside an element at line 1 column 4"),
        ("<a", "at line 1 column"),
        ("words", "text outside of the element that holds all at line 1 column 1"),
        ("<a/><b/>", "it has several elements"),
        ("<a/><a/>", "it has several elements"),
        ("<!-- nothing -->", "it has no element"),
        ("<a x='1' x='2'/>", "the attribute `x` is there twice at line 1 column 1"),
        ("<a x=1/>", "at line 1 column 1"),
        ("<a>&lol;</a>", "nobody knows the entity `&lol;` at line 1 column 4"),
        ("<a x='&lol;'/>", "lol"),
        ("<a>&#0;</a>", "at line 1 column 4"),
        (bomb, "a document type is not read at line 1 column 1"),
        (outside, "a document type is not read at line 1 column 1"),
        (deep.as_str(), "elements are nested deeper than 62 at line 1 column 187"),
    ] {
        let fault = read("xml", body).unwrap_err();
        assert!(fault.contains(expected), "{body:.60}: {fault}");
    }
    let nested = format!("{}{}", "<a><a/>".repeat(62), "</a>".repeat(62));
    assert!(depth(&read("xml", nested).unwrap_or_default()) <= DEPTH);
}

#[test]
fn what_is_large_is_read_in_a_moment() {
    let many = |number: usize, one: &dyn Fn(usize) -> String| {
        (0..number).map(one).collect::<Vec<_>>().concat()
    };
    let attributes = many(20_000, &|n| format!(" a{n}='1'"));
    let children = many(20_000, &|n| format!("<b{n}/><b/>"));
    let lines = many(50_000, &|n| format!("k{n}: v\n"));
    let fields = many(50_000, &|n| format!("k{n}=v&"));
    assert!(read("xml", format!("<a{attributes}>{children}</a>")).is_ok());
    assert!(read("xml", format!("<a>{}</a>", "&amp;x".repeat(100_000))).is_ok());
    assert!(read("{text: {line: '^(?<key>.*): (?<value>.*)$'}}", lines).is_ok());
    assert!(read("form", fields).is_ok());
    assert!(read("ndjson", "1\n".repeat(100_000)).is_ok());
    assert!(read_as("multipart", parts(&[("name=\"a\"", &vec![b'-'; 900_000])]), BOUNDARY).is_ok());
    assert!(
        read_as("multipart", parts(&[("name=\"a\"", &b"\r\n--Y".repeat(150_000))]), BOUNDARY)
            .is_ok()
    );
}

#[test]
fn auto_goes_by_the_content_type() {
    let form = Some("application/x-www-form-urlencoded");
    for (content_type, body, expected) in [
        (form, "a=1&b=x+y", json!({"a": "1", "b": "x y"})),
        (form, "{\"a\": 1}", json!({"a": 1})),
        (form, "{broken", json!({"{broken": ""})),
        (Some("text/xml; charset=utf-8"), "<a>1</a>", json!({"a": "1"})),
        (Some("application/atom+xml"), "<a>1</a>", json!({"a": "1"})),
        (Some("application/x-ndjson"), "1\n2\n", json!([1, 2])),
        (Some("text/plain"), "{\"a\": 1}", json!({"a": 1})),
        (None, "{\"a\": 1}", json!({"a": 1})),
    ] {
        assert_eq!(read_as("auto", body, content_type), Ok(expected), "{content_type:?}");
    }
    assert!(read_as("auto", "<a/>", Some("text/plain")).unwrap_err().contains("no JSON"));
}

#[test]
fn other_character_sets_are_read_where_that_is_sure_and_named_where_not() {
    let latin = Some("application/json; charset=\"ISO-8859-1\"");
    assert_eq!(read_as("json", b"\"\xfc\"", latin), Ok(json!("ü")));
    assert_eq!(read_as("json", "\"ü\"", latin), Ok(json!("ü")));
    assert_eq!(read_as("text", b"\xe9", latin), Ok(json!({"text": "é"})));
    let xml = b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>";
    assert_eq!(read("xml", xml), Ok(json!({"a": "é"})));
    assert_eq!(read_as("json", "\"a\"", Some("text/plain; charset=euc-kr")), Ok(json!("a")));
    let refused =
        Err("the body is in the character set `utf-16`; expected UTF-8 or ISO-8859-1".to_owned());
    assert_eq!(read_as("json", b"\"\0a\0\"\0", Some("a/b;charset=utf-16")), refused);
    let refused = read_as("text", b"\xb0\xa1", Some("text/plain; charset=EUC-KR")).unwrap_err();
    assert!(refused.contains("`euc-kr`"), "{refused}");
}

#[test]
fn a_format_that_nobody_knows_is_refused() {
    for (written, expected) in [
        ("jsom", "unknown variant"),
        ("{json: {}}", "unknown field"),
        ("{form: {}, text: {}}", "expected one of `form`, `text` and `xml`"),
        ("{}", "expected one of `form`, `text` and `xml`"),
        ("[json]", "one of json, lenient_json, ndjson"),
        ("{text: {line: '('}}", "`(` is no pattern: error: unclosed group"),
        ("{text: {line: '(?<key>.)'}}", "lacks the group `value`"),
        ("{form: {json_feild: a}}", "json_feild"),
    ] {
        let fault = serde_saphyr::from_str::<BodyFormat>(written).unwrap_err().to_string();
        assert!(fault.contains(expected), "{written}: {fault}");
    }
}
