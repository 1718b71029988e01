#!/usr/bin/env python3
"""Writes cases.json: templates, variables, and what Jinja2 3.1 makes of them.

Run it with Jinja2 3.1 installed, from the repository's root:
    python3 src/test/python/jinja_cases.py

The environment is set up as Hugging Face's transformers sets it up for chat templates: an immutable sandbox with
trim_blocks, lstrip_blocks, loop controls, a generation tag, and a tojson that leaves text as it is. All templates here
were written for these tests.
"""
import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

TARGET = pathlib.Path("src/test/resources/dev/penstock/prompt/template/cases.json")


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


ENVIRONMENT = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
)
ENVIRONMENT.filters["tojson"] = tojson
ENVIRONMENT.globals["raise_exception"] = raise_exception

CASES = []


def case(template, **variables):
    """A case; an error of Jinja2's is kept as null."""
    try:
        expected = ENVIRONMENT.from_string(template).render(**variables)
    except Exception:  # whatever Jinja2 or Python has against it
        expected = None
    CASES.append({"template": template, "variables": variables, "expected": expected})


def cases(templates, **variables):
    for template in templates:
        case(template, **variables)


def values(expressions, **variables):
    """Expressions, each printed."""
    for expression in expressions:
        case("{{ " + expression + " }}", **variables)


MESSAGES = [
    {"role": "system", "content": "You are brief."},
    {"role": "user", "content": "Hi {{ 1 + 1 }} {% if x %}"},
    {"role": "assistant", "content": "  Hello \"you\" <b> & 'me' \u00e9 \U0001f600 \n"},
    {"role": "user", "content": "Bye", "name": None, "n": 3, "f": 1.5, "ok": True},
]


def whitespace():
    for tag in ("{% if true %}", "{%- if true %}", "{%+ if true %}", "{% if true -%}", "{% if true +%}", "{%- if true -%}"):
        for end in ("{% endif %}", "{%- endif %}", "{%+ endif %}", "{% endif -%}", "{% endif +%}"):
            case("a\n  " + tag + "\n  b  \n  " + end + "\n  c\n")
            case("a " + tag + "b " + end + " c")
    for tag in ("{{ x }}", "{{- x }}", "{{ x -}}", "{{- x -}}", "{{+ x }}"):
        case("a \n  " + tag + "  \n b", x="X")
    for tag in ("{# c #}", "{#- c #}", "{# c -#}", "{#+ c #}", "{# c +#}", "{# a\nb #}"):
        case("a \n  " + tag + "  \n b")
        case("  " + tag + "\n\n b")
    cases(
        [
            "", "\n", "\n\n", "a\n", "a\r\nb\rc\n", " {% if 1 %} {% endif %} ", "{% if 1 %}\n\n x{% endif %}",
            "  {% set a = 1 %}  {% set b = 2 %}  \n{{ a }}{{ b }}", "\t{% set a = 1 %}\n\t{{ a }}\n\t{# c #}\n",
            "{% raw %}{{ a }} {% if %}{% endraw %}", "x\n  {% raw %}\n  {{ a }}\n  {% endraw %}\n  y",
            "x\n  {%- raw -%}\n  {{ a }}\n  {%- endraw -%}\n  y", "{%raw%}{%endraw%}", "{ {a} { % } }} %} #}",
            "{{ '}}' }}{{ \"%}\" }}{{ {'a': {'b': 1}} }}", "{{'a'}}{%if 1%}b{%endif%}", "{% if 1 %}a{% endif %}\r\nb",
            "a\u00a0\n\u00a0{%- if 1 -%}\u00a0\u2003b{% endif %}", "{{ 1 }}\n{{ 2 }}\n", "{% set x %}\n  a\n{% endset %}[{{ x }}]",
            "a\n{% if 1 %}\n{% if 1 %}\n  b\n{% endif %}\n{% endif %}\nc", "{%if 1%}\n{#c#}\n x\n{%endif%}",
            "{% for i in [1, 2] %}\n  {{ i }}\n{% endfor %}\nend", "{% for i in [1, 2] -%}\n  {{ i }}\n{%- endfor -%}\nend",
        ]
    )


