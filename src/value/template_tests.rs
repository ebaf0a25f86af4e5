//! What templates make, and what they are not let do.

use serde_json::json;

use super::*;

fn rendered(template: &str) -> String {
    let scene = json!({
        "title": "Disk \"full\"", "resources": ["a", "b"], "info": { "team": "web" },
        "at": "2026-03-29T01:30:00.000Z", "long": "é".repeat(1000),
    });
    Template::parse(template).unwrap().render(&scene).unwrap()
}

fn refused(template: &str) -> TemplateFault {
    match Template::parse(template) {
        Ok(template) => template.render(&json!({ "a": ["x", "y"] })).unwrap_err(),
        Err(fault) => fault,
    }
}

#[test]
fn places_are_filled_in_and_what_is_missing_is_empty() {
    assert_eq!(rendered("{{ title }} {{ nothing }}{{ info.a.b }}!"), "Disk \"full\" !");
    assert_eq!(rendered("{{ title|tojson }}"), "\"Disk \\\"full\\\"\"");
    assert_eq!(rendered("{{ resources|join(', ') }}{{ nothing|join(',') }}"), "a, b");
    assert_eq!(rendered("{% for it in resources %}<{{ it|upper }}>{% endfor %}"), "<A><B>");
    assert_eq!(rendered("{% for k, v in info|items %}{{ k }}={{ v }}{% endfor %}"), "team=web");
    assert_eq!(rendered("{% if info.team == 'web' %}yes{% else %}no{% endif %}"), "yes");
    assert_eq!(rendered("{{ nothing|default('none') }}"), "none");
    assert_eq!(rendered("{{ long|truncate(2) }}"), "éé…");
    assert_eq!(rendered("{{ at|date('%H:%M', 'Europe/Berlin') }}"), "03:30");
    assert_eq!(rendered("{{ at|date }}"), "2026-03-29 01:30:00 UTC");
    assert_eq!(
        rendered("*bold* {# no comment #}{{ title|replace('Disk', '*') }}"),
        "*bold* * \"full\""
    );
    assert_eq!(rendered("<b>{{ title }}</b>"), "<b>Disk \"full\"</b>");
}

#[test]
fn mistakes_are_told_with_their_line() {
    assert_eq!(refused("a\n{{ title").line, Some(2));
    assert_eq!(refused("a\n\n{% if %}").line, Some(3));
    assert!(refused("{{ title|shout }}").detail.contains("shout"));
    assert!(refused("{{ range(5) }}").detail.contains("range"));
    assert!(
        refused("{{ '2026-01-01T00:00:00Z'|date('%H', 'Mars/Olympus') }}").detail.contains("Mars")
    );
    assert!(refused(&"a".repeat(LONGEST + 1)).detail.contains("at most"));
}

#[test]
fn little_does_not_become_much() {
    for (template, why) in [
        ("{% set a = 'x' %}", "no tag `set`"),
        ("{%- with a = 'x' %}{% endwith %}", "no tag `with`"),
        ("{%+ macro a() %}{% endmacro %}", "no tag `macro`"),
        ("{% raw %}{% endraw %}", "no tag `raw`"),
        ("{# {% set a = 'x' %} #}", "no tag `set`"),
        ("{{ 'a' * 100000000 }}", "multiplied"),
        ("{{ '}}' * 100000000 }}", "multiplied"),
        ("{{ \"\\\"}}\" * 100000000 }}", "multiplied"),
        ("{% for i in a * 100000000 %}{% endfor %}", "multiplied"),
        ("{{ a ~ a }}", "put together"),
        ("{{ a + a }}", "added"),
        ("{% for b in [a~a] %}{% endfor %}", "no list"),
        ("{% for b in [1] %}{% endfor %}", "no list"),
        ("{% for b in[a+a] %}{% endfor %}", "no list"),
        ("{% for b in (a,a) %}{% endfor %}", "no list"),
        ("{% for b in(a, a) %}{% endfor %}", "no list"),
        ("{% for b in (a|replace('x', 'y'), a) %}{% endfor %}", "no list"),
        ("{% for b in 0.or(a, a) %}{% endfor %}", "no list"),
        ("{{ a|join((a, a)) }}", "no list"),
        ("{{ [[a,a],[a,a]]|tojson }}", "no list"),
        ("{{ a[a, a] }}", "no list"),
        ("{{ a[a] }}", "no list"),
        ("{{ {'b': a}|tojson }}", "no table"),
        ("{% for k, b in a|default({'b': a})|items %}{% endfor %}", "no table"),
        ("{% for k, b in x|default(b=a)|items %}{% endfor %}", "by name"),
        ("{{ a|upper }}", "a text or a number"),
        ("{{ a|trim }}{{ a|truncate(3) }}", "a text or a number"),
        ("{{ a|replace('x', 'y') }}", "a text or a number"),
        ("{# {{ #}{{ 'a' * 9 }}", "multiplied"),
        ("{% for i in a recursive %}{{ loop(a) }}{% endfor %}", "call itself"),
        ("{% include 'a' %}", "no tag `include`"),
    ] {
        let fault = refused(template);
        assert!(fault.detail.contains(why), "{template}: {fault}");
    }
}

