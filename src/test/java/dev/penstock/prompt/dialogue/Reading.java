package dev.penstock.prompt.dialogue;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a completion was read as.
 *
 * @param parts neighbours of a kind joined: {@code text:…}, {@code reasoning:…}, and {@code name{…}} for calls, followed by an
 *     ellipsis where the arguments are no whole object
 */
record Reading(List<String> parts) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int RANDOM_CUTS = 20;

    static final Tool WEATHER = tool("get_weather", """
            {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"},
             "days": {"type": "integer"}, "unit": {"enum": ["C", "F"]}, "note": {"type": ["string", "null"]}}}""");
    static final Tool SEARCH = tool("search", """
            {"type": "object", "properties": {"query": {"type": "string"}, "tags": {"type": "array",
             "items": {"type": "string"}}, "exact": {"type": "boolean"}, "filter": {"type": "object"}}}""");
    static final Tool PING = tool("ping", "{\"type\": \"object\", \"properties\": {}}");
    static final List<Tool> TOOLS = List.of(WEATHER, SEARCH, PING);

    static Tool tool(String name, String schema) {
        try {
            return new Tool(name, "What " + name + " does.", JSON.readTree(schema), true);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(schema, e);
        }
    }

    static DialogueFormat format(ToolStyle style, @Nullable ReasoningTags reasoning) {
        return new DialogueFormat(style, reasoning, Set.of());
    }

    /** The parts of a text, which are the same however it is cut. */
    static List<String> of(ToolStyle style, String text) {
        return of(format(style, null), TOOLS, "", text);
    }

    static List<String> of(DialogueFormat format, List<Tool> tools, String promptTail, String text) {
        Reading whole = read(format.parser(tools, promptTail), List.of(text));
        List<String> chars =
                text.chars().mapToObj(c -> String.valueOf((char) c)).toList();
        assertThat(read(format.parser(tools, promptTail), chars)).isEqualTo(whole);
        for (int cut = 1; cut < text.length(); cut++) {
            List<String> halves = List.of(text.substring(0, cut), text.substring(cut));
            assertThat(read(format.parser(tools, promptTail), halves))
                    .as("cut at %d", cut)
                    .isEqualTo(whole);
        }
        Random random = new Random(text.hashCode());
        for (int i = 0; i < RANDOM_CUTS; i++) {
            assertThat(read(format.parser(tools, promptTail), cut(text, random)))
                    .isEqualTo(whole);
        }
        return whole.parts;
    }

    private static List<String> cut(String text, Random random) {
        List<String> pieces = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            int end = Math.min(text.length(), at + random.nextInt(12));
            pieces.add(text.substring(at, end));
            at = end;
        }
        return pieces;
    }

    static Reading read(CompletionParser parser, List<String> texts) {
        List<Piece> pieces = new ArrayList<>();
        for (String text : texts) {
            parser.push(text, pieces::add);
        }
        parser.finish(pieces::add);
        return of(pieces);
    }

    /** Joins pieces, and checks that calls begin and end in order. */
    static Reading of(List<Piece> pieces) {
        List<String> parts = new ArrayList<>();
        StringBuilder arguments = new StringBuilder();
        String name = null;
        int calls = 0;
        for (Piece piece : pieces) {
            switch (piece) {
                case Piece.Text(String text) -> {
                    assertThat(name).isNull();
                    join(parts, "text:", text);
                }
                case Piece.Reasoning(String text) -> join(parts, "reasoning:", text);
                case Piece.CallBegins(int index, String called) -> {
                    assertThat(name).isNull();
                    assertThat(index).isEqualTo(calls);
                    name = called;
                    arguments.setLength(0);
                }
                case Piece.Arguments(int index, String json) -> {
                    assertThat(name).isNotNull();
                    assertThat(index).isEqualTo(calls);
                    assertThat(json).isNotEmpty();
                    arguments.append(json);
                }
                case Piece.CallEnds(int index) -> {
                    assertThat(name).isNotNull();
                    assertThat(index).isEqualTo(calls++);
                    parts.add(name + arguments + (isObject(arguments.toString()) ? "" : "…"));
                    name = null;
                }
            }
        }
        assertThat(name).isNull();
        return new Reading(parts);
    }

    private static void join(List<String> parts, String kind, String text) {
        assertThat(text).isNotEmpty();
        if (!parts.isEmpty() && parts.getLast().startsWith(kind)) {
            parts.add(parts.removeLast() + text);
        } else {
            parts.add(kind + text);
        }
    }

    private static boolean isObject(String text) {
        try {
            JsonNode node = JSON.readTree(text);
            return node.isObject();
        } catch (JsonProcessingException e) {
            return false;
        }
    }
}
