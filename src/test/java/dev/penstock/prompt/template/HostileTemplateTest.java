package dev.penstock.prompt.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.prompt.TemplateException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates that would take for ever, or all memory, or the stack: each ends as an error with line and column. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class HostileTemplateTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                // Work without end.
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
                "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                "{% for a in [1, 1] recursive %}{% if loop.depth < 60 %}{{ loop([1, 1]) }}{% endif %}{% endfor %}",
                "{% macro m() %}{{ m(*varargs) }}{% endmacro %}{{ m(*range(9999)) }}",
                "{{ range(99999)|list|slice(99999999)|list }}",
                "{% set l = range(99999)|map('string')|list %}{% for a in l %}{{ l|groupby(0)|length }}{% endfor %}",
                "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
                "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}",
                "{% for a in range(100000) %}{% if (range(100000)|list)[a] %}{% endif %}{% endfor %}",
                "{% set l = range(100000)|list %}{% for a in l %}{% if -1 in l %}{% endif %}{% endfor %}",
                "{% set l = range(50000)|list %}{% for a in l %}{% if l == l + [] %}{% endif %}{% endfor %}",
                "{{ range(100000)|unique|list|length }}",
                "{% set l = range(99999)|list %}{% for a in l %}{{ l|sort|first }}{% endfor %}",
                "{% set s = 'ab' * 5000000 %}{% for a in range(99999) %}{% if 'c' in s %}{% endif %}{% endfor %}",
                "{% set s = 'ab' * 5000000 %}{% for a in range(99999) %}{{ s.count('c') }}{% endfor %}",
                "{% set s = ' ' * 9000000 %}{% for a in range(99999) %}{{ s|trim }}{% endfor %}",
                "{% set s = 'ab' * 5000000 %}{% for a in range(99999) %}{{ s|length }}{% endfor %}",
                "{% set s = 'ab' * 5000000 %}{% for a in range(99999) %}{{ s.startswith(s) }}{% endfor %}",
                "{% set s = 'ab' * 5000000 %}{% for a in range(99999) %}{{ s == s ~ '' }}{% endfor %}",
                "{% set s = 'ab' * 5000000 %}{% for a in range(99999) %}{{ s[9999999] }}{% endfor %}",
                "{% set s = '1' * 5000000 %}{% for a in range(99999) %}{{ s|int }}{% endfor %}",
                "{% set s = '{' * 5000000 %}{% for a in range(99999) %}{{ s|wordcount }}{{ s|title }}{% endfor %}",
                // Gigabytes.
                "{% set ns = namespace(s='x') %}{% for i in range(40) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
                "{% set ns = namespace(s='x') %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(l=[1]) %}{% for i in range(40) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
                "{% set ns = namespace(l=[1]) %}{% for i in range(40) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
                "{% set ns = namespace(l=[1]) %}{% for i in range(40) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l|tojson }}",
                "{% set a = namespace(l=[1]) %}{% set b = namespace(l=[1]) %}{% for i in range(40) %}{% set a.l = [a.l, a.l] %}{% set b.l = [b.l, b.l] %}{% endfor %}{{ a.l == b.l }}",
                "{% set ns = namespace(l=[1]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
                "{% set ns = namespace(l=[1]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|tojson }}",
                "{{ 'x' * 1000000000 }}",
                "{{ 1000000000 * 'x' }}",
                "{{ 'x' * 9223372036854775807 }}",
                "{{ [0] * 1000000000 }}",
                "{{ [[0]] * 9223372036854775807 }}",
                "{{ (0,) * 99999999 }}",
                "{% set a = 'x' * 9999 %}{{ a.replace('x', a).replace('x', a) }}",
                "{% set a = 'x' * 9999999 %}{{ a.replace('', a) }}",
                "{% set a = 'x' * 9999999 %}{{ a.join(range(99)|map('string')) }}",
                "{% set a = 'x' * 9999999 %}{{ [1, 2, 3, 4, 5, 6, 7]|join(a) }}",
                "{{ 'x'.center(1000000000) }}",
                "{{ 'x'.ljust(9223372036854775807) }}",
                "{{ 'x'.zfill(1000000000) }}",
                "{{ 'x'|center(1000000000) }}",
                "{{ 'x\ny'|indent(1000000000) }}",
                "{{ 'x\ny'|indent('x' * 33000000) }}",
                "{{ ('\n' * 9999999)|indent(99) }}",
                "{{ [[[1]]]|tojson(indent=1000000000) }}",
                "{{ '%1000000000d' % 1 }}",
                "{{ '%.1000000000f' % 1 }}",
                "{{ range(1000000000) }}",
                "{{ range(-9223372036854775807, 9223372036854775807) }}",
                "{{ [1]|batch(1000000000, 'x')|list }}",
                "{{ ('a' * 9999999).split('a')|length }}",
                "{{ ('a' * 9999999)|list|length }}",
                "{% for c in 'a' * 9999999 %}{% endfor %}",
                "{% macro m() %}{{ 'x' * 1000000 }}{% endmacro %}{% for i in range(9999) %}{% set x = m() %}{% endfor %}",
                "{% for i in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
                "{% for i in range(99999) %}{% set x %}{{ 'x' * 1000 }}{% endset %}{% endfor %}",
                "{{ ('{}' * 999999).format(*(['x' * 9999] * 999999)) }}",
                "{{ ('%s' * 999999) % (('x' * 999,) * 999999) }}",
                // Numbers without end.
                "{{ 9 ** 9 ** 9 }}",
                "{{ 9223372036854775807 + 1 }}",
                "{{ 9223372036854775807 * 2 }}",
                "{{ -9223372036854775807 - 2 }}",
                "{{ 99999999999999999999 }}",
                "{{ ('9' * 9999)|int }}",
                "{{ 10.0 ** 400 }}",
            })
    void endsAsAnError(String template) {
        assertThatThrownBy(() -> render(template, Map.of()))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("line")
                .hasMessageContaining("column");
    }

    @Test
    void nestingOfTheTemplateItselfIsBounded() {
        int many = 40_000;
        String[] templates = {
            "{{ " + "(".repeat(many) + "1" + ")".repeat(many) + " }}",
            "{{ " + "[".repeat(many) + "]".repeat(many) + " }}",
            "{{ " + "-".repeat(many) + "1 }}",
            "{{ " + "not ".repeat(many) + "1 }}",
            "{{ 1" + " + 1".repeat(many) + " }}",
            "{{ 1" + " and 1".repeat(many) + " }}",
            "{{ 1" + " ** 1".repeat(many) + " }}",
            "{{ a" + ".a".repeat(many) + " }}",
            "{{ a" + "[0]".repeat(many) + " }}",
            "{{ a" + "(".repeat(many) + " }}",
            "{{ ''" + "|trim".repeat(many) + " }}",
            "{{ 1" + " if 1 else 1".repeat(many) + " }}",
            "{{ {1:".repeat(many) + " }}",
            "{% if 1 %}".repeat(many),
            "{% if 1 %}".repeat(many) + "{% endif %}".repeat(many),
            "{% for a in b %}".repeat(many),
            "{% set " + "(".repeat(many) + "a" + ")".repeat(many) + " = 1 %}",
            "{% set x" + "|trim".repeat(many) + " %}{% endset %}",
        };
        for (String template : templates) {
            assertThatThrownBy(() -> render(template, Map.of()))
                    .as(template.substring(0, 20))
                    .isInstanceOf(TemplateException.class)
                    .hasMessageContaining("line 1");
        }
    }

    @Test
    void nestingOfVariablesIsBounded() {
        List<Object> deep = List.of();
        for (int i = 0; i < 100_000; i++) {
            deep = List.of(deep);
        }
        Map<String, Object> variables = Map.of("deep", deep);
        assertThatThrownBy(() -> render("{{ deep }}", variables))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("nested");
        List<Object> self = new ArrayList<>();
        self.add(self);
        assertThatThrownBy(() -> render("{{ deep }}", Map.of("deep", self))).isInstanceOf(TemplateException.class);
    }

    @Test
    void aLongConversationIsNoHostility() {
        List<Map<String, Object>> messages = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            messages.add(
                    Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", "Words and more words. ".repeat(100)));
        }
        String template = "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
                + "{{ raise_exception('no') }}{% endif %}{{ '<|' + m['role'] + '|>\\n' + m['content'] | trim + '<|end|>' }}"
                + "{% endfor %}";
        assertThat(render(template, Map.of("messages", messages))).hasSizeGreaterThan(4_000_000);
    }

    @Test
    void whatUsersWriteIsNeverTemplate() {
        String evil = "{{ 7 * 7 }}{% for x in range(9) %}{{ x }}{% endfor %}{# c #}\\n{{ messages }}";
        Map<String, Object> variables = Map.of("messages", List.of(Map.of("role", evil, "content", evil)));
        String template =
                "{% for m in messages %}{{ m.role }}|{{ m['content'] | trim }}|{% set x %}{{ m.content }}{% endset %}"
                        + "{{ x }}|{{ '%s' % m.content }}|{{ m.content.format() if false }}{% endfor %}";
        assertThat(render(template, variables)).isEqualTo((evil + "|").repeat(4));
    }

    @ParameterizedTest
    @ValueSource(strings = {"include 'x'", "import 'x' as y", "from 'x' import y", "extends 'x'"})
    void otherTemplatesAreRefusedWhereTheyAreNamed(String tag) {
        assertThatThrownBy(() -> render("a\n  {% " + tag + " %}", Map.of()))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("line 2, column 6")
                .hasMessageContaining("'" + tag.split(" ")[0] + "'");
    }

    @Test
    void javaIsOutOfReach() {
        for (String expression : List.of(
                "messages.getClass()",
                "messages.class",
                "''.class.forName",
                "''.getBytes()",
                "messages.stream()",
                "ns.attributes",
                "loop",
                "m.__class__",
                "''.__class__.__mro__",
                "m.budget",
                "self",
                "range.__globals__")) {
            String template =
                    "{% set ns = namespace() %}{% macro m() %}{% endmacro %}{{ (" + expression + ") is defined }}";
            try {
                assertThat(render(template, Map.of("messages", List.of())))
                        .as(expression)
                        .isEqualTo("False");
            } catch (TemplateException e) {
                assertThat(e).hasMessageContaining("attribute");
            }
        }
    }

    @Test
    void variablesAreNotChangedByATemplate() {
        Map<String, Object> message = new HashMap<>(Map.of("role", "user"));
        List<Object> messages = new ArrayList<>(List.of(message));
        for (String change : List.of(
                "messages.append(1)",
                "messages.pop()",
                "messages[0].update({'a': 1})",
                "messages[0].pop('role')",
                "messages[0].setdefault('a', 1)",
                "messages.clear()",
                "messages.sort()")) {
            assertThatThrownBy(() -> render("{{ " + change + " }}", Map.of("messages", messages)))
                    .isInstanceOf(TemplateException.class);
        }
        assertThat(messages).containsExactly(Map.of("role", "user"));
    }

    @Test
    void valuesOfUnknownTypesAreRefused() {
        assertThatThrownBy(() -> render("{{ x }}", Map.of("x", new Object())))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("java.lang.Object");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void anyScrambledTemplateRendersOrFailsWithATemplateException(long seed) {
        Random random = new Random(seed);
        String[] parts = {
            "{%",
            "%}",
            "{{",
            "}}",
            "{#",
            "#}",
            "-",
            "+",
            "if",
            "else",
            "elif",
            "endif",
            "for",
            "in",
            "endfor",
            "set",
            "endset",
            "macro",
            "endmacro",
            "call",
            "endcall",
            "m",
            "x",
            "messages",
            "loop",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "1",
            "2.5",
            "'a'",
            "\"b\"",
            "|",
            "trim",
            "list",
            "is",
            "not",
            "defined",
            "and",
            "or",
            "~",
            "*",
            "**",
            "/",
            "//",
            "%",
            "==",
            "<",
            ".",
            ",",
            ":",
            "=",
            "\n",
            " ",
            " ",
            " ",
            "raw",
            "endraw",
            "namespace()",
            "range(9)",
            "\\",
            "'",
            "é",
            "😀",
            "break",
            "generation",
            "endgeneration",
            "with",
            "endwith",
            "filter",
            "endfilter"
        };
        int rendered = 0;
        for (int round = 0; round < 4000; round++) {
            StringBuilder template = new StringBuilder();
            boolean likely = random.nextBoolean();
            if (likely) {
                template.append("{{ ");
            }
            for (int n = random.nextInt(12); n > 0; n--) {
                template.append(parts[random.nextInt(parts.length)]).append(random.nextBoolean() ? " " : "");
            }
            template.append(likely ? " }}" : "");
            try {
                render(template.toString(), Map.of("messages", List.of(Map.of("x", 1))));
                rendered++;
            } catch (TemplateException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
        assertThat(rendered).isPositive();
    }

    private static String render(String template, Map<String, Object> variables) {
        return JinjaTemplate.compile(template, Clock.systemUTC()).render(variables);
    }
}