def statements():
    cases(
        [
            "{% if a %}1{% elif b %}2{% else %}3{% endif %}",
            "{% if not a and (b or c) %}yes{% else %}no{% endif %}",
            "{% for m in messages %}{{ loop.index }}/{{ loop.index0 }}/{{ loop.revindex }}/{{ loop.revindex0 }}/"
            "{{ loop.first }}/{{ loop.last }}/{{ loop.length }}/{{ loop.depth }}/{{ loop.depth0 }} {{ m.role }};{% endfor %}",
            "{% for m in messages %}{{ loop.previtem.role if loop.previtem is defined else '-' }}>"
            "{{ loop.nextitem.role if loop.nextitem is defined else '-' }} {% endfor %}",
            "{% for m in messages if m.role == 'user' %}{{ loop.index }}{{ m.role }}{% else %}none{% endfor %}",
            "{% for m in messages if m.role == 'tool' %}{{ m.role }}{% else %}none{% endfor %}",
            "{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.role }}"
            "{% if loop.index == 3 %}{% break %}{% endif %},{% endfor %}",
            "{% for m in messages %}{% for c in m.role %}{{ loop.index }}{{ c }}{% if c == 's' %}{% break %}{% endif %}{% endfor %};{{ loop.index }}{% endfor %}",
            "{% for a, b in [(1, 2), [3, 4]] %}{{ a }}-{{ b }} {% endfor %}",
            "{% for k, (a, b) in [('x', (1, 2))] %}{{ k }}{{ a }}{{ b }}{% endfor %}",
            "{% for k, v in messages[0].items() %}{{ k }}={{ v }};{% endfor %}",
            "{% for k in messages[3] %}{{ k }},{% endfor %}",
            "{% for k, v in messages[3] | items %}{{ k }}={{ v }};{% endfor %}",
            "{% for k, v in messages[3]|dictsort %}{{ k }},{% endfor %}",
            "{% for a in [] %}x{% else %}empty{% endfor %}",
            "{% for x in undefined_thing %}x{% else %}empty{% endfor %}",
            "{% for c in 'a\U0001f600b' %}[{{ c }}]{% endfor %}",
            "{% for i in range(3) %}{{ loop.cycle('a', 'b') }}{{ loop.changed(i // 2) }}{% endfor %}",
            "{% for a, b in [(1, 2, 3)] %}{% endfor %}",
            "{% for i in 5 %}{% endfor %}",
            "{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + 1 %}{{ x }};{% endfor %}{{ x }}",
            "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}",
            "{% for i in [0, 1] %}{% if i == 0 %}{% set y = 1 %}{% endif %}[{{ y }}]{% endfor %}",
            "{% set ns = namespace(found=false, n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% if m.role == 'user' %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.found }} {{ ns.n }}",
            "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns['b'] }}{{ ns.c }}|{{ ns.c is defined }}",
            "{% set ns = namespace() %}{% set ns.x %}a{{ 1 }}{% endset %}{{ ns.x }}",
            "{% set x = {} %}{% set x.a = 1 %}",
            "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, b = [3, 4] %}{{ a }}{{ b }}", "{% set (a, b) = 'xy' %}{{ a }}{{ b }}",
            "{% set a = 1, 2 %}{{ a }}", "{% set a = (1,) %}{{ a }}", "{% set a, b = 1 %}",
            "{% set x %}a {{ 1 + 1 }} b{% endset %}[{{ x }}]{{ x is string }}",
            "{% set x | upper | trim %}  a b {% endset %}[{{ x }}]", "{% set x | replace('a', 'b') %}aa{% endset %}{{ x }}",
            "{% filter upper | replace('B', 'x') %}abc {{ 'def' }}{% endfilter %}",
            "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }}", "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}",
            "{% generation %}a{{ 1 }}{% set z = 2 %}{% endgeneration %}{{ z is defined }}",
            "{% for m in messages %}{% generation %}{{ m.role }}{% endgeneration %}{% endfor %}",
            "{% macro m(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, c=3) }} {{ m(b='x', a='y') }}",
            "{% macro m(a) %}[{{ a }}]{{ a is defined }}{% endmacro %}{{ m() }}",
            "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}",
            "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
            "{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}",
            "{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}",
            "{% macro m() %}{{ inner }}{% endmacro %}{% for inner in [1] %}{{ m() }}{% endfor %}|",
            "{% macro f(n) %}{% if n > 1 %}{{ n }},{{ f(n - 1) }}{% else %}1{% endif %}{% endmacro %}{{ f(5) }}",
            "{% macro m() %}a{{ caller() }}c{% endmacro %}{% call m() %}b{% endcall %}",
            "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(x, y) m() %}{{ x }}{{ y }}{% endcall %}",
            "{% macro m(x) %}{{ x | length }}{% endmacro %}{{ m('abc') | int + 1 }}{{ (m('a') ~ 'b') | upper }}",
            "{% macro j(v) %}{% if v is mapping %}{% for k, x in v.items() %}{{ k }}:{{ j(x) }};{% endfor %}{% elif v is iterable and v is not string %}[{% for x in v %}{{ j(x) }},{% endfor %}]{% else %}{{ v }}{% endif %}{% endmacro %}{{ j(messages[0]) }}{{ j([1, [2, 'x'], {'a': none}]) }}",
            "{{ m }}{% macro m() %}{% endmacro %}{{ m }}{{ m is callable }}",
            "{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}{{ m(1, 2, 3, x=4) }}{{ m(x=1) }}",
            "{% macro m(a) %}{{ a }}{{ varargs }}{% endmacro %}{{ m(1, x=4) }}", "{% macro m(a) %}{{ a }}{{ kwargs }}{% endmacro %}{{ m(1, 2) }}",
            "{% macro m(kwargs) %}{{ kwargs }}{% endmacro %}{{ m(1) }}", "{% macro m(varargs=5) %}{{ varargs }}{% endmacro %}{{ m() }}{{ m(1, 2) }}",
            "{% macro m() %}{% macro i() %}{{ varargs }}{% endmacro %}{{ i(1) }}{% endmacro %}{{ m() }}{{ m(2) }}",
            "{% macro m() %}x{% endmacro %}{% call m() %}b{% endcall %}", "{% macro m() %}{{ caller is defined }}{{ caller }}{% endmacro %}{{ m() }}",
            "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "{% macro m(x, y) %}{{ caller(x) }}{% endmacro %}{% call(a, b='d') m(1, 2) %}{{ a }}{{ b }}{% endcall %}",
            "{% macro m() %}{{ caller('k', 2, z=3) }}{% endmacro %}{% call(a) m() %}{{ a }}{{ varargs }}{{ kwargs }}{% endcall %}",
            "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a) m() %}{{ a }}{% endcall %}", "{% call 'a'.count('a') %}{% endcall %}", "{% call 'a'.upper() %}{% endcall %}",
            "{% filter length %}abc{% endfilter %}", "{% filter length | string %}abc{% endfilter %}", "{% set n | length %}abc{% endset %}{{ n + 1 }}",
            "{% for x in tree recursive %}{{ x.name }}{% if x.kids %}({{ loop(x.kids) }}){% endif %}{{ ',' if not loop.last }}{% endfor %}",
            "{% for x in tree recursive %}{{ loop.depth }}{{ loop.depth0 }}{{ loop.index }}/{{ loop.length }}:{{ x.name }};{{ loop(x.kids) if x.kids is defined }}{% else %}none{% endfor %}",
            "{% for x in tree if x.kids recursive %}{{ x.name }}[{{ loop(x.kids) }}]{% else %}leaf{% endfor %}",
            "{% for x in tree recursive %}{% for y in [1] %}{{ loop.depth }}{% endfor %}{% set down = loop %}{{ down(x.get('kids', [])) }}{% endfor %}",
            "{% for x in tree recursive %}{{ loop(5) }}{% endfor %}", "{% for x in tree %}{{ loop(x.kids) }}{% endfor %}", "{% for x in tree recursive %}{{ loop() }}{% endfor %}",
            "{% for x in [1, 2] %}{% for y in [3] %}{{ loop.depth }}{{ loop }}{% endfor %}{{ loop }}{{ loop is callable }}{% endfor %}", "{% for x in [1] %}{{ loop.cycle() }}{% endfor %}",
            "{% for x in [1, 2] %}{% continue %}{% else %}e{% endfor %}", "{% for x in [1, 2] %}{% if x == 2 %}{% break %}{% endif %}{% else %}e{% endfor %}",
            "{% for x in [1, 2] %}{% break %}{% else %}e{% endfor %}", "{% for x in [1, 2] %}{% if x == 1 %}{% continue %}{% endif %}{% else %}e{% endfor %}",
            "{% for x in [1, 1, 2] %}{{ loop.changed(x, 'k') }}{% endfor %}{{ loop is defined }}",
            "{% for g in messages|groupby('role') %}{{ g.grouper }}:{{ g.list|length }}{{ g[0] }}{{ g|length }};{% endfor %}", "{% for role, group in messages|groupby('role') %}{{ role }}{{ group|map(attribute='content')|list }}{% endfor %}",
            "{% filter e %}<{{ '<' }}{% endfilter %}", "{% set x | safe %}<{% endset %}{{ x + '<' }}", "{% for c in '<b>'|safe %}{{ c + '<' }}{% endfor %}",
            "{% set x = '<a>'|safe %}{% macro m(a) %}{{ a + '<' }}{% endmacro %}{{ m(x) + '<' }}{{ x ~ '<' }}",
            "{% include 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{% extends 'x' %}", "{% do [].append(1) %}",
            "{{ raise_exception('no ' ~ 'way') }}", "{% if false %}{{ raise_exception('x') }}{% endif %}ok",
            "{% set f = 1 %}{{ f() }}", "{{ nothing() }}", "{{ nothing.at_all }}", "{{ messages[0].nothing }}|{{ messages[9] }}|",
            "{{ messages[0].nothing.more }}", "{{ none.x }}|", "{{ none['x'] }}|{{ none[0] }}|{{ 5[0] }}|{{ 'abc'.nothing }}|",
            "{% if nothing %}a{% else %}b{% endif %}{{ nothing }}{{ nothing is defined }}{{ nothing == nothing2 }}",
            "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] | trim + '\\n' }}{% endfor %}{% if gen %}<|assistant|>{% endif %}",
            "{% for m in messages[1:] %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles') }}{% endif %}{{ m.role }}{% endfor %}",
            "{% for m in messages[:2] %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles') }}{% endif %}{{ m.role }}{% endfor %}",
        ],
        messages=MESSAGES, gen=True, a=False, b=0, c="x",
        tree=[{"name": "a", "kids": [{"name": "b"}, {"name": "c", "kids": [{"name": "d"}]}]}, {"name": "e"}],
    )


