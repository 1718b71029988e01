import dev.penstock.prompt.template.JinjaTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures rendering of chat templates with ten messages of 400 characters, without and with two tools: compiling and the
 * first rendering, and the median and the 99th percentile of 5,000 renderings after 10,000.
 */
public final class ChatTemplate {
    private static final int WARM_UP = 10_000;
    private static final int ROUNDS = 5_000;

    private ChatTemplate() {}

    public static void main(String[] files) throws IOException {
        for (String file : files) {
            String source = Files.readString(Path.of(file));
            long start = System.nanoTime();
            JinjaTemplate template = JinjaTemplate.compile(source, Clock.systemUTC());
            double compileMs = (System.nanoTime() - start) / 1e6;
            System.out.printf(Locale.ROOT, "%s: compiled in %.2f ms%n", file, compileMs);
            measure("ten messages", template, null);
            measure("ten messages, two tools", template, List.of(tool("weather"), tool("news")));
        }
    }

    private static void measure(String what, JinjaTemplate template, List<Map<String, Object>> tools) {
        Map<String, Object> variables = new HashMap<>(
                Map.of("messages", messages(), "add_generation_prompt", true, "bos_token", "<s>", "eos_token", "</s>"));
        variables.put("tools", tools);
        long first = nanoseconds(template, variables);
        for (int i = 0; i < WARM_UP; i++) {
            nanoseconds(template, variables);
        }
        long[] times = new long[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            times[i] = nanoseconds(template, variables);
        }
        Arrays.sort(times);
        System.out.printf(
                Locale.ROOT,
                "  %s, %d characters: first %.2f ms, then median %.3f ms, p99 %.3f ms%n",
                what,
                template.render(variables).length(),
                first / 1e6,
                times[ROUNDS / 2] / 1e6,
                times[ROUNDS * 99 / 100] / 1e6);
    }

    private static long nanoseconds(JinjaTemplate template, Map<String, Object> variables) {
        long start = System.nanoTime();
        template.render(variables);
        return System.nanoTime() - start;
    }

    private static List<Map<String, Object>> messages() {
        List<Map<String, Object>> messages = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            String role = i % 2 == 0 ? "user" : "assistant";
            messages.add(Map.of("role", role, "content", "Words that people write. ".repeat(16)));
        }
        return messages;
    }

    private static Map<String, Object> tool(String name) {
        Map<String, Object> parameters = Map.of(
                "type", "object", "properties", Map.of("city", Map.of("type", "string", "description", "a city")));
        return Map.of(
                "type", "function", "function", Map.of("name", name, "description", "Tells", "parameters", parameters));
    }
}
