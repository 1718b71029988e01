package dev.penstock.prompt.dialogue;

import static dev.penstock.prompt.dialogue.Reading.TOOLS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.penstock.prompt.constraint.ConstraintException;
import dev.penstock.prompt.constraint.OutputForm;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Whatever has the form of calls is read as calls, whose arguments are valid. */
class CallFormsTest {
    private static final SchemaRegistry SCHEMAS = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
    private static final int SAMPLES = 300;
    private static final ObjectMapper JSON = new ObjectMapper();

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void aTextOfThatFormIsNothingButValidCalls(ToolStyle style) {
        DialogueFormat format = Reading.format(style, null);
        FormSampler sampler = new FormSampler(style.ordinal());
        boolean several = false;
        for (int i = 0; i < SAMPLES; i++) {
            String one = sampler.text(format.callsForm(TOOLS, false));
            assertThat(calls(format, one)).as(one).hasSize(1);
            List<String> many = calls(format, sampler.text(format.callsForm(TOOLS, true)));
            assertThat(many).isNotEmpty();
            several |= many.size() > 1;
        }
        assertThat(several).isTrue();
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void aTextOfTheFreeFormHasOnlyValidCalls(ToolStyle style) {
        DialogueFormat format = Reading.format(style, null);
        OutputForm form = format.autoForm(TOOLS, true);
        FormSampler sampler = new FormSampler(style.ordinal());
        for (int i = 0; form != null && i < SAMPLES; i++) {
            String text = sampler.text(form);
            List<String> parts =
                    Reading.read(format.parser(TOOLS, ""), List.of(text)).parts();
            List<String> calls =
                    parts.stream().filter(part -> !part.startsWith("text:")).toList();
            calls.forEach(call -> check(call, text));
            if (calls.isEmpty()) {
                assertThat(String.join("", parts)).isEqualTo(text.isEmpty() ? "" : "text:" + text);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void aToolThatTakesAnythingIsCalledWithArgumentsByAnyNames(ToolStyle style) throws Exception {
        DialogueFormat format = Reading.format(style, null);
        List<Tool> anything = List.of(Reading.SEARCH.withAnyArguments());
        FormSampler sampler = new FormSampler(style.ordinal());
        int given = 0;
        for (int i = 0; i < SAMPLES; i++) {
            String text = sampler.text(format.callsForm(anything, false));
            List<String> parts =
                    Reading.read(format.parser(TOOLS, ""), List.of(text)).parts();
            assertThat(parts).as(text).hasSize(1).first().asString().startsWith("search{");
            given +=
                    JSON.readTree(parts.getFirst().substring("search".length())).size();
        }
        assertThat(given).isPositive();
    }

    @Test
    void onlyStrictToolsAreHeldToTheirSchemasInFreeText() {
        Tool loose = new Tool("loose", null, Reading.SEARCH.parameters(), false);
        String form =
                String.valueOf(Reading.format(ToolStyle.HERMES, null).autoForm(List.of(loose, Reading.WEATHER), false));
        assertThat(form).contains("\"city\"").doesNotContain("\"query\"");
        assertThat(String.valueOf(Reading.format(ToolStyle.QWEN_XML, null).autoForm(List.of(loose), false)))
                .contains("<parameter=query>");
        assertThat(String.valueOf(Reading.format(ToolStyle.HERMES, null).callsForm(List.of(loose), false)))
                .contains("\"query\"");
    }

    @Test
    void reasoningComesBeforeTheForm() {
        DialogueFormat format = Reading.format(ToolStyle.HERMES, ReasoningTags.THINK);
        OutputForm call = format.callsForm(List.of(Reading.PING), false);
        FormSampler sampler = new FormSampler(5);
        for (String tail : List.of("", "<think>\n")) {
            boolean reasoned = false;
            for (int i = 0; i < SAMPLES; i++) {
                String text = sampler.text(format.reasoningForm(call, tail));
                List<String> parts =
                        Reading.read(format.parser(TOOLS, tail), List.of(text)).parts();
                assertThat(parts.getLast()).as(text).startsWith("ping{");
                assertThat(parts.subList(0, parts.size() - 1)).allMatch(part -> part.startsWith("reasoning:"));
                reasoned |= parts.size() > 1;
            }
            assertThat(reasoned).isTrue();
        }
        assertThat(Reading.format(ToolStyle.HERMES, null).reasoningForm(call, ""))
                .isEqualTo(call);
    }

    @Test
    void marksThatAreSpecialTokensAreAskedForAsSuch() {
        DialogueFormat format = new DialogueFormat(ToolStyle.MISTRAL_ARGS, null, Set.of("[TOOL_CALLS]", "[ARGS]"));
        assertThat(String.valueOf(format.callsForm(TOOLS, false)))
                .contains("Special[token=[TOOL_CALLS]]")
                .contains("Special[token=[ARGS]]");
    }

    @Test
    void theExpressionForTextWithoutMarksIsExact() {
        List<String> marks = List.of("<tool_call>", "<function=", "<tool>");
        Pattern pattern = Pattern.compile(CallForms.textWithout(marks));
        FormSampler sampler = new FormSampler(3);
        int with = 0;
        for (int i = 0; i < 5000; i++) {
            String text = sampler.bits() + (i % 3 == 0 ? marks.get(i % marks.size()) : "<tool") + sampler.bits();
            boolean free = marks.stream().noneMatch(text::contains);
            with += free ? 0 : 1;
            assertThat(pattern.matcher(text).matches()).as(text).isEqualTo(free);
        }
        assertThat(with).isBetween(1000, 3000);
    }

    @Test
    void whatCannotBeHeldArgumentByArgumentIsRefused() {
        assertThatThrownBy(() -> form(
                        ToolStyle.QWEN_XML, "{\"properties\": {\"a\": {\"type\": \"string\", \"pattern\": \"x\"}}}"))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("#/properties/a of 'f': 'pattern'");
        assertThatThrownBy(() -> form(ToolStyle.GLM_XML, "{\"minProperties\": 2}"))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("# of 'f': 'minProperties'");
        assertThatThrownBy(() -> form(ToolStyle.PYTHONIC, "{\"properties\": {\"a b\": {}}}"))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("#/properties/a b of 'f'");
        assertThatThrownBy(() -> form(ToolStyle.PYTHONIC, "{\"required\": [\"a\"]}"))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("'a' is none of the properties");
        assertThatThrownBy(() -> form(ToolStyle.PYTHONIC, "{\"properties\": {\"a\": {\"$ref\": \"#\"}}}"))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("$ref");
        assertThat(
                        String.valueOf(
                                form(
                                        ToolStyle.PYTHONIC,
                                        "{\"$defs\": {\"d\": {\"type\": \"null\"}}, \"properties\": {\"a\": {\"$ref\": \"#/$defs/d\"}}}")))
                .contains("{\"$ref\":\"#/$defs/d\",\"$defs\":{\"d\":{\"type\":\"null\"}}}");
    }

    private static OutputForm form(ToolStyle style, String schema) {
        return Reading.format(style, null).callsForm(List.of(Reading.tool("f", schema)), false);
    }

    /** The calls of a text that has nothing else. */
    private static List<String> calls(DialogueFormat format, String text) {
        List<String> calls =
                Reading.read(format.parser(TOOLS, ""), List.of(text)).parts();
        calls.forEach(call -> check(call, text));
        return calls;
    }

    private static void check(String call, String text) {
        Tool tool = TOOLS.stream()
                .filter(t -> call.startsWith(t.name() + "{"))
                .findFirst()
                .orElseThrow(() -> new AssertionError(call + " in " + text));
        assertThat(SCHEMAS.getSchema(tool.parameters())
                        .validate(call.substring(tool.name().length()), InputFormat.JSON))
                .as(text)
                .isEmpty();
    }
}