def expressions():
    values(
        [
            "1 + 2 * 3", "(1 + 2) * 3", "7 / 2", "6 / 2", "7 // 2", "-7 // 2", "-7 % 3", "7 % -3", "2 ** 10", "2 ** -1", "2 ** 3 ** 2", "-2 ** 2",
            "7.5 // 2", "-7.5 % 2", "1 // 0.1", "1 % 0.1", "-0.0 % 1", "5.0 % -1", "7.5 // -2", "-1 // 0.1", "0.0 // 3", "-0.0 // 3", "3 // -7.0", "1e300 // 3", "6.0 // 2", "0.3 // 0.1", "1e16 // 3", "-1e16 // 3", "1e15 // -7", "1 / 0", "1 % 0", "1 // 0", "1.0 / 0", "0.1 + 0.2", "1e100", "1e16", "1e15", "123456789.125", "1e-5", "0.0001", "5e-324", "1.0", "-0.0", "1_000", "0x1F", "0b101", "0o17", "1.5e3",
            "'a' + 'b'", "'a' ~ 1 ~ none ~ true ~ 1.5", "'a' + 1", "1 + 'a'", "[1] + [2]", "(1,) + (2,)", "[1] + (2,)", "'ab' * 3", "3 * 'ab'", "[1, 2] * 2", "'a' * -1", "none + 1", "nothing + 'a'", "nothing ~ 'a'", "true + true", "-true", "+5", "-'a'", "not 1", "not ''", "not nothing",
            "1 < 2 < 3", "1 < 2 > 3", "1 == 1.0", "true == 1", "'a' == 1", "'a' < 'b'", "'a' < 1", "[1, 2] < [1, 3]", "[1] == (1,)", "(1, 2) == (1, 2)", "{'a': 1} == {'a': 1.0}", "{'a': 1} == {'b': 1}", "none == none", "none == false", "1 != 2", "'\\uffff' < '\\U00010000'",
            "'a' in 'abc'", "'x' not in 'abc'", "1 in [1, 2]", "1.0 in [1, 2]", "'k' in {'k': 1}", "'a' in nothing", "1 in 5", "1 in 'a'", "not 1 in [2]", "'' in ''",
            "1 and 0", "0 or 'x'", "'' or none", "1 if true else 2", "1 if false", "1 if false else 2 if false else 3", "(1 if 0) is defined", "[] or {}", "1 and 2 or 3", "not true or true", "not (true or true)",
            "[1, 'a', none, true, 1.5, [], {}, ()]", "{'a': 1, 'b': [1, {'c': 'd\\'e'}]}", "(1,)", "()", "[1, 2,]", "{'a': 1,}", "(1)", "'it\\'s'", "['it\\'s', 'say \"hi\"', '\\'\"', 'a\\nb\\t\\\\', '\\x00\\x7f\\xa0\\u200b\\u2028', 'é😀']", "{1: 2, none: 3, false: 4}", "{'a': 1, 'a': 2}",
            "'\\n\\t\\r\\x41\\u00e9\\U0001F600\\101\\z\\''", "\"a'b\"", "'a' 'b' \"c\"", "'\\\n'",
            "'abc'[0]", "'abc'[-1]", "'abc'[5]", "'a😀b'[1]", "'a😀b'|length", "[1, 2, 3][-1]", "[1][1]", "{'a': 1}['a']", "{'a': 1}.a", "{'a': {'b': [0, 7]}}.a.b[1]", "[[1, 2]].0.1", "(1, 2).0", "{'items': 5}.items is callable", "{'items': 5}['items']", "{'a': 1}['items'] is callable", "{1: 'x'}[1]", "[1, 2]['x']", "[1, 2][true]", "[1, 2][1.0]",
            "[1, 2, 3, 4][1:]", "[1, 2, 3, 4][:-1]", "[1, 2, 3, 4][::-1]", "[1, 2, 3, 4][::2]", "[1, 2, 3, 4][3:0:-2]", "'hello'[1:3]", "'hello'[::-1]", "'a😀b'[1:]", "[1, 2][5:]", "[1, 2][-9:9]", "(1, 2, 3)[1:]", "[1, 2][none:1]", "[1][::0]", "a[1:]", "none_there[1:]", "empty[1:]", "a.b.c[1:]", "'abc'[:nothing]", "text['x':]",
            "-1|abs", "(-1)|abs", "1 - 1", "1 -1", "2-1", "'a'|upper ~ 'b'", "'a' ~ 'b'|upper", "1 + 2|string", "{'a': 'b'}|length", "[]|length == 0", "'x' is string and true", "1 is not string", "1 is number is string",
            "a.b.c", "a['b']['c']", "a.get('b').get('c')", "a.get('x')", "a.get('x', 5)", "a.get('x') is none", "a.b.keys()|list", "a.b.values()|list", "a.items()|list", "a.keys()", "a.b.items()", "a.b.copy()", "a.update({})", "[1].append(2)", "[1, 2].index(2)", "[1, 1].count(1)", "[1].index(5)",
            "range(3)|list", "range(1, 4)|list", "range(10, 0, -3)|list", "range(5)|length", "range(0)|list", "range(1000000)", "range(1, 2, 0)", "dict(a=1)", "dict({'a': 1}, b=2)", "dict([('a', 1)])", "dict(x=1, **{'y': 2})",
            "'%s-%d' % ('a', 5)", "'%.2f' % 3.14159", "'%5d|%-5s|%05d' % (3, 'a', 42)", "'%s' % 'x'", "'%r' % 'x'", "'%d%%' % 5", "'%x' % 255", "'%(a)s-%(b)03d' % {'a': 'x', 'b': 5}", "'%(a)s' % {}", "'%(a)s' % 'x'", "'%(a' % {'a': 1}", "'x' % [1]", "'x' % {'a': 1}", "'x' % 1", "'x' % ()", "'%s' % [1]", "'%s %s' % [1, 2]", "'%s' % {'a': 1}", "'%s %s' % ('a',)", "'%s|%s'|format('a', 1)", "'{}-{}'.format(1, 'a')", "'{0}{1}{0}'.format('a', 'b')", "'{x}{{}}'.format(x=1)",
        ],
        a={"b": {"c": 42}}, empty=None, text="abc",
    )
    for broken in ["{{ }}", "{{ 1 + }}", "{{ (1 }}", "{{ [1 }}", "{{ {1 }}", "{{ 'a }}", "{{ a b }}", "{% if %}x{% endif %}", "{% if 1 %}", "{% endif %}",
                   "{% for %}{% endfor %}", "{% for i in %}{% endfor %}", "{% unknown %}", "{{ 1", "{% if 1", "{# a", "{% raw %}x", "{{ a.}}", "{{ a|}}",
                   "{{ a is }}", "{% set 1 = 2 %}", "{% set none = 2 %}", "{% macro %}{% endmacro %}", "{{ f(a=1, 2) }}", "{{ f(**a, *b) }}", "{% break %}",
                   "{{ 1 $ 2 }}", "{{ ) }}", "{{ '\\x4' }}", "{% if 1 %}{% endfor %}", "{% else %}", "{{ 1 is is }}", "{{ x is defined is none }}", "{%", "{{", "{{ {'a' 1} }}"]:
        case(broken)


