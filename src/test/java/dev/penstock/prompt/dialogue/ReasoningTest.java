package dev.penstock.prompt.dialogue;

import static dev.penstock.prompt.dialogue.Reading.TOOLS;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Reasoning is split off from what comes behind it. */
class ReasoningTest {
    private static final DialogueFormat QWEN = Reading.format(ToolStyle.HERMES, ReasoningTags.THINK);

    @Test
    void reasoningStandsBetweenItsTags() {
        assertThat(read("<think>\nHm, 1 < 2.\n\nSo </thinking> yes.\n</think>\n\nYes."))
                .containsExactly("reasoning:Hm, 1 < 2.\n\nSo </thinking> yes.", "text:Yes.");
    }

    @Test
    void theTemplateMayHaveBegunIt() {
        String tail = "<|im_start|>assistant\n<think>\n";
        assertThat(read(tail, "Hm.\n</think>\n\nYes.\n")).containsExactly("reasoning:Hm.", "text:Yes.\n");
        assertThat(read(tail, "<think>\nHm.</think>Yes.")).containsExactly("reasoning:Hm.", "text:Yes.");
        assertThat(read(tail, "  <thin")).containsExactly("reasoning:<thin");
        assertThat(read(tail, "Hm, cut ")).containsExactly("reasoning:Hm, cut ");
        assertThat(read(tail, "")).isEmpty();
    }

    @Test
    void theTemplateMayHaveEndedIt() {
        assertThat(read("<think>\n\n</think>\n\n", "Yes.")).containsExactly("text:Yes.");
    }

    @Test
    void withoutTagsAllIsText() {
        assertThat(read(" Yes, <think> is a tag. </think>")).containsExactly("text: Yes, <think> is a tag. </think>");
        assertThat(read(" <thi")).containsExactly("text: <thi");
    }

    @Test
    void emptyReasoningIsNone() {
        assertThat(read("<think>\n\n</think>\n\nYes.")).containsExactly("text:Yes.");
    }

    @Test
    void callsComeBehindReasoningAndNeverInIt() {
        assertThat(read("""
                        <think>
                        I might <tool_call>{"name": "ping", "arguments": {}}</tool_call>.
                        </think>

                        <tool_call>
                        {"name": "search", "arguments": {"query": "x"}}
                        </tool_call>"""))
                .containsExactly(
                        "reasoning:I might <tool_call>{\"name\": \"ping\", \"arguments\": {}}</tool_call>.",
                        "search{\"query\": \"x\"}");
    }

    @Test
    void aReplyThatIsACallMayComeBehindReasoning() {
        DialogueFormat llama = Reading.format(ToolStyle.LLAMA_JSON, ReasoningTags.THINK);
        assertThat(Reading.of(llama, TOOLS, "<think>", "Hm.</think>\n{\"name\": \"ping\", \"parameters\": {}}"))
                .containsExactly("reasoning:Hm.", "ping{}");
    }

    @Test
    void magistralHasTagsOfItsOwn() {
        DialogueFormat magistral = Reading.format(ToolStyle.MISTRAL_ARGS, ReasoningTags.BRACKETS);
        assertThat(Reading.of(magistral, TOOLS, "", "[THINK]Hm [x].[/THINK]Yes.[TOOL_CALLS]ping[ARGS]{}"))
                .containsExactly("reasoning:Hm [x].", "text:Yes.", "ping{}");
    }

    @Test
    void reasoningGoesOutAsItComes() {
        CompletionParser parser = QWEN.parser(List.of(), "");
        List<Piece> pieces = new ArrayList<>();
        parser.push("<think>\nHm, ", pieces::add);
        parser.push("so </thi", pieces::add);
        assertThat(pieces).containsExactly(new Piece.Reasoning("Hm,"), new Piece.Reasoning(" so"));
    }

    private static List<String> read(String text) {
        return read("", text);
    }

    private static List<String> read(String tail, String text) {
        List<String> parts = Reading.of(QWEN, TOOLS, tail, text);
        if (parts.stream().noneMatch(part -> part.endsWith("}"))) {
            assertThat(Reading.of(QWEN, List.of(), tail, text)).isEqualTo(parts);
        }
        return parts;
    }
}
