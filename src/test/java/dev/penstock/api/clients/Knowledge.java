package dev.penstock.api.clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a capable model would say: to go with a conversation, what it would write by itself, and what it would if it may not. */
final class Knowledge {
    /** ChatML, with tools described and called as models of the Hermes kind do. */
    static final String TEMPLATE = """
            {%- if tools %}<|im_start|>tools
            {% for tool in tools %}{{ tool | tojson }}
            {% endfor %}<|im_end|>
            {% endif %}
            {%- for message in messages %}<|im_start|>{{ message.role }}
            {{ message.content }}
            {%- for call in message.tool_calls or [] %}
            <tool_call>
            {"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
            </tool_call>
            {%- endfor %}<|im_end|>
            {% endfor %}
            {%- if add_generation_prompt %}<|im_start|>assistant
            {% endif %}""";

    private static final Pattern TURN = Pattern.compile("<\\|im_start\\|>(\\w+)\n(.*?)<\\|im_end\\|>", Pattern.DOTALL);
    private static final Pattern TOOL = Pattern.compile("\"function\": ?\\{\"name\": ?\"(\\w+)\"");
    private static final Pattern PLACE = Pattern.compile("\\b(?:live|weather|time|warm is it) in (\\p{Lu}\\w+)");
    private static final Pattern COUNTRY = Pattern.compile("time in (\\p{Lu}\\w+)");
    private static final Pattern COLOR = Pattern.compile("favorite color is (\\w+)");

    /** By what a question has in it: the answer, and the same as JSON where there is such a form. */
    private static final Map<String, List<String>> FACTS = Map.of(
            "capital of Germany", List.of("The capital of Germany is Berlin.", "{\"city\":\"Berlin\"}"),
            "I love you", List.of("Ich liebe dich."),
            "Say 'Hello World'", List.of("Hello World!"),
            "story about animals", List.of("Once upon a time there was a fox. ".repeat(40)),
            "I live in Munich", List.of("Munich is a fine city to live in."));

    private final List<Turn> turns = new ArrayList<>();
    private final String question;

    private record Turn(String role, String text) {}

    private Knowledge(String prompt) {
        Matcher turn = TURN.matcher(prompt);
        while (turn.find()) {
            turns.add(new Turn(turn.group(1), turn.group(2)));
        }
        question = texts("user").getLast();
    }

    /** The completions that come to mind for a prompt, best first. */
    static List<String> completions(String prompt) {
        Knowledge knowledge = new Knowledge(prompt);
        List<String> found = knowledge.results();
        if (!found.isEmpty()) {
            return List.of("I asked, and this is the answer: " + String.join(", ", found) + ".", weather(found));
        }
        List<String> calls = knowledge.calls();
        List<String> answers = knowledge.answers();
        boolean askedForCalls = knowledge.question.contains("weather") || knowledge.question.contains("time");
        List<String> all = new ArrayList<>(askedForCalls ? calls : answers);
        all.addAll(askedForCalls ? answers : calls);
        return all;
    }

    private static String weather(List<String> results) {
        return "{\"weather\":\"" + results.getFirst() + "\"}";
    }

    private List<String> texts(String role) {
        return turns.stream().filter(t -> t.role.equals(role)).map(Turn::text).toList();
    }

    /** What tools have said to calls for the question. */
    private List<String> results() {
        int asked = turns.lastIndexOf(new Turn("user", question));
        return turns.subList(asked, turns.size()).stream()
                .filter(t -> t.role.equals("tool"))
                .map(t -> t.text.strip())
                .toList();
    }

    private List<String> answers() {
        if (question.contains("What is my favorite color?")) {
            return first(COLOR, String.join("\n", texts("user")))
                    .map(color -> List.of("Your favorite color is " + color + "."))
                    .orElseThrow();
        }
        return FACTS.entrySet().stream()
                .filter(fact -> question.contains(fact.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(List.of("I do not know."));
    }

    /** All calls at once, then the first one alone. */
    private List<String> calls() {
        List<String> calls = texts("tools").stream()
                .flatMap(tools -> TOOL.matcher(tools).results())
                .map((MatchResult tool) -> tool.group(1))
                .flatMap(tool -> arguments(tool)
                        .map(arguments -> "<tool_call>\n{\"name\": \"" + tool + "\", \"arguments\": " + arguments
                                + "}\n</tool_call>")
                        .stream())
                .collect(Collectors.toList());
        return calls.size() > 1 ? List.of(String.join("\n", calls), calls.getFirst()) : calls;
    }

    private Optional<String> arguments(String tool) {
        return switch (tool.toLowerCase(Locale.ROOT)) {
            case "getweather" -> first(PLACE, question).map(city -> "{\"city\":\"" + city + "\"}");
            case "gettime" -> first(COUNTRY, question).map(country -> "{\"country\":\"" + country + "\"}");
            case "get_current_time" -> Optional.of("{}");
            default -> Optional.empty();
        };
    }

    private static Optional<String> first(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(found -> found.group(1)).findFirst();
    }
}