def string_methods():
    values(
        [
            "'  a b '.strip()", "'xxaxx'.strip('x')", "'  a '.lstrip() ~ '|'", "'  a '.rstrip() ~ '|'", "'abcba'.strip('ab')", "'\\u2003a\\u00a0\\x1c'.strip()", "'a'.strip(none)", "'a'.strip(1)",
            "'a,b,,c'.split(',')", "' a  b c '.split()", "' a  b c '.split(none, 1)", "'a,b,c'.split(',', 1)", "'a b c'.split(' ', maxsplit=1)", "''.split()", "''.split(',')", "'abc'.split('')", "'a--b--c'.split('--')[-1]", "'aaa'.split('aa')", "'a,b,c'.rsplit(',', 1)", "' a b  c '.rsplit(none, 1)", "'aaa'.rsplit('aa')", "'a\\nb\\r\\nc\\n\\nd'.splitlines()", "'a\\nb\\n'.splitlines(true)", "'a</think>b'.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n')",
            "'abc'.startswith('ab')", "'abc'.startswith(('x', 'a'))", "'abc'.endswith('bc')", "'abc'.startswith('b', 1)", "'abc'.startswith('')", "'abc'.startswith(1)", "'abc'.startswith()",
            "'aXbX'.replace('X', '-')", "'aaa'.replace('a', 'b', 2)", "'abc'.replace('', '-')", "'a'.replace('a', '')", "'a'.replace('a')", "'aaa'.replace('aa', 'b')",
            "'aBß'.upper()", "'ABİΣ'.lower()", "'hello wORLD it\\'s 3d'.title()", "'hELLO'.capitalize()", "'ßa ﬁ'.title()", "'ßa'.capitalize()", "'ǆ'.title()", "'aB'.swapcase()", "'Straße'.casefold()", "'a'.center(5, 'xy')", "'a'.ljust(3, '')", "'a'.rjust(3, '😀')",
            "','.join(['a', 'b'])", "','.join('abc')", "','.join([1])", "''.join([])", "'abcb'.find('b')", "'abcb'.rfind('b')", "'abc'.find('x')", "'abc'.index('c')", "'abc'.index('x')", "'😀b'.find('b')", "'abab'.count('ab')", "'aaa'.count('aa')", "'abc'.count('')", "'abcb'.find('b', 2)",
            "'12'.isdigit()", "''.isdigit()", "'1a'.isdigit()", "'ab'.isalpha()", "'a1'.isalnum()", "' \\n'.isspace()", "'AB1'.isupper()", "'ab1'.islower()", "'Ab'.isupper()", "'½'.isnumeric()", "'1'.isdecimal()",
            "'5'.zfill(3)", "'-5'.zfill(4)", "'a'.ljust(3) ~ '|'", "'a'.rjust(3, '-')", "'a'.center(4, '-')", "'ab'.center(5, '-')", "'abc'.center(2)", "'a-b-c'.partition('-')", "'a-b-c'.rpartition('-')", "'abc'.partition('x')", "'abc'.rpartition('x')", "'prefix-x'.removeprefix('prefix-')", "'x.txt'.removesuffix('.txt')", "'x'.removesuffix('')",
            "'a'.nope()", "'a'.strip.nope",
        ]
    )