#[test]
fn what_takes_one_thing_out_or_gives_filters_something_is_taken() {
    for template in [
        "{{ info['team'] }}{{ resources[0] }}{{ resources[-1] }}{{ (info)[\"team\"][0] }}",
        "{%- for k, v in info|items -%}{{ k }}{%+ endfor +%}",
        "{% for it in resources %}{{ loop.cycle('a', 'b') }}{% endfor %}",
        "{{ title | replace('a', 'b') | truncate(5) }}{{ 2 + 1 }}{{ '[~, {=' }}",
        "{% if step == 1 and step != 2 or step <= 3 or step >= 4 %}{{ (step) }}{% endif %}",
        "{ \"a\": [1, 2] } ~ {{ nothing|upper }}{{ none|trim }}{{ 5|lower }}",
    ] {
        assert!(Template::parse(template).is_ok(), "{template}: {:?}", Template::parse(template));
        let _ = rendered(template);
    }
    let documented = include_str!("../../docs/channels.md");
    let documented = documented.split("```jinja\n").skip(1).map(|it| it.split("```").next());
    assert!(documented.clone().count() > 0);
    for template in documented.flatten() {
        assert!(Template::parse(template).is_ok(), "{template}");
    }
}

#[test]
fn what_filters_make_is_bounded_while_it_is_made() {
    let scene = json!({ "x": vec![vec!["y".repeat(1000); 1000]; 4] });
    for template in ["{{ x|tojson }}", "{{ x|join(',') }}", "{{ x }}"] {
        let fault = Template::parse(template).unwrap().render(&scene).unwrap_err();
        assert!(fault.detail.contains("bytes"), "{template}: {fault}");
    }
}

#[test]
fn steps_and_what_comes_out_are_bounded() {
    let many = "{% for a in x %}".repeat(8) + "{{ a }}" + &"{% endfor %}".repeat(8);
    let many = Template::parse(&many).unwrap();
    let fault = many.render(&json!({ "x": vec![1; 20] })).unwrap_err();
    assert!(fault.detail.contains("steps"), "{fault}");
    let long = "{% for a in x %}{% for b in x %}{{ a }}{% endfor %}{% endfor %}";
    let fault = Template::parse(long).unwrap().render(&json!({ "x": vec!["y".repeat(1000); 40] }));
    assert!(fault.unwrap_err().detail.contains("bytes"), "too long");
    let grown = "{{ x".to_owned() + &"|replace('a', 'aaaaaaaaaa')".repeat(8) + " }}";
    let fault = Template::parse(&grown).unwrap().render(&json!({ "x": "a" })).unwrap_err();
    assert!(fault.detail.contains("bytes"), "{fault}");
    let quoted = "{{ x".to_owned() + &"|tojson".repeat(40) + " }}";
    let fault = Template::parse(&quoted).unwrap().render(&json!({ "x": "\"" })).unwrap_err();
    assert!(fault.detail.contains("bytes"), "{fault}");
}