def filters():
    values(
        [
            "'  a '|trim ~ '|'", "'xax'|trim('x')", "none|trim", "5|trim", "nothing|trim", "'aB'|upper", "'aB'|lower", "none|upper", "'hello-world (foo) [bar] it\\'s_a <b'|title", "'hELLO wORLD'|capitalize", "''|capitalize", "''|title", "true|lower",
            "'aXa'|replace('a', 'b')", "'aaa'|replace('a', 'b', 1)", "123|replace(2, 'x')", "'abc'|replace('', '-')", "[1, 'a', none]|join(',')", "'abc'|join('-')", "[]|join", "[{'a': 1}, {'a': 2}]|join(', ', attribute='a')", "[[1, 2], [3]]|join('|')", "{'a': 1, 'b': 2}|join(',')",
            "nothing|default('d')", "none|default('d')", "none|default('d', true)", "''|d('x', boolean=true)", "0|default(5)", "nothing|default", "'a'|default('b')",
            "[1, 2]|length", "'abc'|length", "{'a': 1}|count", "nothing|length", "5|length", "none|length", "(1, 2)|length",
            "'abc'|list", "(1, 2)|list", "{'a': 1}|list", "5|list", "nothing|list", "[1, 2]|first", "'abc'|first", "[]|first", "{'a': 1}|first", "[1, 2]|last", "'abc'|last", "[]|last", "[1, 2]|reverse|list", "'a😀b'|reverse", "(1, 2)|last",
            "[1, 2, 3]|map('string')|list", "['a', 'b']|map('upper')|join(',')", "[{'a': 1}, {'b': 2}]|map(attribute='a')|list", "[{'a': 1}, {'b': 2}]|map(attribute='a', default=0)|list", "[{'a': {'b': 1}}]|map(attribute='a.b')|list", "[[1, 2], [3, 4]]|map(attribute=1)|list", "['a b', 'c']|map('replace', ' ', '_')|list", "[1]|map|list", "[1]|map('nope')|list", "none|map('upper')|list", "none|select|list", "nothing|selectattr('a')|list", "0|rejectattr('a', 'eq', 1)|list|length", "none|list", "[[1, 2]]|map(attribute='0')|list",
            "[1, 0, 2, none]|select|list", "[1, 2, 3]|select('odd')|list", "[1, 2, 3]|select('gt', 1)|list", "[1, 2, 3]|reject('odd')|list", "[0, 1]|reject|list", "['a', 'b']|select('in', ['a'])|list", "[1, 2]|select('nope')|list",
            "m|selectattr('role', 'equalto', 'user')|list|length", "m|selectattr('role', '==', 'user')|map(attribute='content')|list|length", "m|rejectattr('role', 'eq', 'user')|map(attribute='role')|join(',')", "m|selectattr('name', 'defined')|list|length", "m|selectattr('ok')|map(attribute='n')|list", "m|selectattr('role', 'in', ['system', 'assistant'])|map(attribute='role')|list", "(m|selectattr('role', 'equalto', 'nobody')) is true", "'yes' if m|selectattr('role', 'equalto', 'nobody') else 'no'", "m|selectattr('role', 'equalto', 'nobody')|first is defined", "m|map(attribute='role')|unique|list", "(m|map(attribute='role'))|length",
            "[3, 1, 2]|sort", "['b', 'A', 'c']|sort", "['b', 'A', 'c']|sort(case_sensitive=true)", "[3, 1, 2]|sort(reverse=true)", "m|sort(attribute='role')|map(attribute='role')|list", "[{'a': 1, 'b': 2}, {'a': 1, 'b': 1}]|sort(attribute='a,b')", "[1, 'a']|sort", "{'b': 1, 'a': 2}|sort", "{'b': 1, 'A': 2}|dictsort", "{'b': 1, 'a': 2}|dictsort(by='value')", "{'b': 1, 'a': 2}|dictsort(reverse=true)", "{'b': 1, 'a': 2}|dictsort(false, 'value')", "[1, 2, 1, 'a', 'A']|unique|list", "['a', 'A']|unique(case_sensitive=true)|list",
            "[3, 1, 2]|min", "[3, 1, 2]|max", "['b', 'A']|min", "[]|min", "[1, 2]|sum", "[{'a': 1}, {'a': 2}]|sum(attribute='a')", "[]|sum", "[1.5, 2]|sum(start=1)", "[{'a': 1}, {'a': 3}]|max(attribute='a')", "[1, 2, 3]|batch(2)|list", "[1, 2, 3]|batch(2, 'x')|list", "[1, 2, 3, 4, 5]|slice(3)|list", "[1, 2, 3, 4]|slice(3, 'x')|list", "[]|slice(2)|list", "[1]|slice(3, 0)|list", "'abc'|slice(2)|list", "m|groupby('role')", "m|groupby('name', default='z')|map(attribute='grouper')|list", "m|groupby('role')|map('last')|map('length')|list", "[{'a': 'x'}, {'a': 'X'}]|groupby('a')", "[{'a': 'x'}, {'a': 'X'}]|groupby('a', case_sensitive=true)", "[{'a': {'b': 2}}, {'a': {'b': 1}}]|groupby('a.b')", "[]|groupby('a')", "[{'a': 1}, {'a': 'x'}]|groupby('a')", "[[2, 'a'], [1, 'b'], [2, 'c']]|groupby(0)", "[{}, {}]|max(attribute='a')", "[{}]|max(attribute='a')", "[{}, {}]|sort(attribute='a')", "[{}, {'a': {'b': 1}}]|map(attribute='a.b', default={'b': 5})|list", "[[1], [2]]|unique|list", "5|indent", "[1]|indent", "nothing|indent", "-0.0|round", "(-0.0)|abs", "-0.4|round", "'<a>' + ('<b>'|safe)", "('<b>'|safe) + '<a>'", "('<b>'|safe) + ('<c>'|e)", "'<' ~ ('<b>'|safe)", "('<b>'|safe) * 2", "2 * ('<b>'|safe)", "('<b>'|safe) + 1", "('%s'|safe) % '<'", "('%s %d'|safe) % ('<', 2)", "'%s' % ('<b>'|safe)", "['<b>'|safe, '<'|e]", "{'a'|safe: 1}['a']", "{'a': 1}['a'|safe]", "{'a': 1}.get('a'|safe)", "('<b>'|safe).split('b')", "('<b>'|safe).replace('b', '<')", "('<'|safe).join(['<', '>'|safe])", "'<'.join(['<'|safe, '>'])", "('<{}>'|safe).format('<')", "('<b>'|safe)|upper + '<'", "('<b>'|safe)|trim + '<'", "('<b>'|safe)|replace('b', '<') + '<'", "('<b>'|safe)|title + '<'", "('<b>'|safe)|string + '<'", "('<b>'|safe)|default('') + '<'", "('<b>\\nc'|safe)|indent + '<'", "('<b>'|safe)|first + '<'", "('<b>'|safe)[0] + '<'", "('<b>'|safe)[1:] + '<'", "('<b>'|safe)|length", "('<b>'|safe)|list", "('<b>'|safe)|tojson + '<'", "('<b>'|safe)|e", "('<b>'|safe)|forceescape", "('<b>'|safe).startswith('<')", "('<b>'|safe)|safe", "5|safe + '<'", "none|e", "['<'|e, '<'|safe]|join('<')", "['b'|safe, 'a']|sort", "('a'|safe) < 'b'", "('a,b'|safe).partition(',')", "('<b>'|safe).ljust(5, '>')", "''|safe or 'empty'", "'<' if (''|e) else '>'", "(m|tojson|safe)|length", "['a'|safe, 'a']|unique|list|length", "'x'.replace('x', '<'|safe) + '<'", "('<'|e).nope", "'12'|safe|int", "('a'|safe)|map('upper')|list", "'abc'.startswith('a'|safe)", "'a'|replace('a'|safe, '<')",
            "5|string", "none|string", "1.0|string", "[1]|string", "'5'|int", "'5.7'|int", "'x'|int", "'x'|int(7)", "5.9|int", "-5.9|int", "'ff'|int(0, 16)", "'0x1f'|int(base=16)", "' 5 '|int", "'1_000'|int", "none|int", "true|int", "'1e3'|int", "[]|int", "nothing|int", "'1.5'|float", "'x'|float", "5|float", "'x'|float(2.5)", "none|float", "'inf'|float", "'1e400'|float", "-5|abs", "-5.5|abs", "'a'|abs", "2.5|round", "3.5|round", "2.567|round(2)", "2.1|round(method='ceil')", "2.9|round(0, 'floor')", "5|round", "1234|round(-2)", "42.55|round(1, 'floor')", "0.1|round(2, 'ceil')", "-0.5|round(0, 'ceil')", "(-0.0)|round(method='floor')", "0.29|round(2, 'floor')", "1250.0|round(-2, 'ceil')", "2.675|round(2)",
            "'a\\nb\\n\\nc'|indent", "'a\\nb'|indent(2)", "'a\\nb'|indent(2, true)", "'a\\n\\nb'|indent(2, blank=true)", "'a\\nb'|indent('> ')", "''|indent(2, true)", "'a\\n'|indent ~ '|'", "'<a href=\"x\">\\'&'|e", "'<'|escape", "'<b>'|safe", "5|safe", "'a'|center(5) ~ '|'", "'one two,three'|wordcount", "{'a': 1}|attr('a')", "'abc'|attr('upper')()",
            "{'a': 1}|items|list", "nothing|items|list", "[1]|items|list", "'a'|nope", "'a'|upper(1)", "'a'|trim(chars='a')",
            "{'b': 1, 'a': [1, 2.5, none, true, 'é😀\\n\\t\\\\\"\\x01\\x7f/<>&\\'']}|tojson", "{'a': {}, 'b': [], 'c': {'d': [1]}}|tojson(indent=2)", "[1, {'a': 2}]|tojson(indent=4)", "{'b': 1, 'a': 2}|tojson(sort_keys=true)", "{'b': 1, 'a': 2}|tojson(separators=(',', ':'))", "{'a': [1, 2]}|tojson(indent=1, separators=(',', ':'))", "'é😀'|tojson(ensure_ascii=true)", "{1: 2, none: 3, false: 4, 1.5: 5}|tojson", "(1, 2)|tojson", "nothing|tojson", "1e16|tojson", "[[], [[]]]|tojson(indent=2)", "m|tojson", "m|tojson(indent=2)", "m[0]|tojson|length", "range(3)|list|tojson", "'x'|tojson|tojson",
        ],
        m=MESSAGES,
    )


def tests():
    values(
        [
            v + " is " + t
            for v in ["1", "1.5", "'a'", "none", "true", "[]", "()", "{}", "nothing", "'A'", "range", "'1'"]
            for t in ["defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping", "sequence", "iterable", "callable", "not none"]
        ]
        + ["2 is even", "3 is odd", "4 is divisibleby 2", "4 is divisibleby(3)", "'a' is lower", "'A' is upper", "'a' is odd", "true is odd", "2.0 is even", "2.5 is odd", "6.0 is divisibleby 3", "5 is divisibleby 0", "'%d' is odd", "nothing is odd", "5 is upper", "none is lower", "nothing is upper", "[] is filter", "[] is test", "5 is test", "1 is none 2", "1 is defined(1)", "1 is odd 3", "{} in {}", "{}.get([])", "1 is callable(2)", "'A' is upper('x')", "1 is sameas 1", "none is sameas none", "1 is in [1]", "'a' is in 'abc'", "1 is eq 1", "1 is ne 2", "1 is lt 2", "1 is ge 2", "'a' is equalto 'a'", "'upper' is filter", "'upper' is filter 1", "'nope' is filter", "'odd' is test", "1 is nope", "1 is not defined or true", "1 is defined and 2 is even", "x is defined and x", "[1] is iterable and [1] is not string and [1] is not mapping", "1 is == 1", "1 is string or 'b'", "1 is gt 0 and 5", "'a' is escaped", "'a'|safe is escaped", "'a'|e is string", "'<'|e == '&lt;'", "('a'|safe) in ['a']"]
    )


def whole_templates():
    llama2 = (
        "{% if messages[0]['role'] == 'system' %}{% set system = '<<SYS>>\\n' + messages[0]['content'] + '\\n<</SYS>>\\n\\n' %}"
        "{% set turns = messages[1:] %}{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}"
        "{% for turn in turns %}{% if (turn['role'] == 'user') != (loop.index0 is even) %}"
        "{{ raise_exception('user and assistant must take turns') }}{% endif %}"
        "{% if turn['role'] == 'user' %}{{ bos_token + '[INST] ' + (system if loop.first else '') + turn['content'].strip() + ' [/INST]' }}"
        "{% else %}{{ ' ' + turn['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
    )
    llama3 = (
        "{{- bos_token }}\n{%- for message in messages %}\n"
        "    {{- '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\\n\\n' }}\n"
        "    {{- message.content | trim }}\n    {{- '<|eot_id|>' }}\n{%- endfor %}\n"
        "{%- if add_generation_prompt %}\n    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}\n{%- endif %}\n"
    )
    tools = (
        "{% macro describe(schema) %}{% if schema.type == 'object' %}{ {% for name, part in schema.properties.items() %}"
        "{{ name }}{{ '' if name in schema.get('required', []) else '?' }}: {{ describe(part) }}{{ ', ' if not loop.last }}{% endfor %} }"
        "{% elif schema.type == 'array' %}{{ describe(schema['items']) }}[]{% elif schema.enum is defined %}{{ schema.enum | map('tojson') | join(' | ') }}"
        "{% else %}{{ schema.type }}{% endif %}{% endmacro %}"
        "{% if tools %}\n# Tools\n{% for tool in tools %}\n{%- set f = tool.function %}\n"
        "- {{ f.name }}: {{ describe(f.parameters) }}{% if f.description %} // {{ f.description }}{% endif %}\n\n{{ tool | tojson(indent=4) }}\n{% endfor %}{% endif %}"
        "{%- set ns = namespace(last_user=-1) %}{% for m in messages[::-1] %}{% set i = (messages | length - 1) - loop.index0 %}"
        "{% if ns.last_user < 0 and m.role == 'user' and m.content is string %}{% set ns.last_user = i %}{% endif %}{% endfor %}"
        "{% for m in messages %}<{{ m.role }}{{ '!' if loop.index0 == ns.last_user }}>"
        "{% if m.tool_calls is defined and m.tool_calls %}{% for call in m.tool_calls %}{{ {'name': call.function.name, 'arguments': call.function.arguments} | tojson }}{% endfor %}"
        "{% elif m.content is none %}{% elif m.content is string %}{{ m.content }}{% else %}{% for part in m.content %}{{ part.text if part.type == 'text' else '<' ~ part.type ~ '>' }}{% endfor %}{% endif %}\n{% endfor %}"
    )
    schema = {"type": "object", "properties": {"city": {"type": "string", "description": "a <city> & more"}, "days": {"type": "array", "items": {"type": "integer"}}, "unit": {"enum": ["C", "F"]}}, "required": ["city"]}
    tool = {"type": "function", "function": {"name": "weather", "description": "Tells the weather", "parameters": schema}}
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Hi! {{ x }} "}, {"role": "assistant", "content": "Hello. "}, {"role": "user", "content": "Bye\n{% if %}"}]
    calls = [{"role": "user", "content": "Weather?"}, {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "weather", "arguments": {"city": "Z\u00fcrich", "days": [1, 2]}}}]}, {"role": "tool", "content": [{"type": "text", "text": "sun"}, {"type": "image"}]}]
    for template in (llama2, llama3, tools):
        for messages in (talk, talk[1:], talk[:2], calls):
            for generation in (True, False):
                case(template, messages=messages, add_generation_prompt=generation, bos_token="<s>", eos_token="</s>", tools=[tool] if messages is calls else None)


whitespace()
statements()
expressions()
string_methods()
filters()
tests()
whole_templates()
TARGET.parent.mkdir(parents=True, exist_ok=True)
with TARGET.open("w", encoding="utf-8") as out:
    out.write("[\n" + ",\n".join(json.dumps(c) for c in CASES) + "\n]\n")
print(len(CASES), "cases,", sum(c["expected"] is None for c in CASES), "of them errors")
