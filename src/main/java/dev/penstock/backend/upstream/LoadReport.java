package dev.penstock.backend.upstream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an upstream says of its own load: in the header {@code endpoint-load-metrics} (ORCA, the Open Request Cost Aggregation
 * of xDS) or by vLLM's metrics. What makes no sense is left out.
 *
 * @param running sequences in its batch
 * @param waiting requests that have not begun
 * @param kvUsage share of its KV cache in use, 0 to 1
 */
record LoadReport(OptionalDouble running, OptionalDouble waiting, OptionalDouble kvUsage) {
    private static final String RUNNING = "num_requests_running";
    private static final String WAITING = "num_requests_waiting";
    private static final String KV_USAGE = "kv_cache_usage_perc";
    private static final String NAMED = "named_metrics";
    private static final int MAX_HEADER_CHARS = 8192;
    /** A server has no more requests than this. */
    private static final double MOST = 1e6;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern TEXT_PAIR = Pattern.compile("([A-Za-z_.]+)\\s*[=:]\\s*([0-9.eE+-]{1,32})");
    private static final Pattern SAMPLE = Pattern.compile(
            "(?m)^vllm:([a-z_]+)(\\{[^\\n}]*\\})?[ \\t]+([0-9.eE+-]{1,32})(?:[ \\t]+-?[0-9]+)?[ \\t]*\\r?$");

    /** From a header, as text or JSON, with or without the word that says which; empty if it tells none of the three. */
    static Optional<LoadReport> ofHeader(String header) {
        if (header.length() > MAX_HEADER_CHARS) {
            return Optional.empty();
        }
        String text = header.strip();
        if (text.regionMatches(true, 0, "JSON ", 0, 5)) {
            return ofJson(text.substring(5));
        }
        if (text.startsWith("{")) {
            return ofJson(text);
        }
        Collector found = new Collector();
        Matcher pair = TEXT_PAIR.matcher(text);
        while (pair.find()) {
            found.add(pair.group(1).replaceFirst("^" + NAMED + "\\.", ""), pair.group(2));
        }
        return found.report();
    }

    private static Optional<LoadReport> ofJson(String text) {
        Collector found = new Collector();
        try {
            JsonNode root = JSON.readTree(text);
            for (JsonNode node : new JsonNode[] {root, root.path(NAMED)}) {
                node.properties()
                        .forEach(e -> found.add(e.getKey(), e.getValue().asText()));
            }
        } catch (JsonProcessingException garbage) {
            return Optional.empty();
        }
        return found.report();
    }

    /**
     * From a page of Prometheus's text format; sums over the samples of that model, or over those without a model's name.
     *
     * @param model what the upstream calls the model
     */
    static Optional<LoadReport> ofMetrics(String page, String model) {
        Collector found = new Collector();
        Matcher sample = SAMPLE.matcher(page);
        while (sample.find()) {
            String labels = sample.group(2);
            if (labels == null
                    || !labels.contains("model_name=\"")
                    || labels.contains("model_name=\"" + model + "\"")) {
                found.add(sample.group(1), sample.group(3));
            }
        }
        return found.report();
    }

    /** Sums of counts, the greatest of shares. */
    private static final class Collector {
        private OptionalDouble running = OptionalDouble.empty();
        private OptionalDouble waiting = OptionalDouble.empty();
        private OptionalDouble kvUsage = OptionalDouble.empty();

        void add(String name, String number) {
            double value;
            try {
                value = Double.parseDouble(number);
            } catch (NumberFormatException garbage) {
                return;
            }
            if (!(value >= 0 && value <= MOST)) {
                return;
            }
            switch (name) {
                case RUNNING -> running = OptionalDouble.of(running.orElse(0) + value);
                case WAITING -> waiting = OptionalDouble.of(waiting.orElse(0) + value);
                case KV_USAGE -> kvUsage = OptionalDouble.of(Math.min(1, Math.max(kvUsage.orElse(0), value)));
                default -> {}
            }
        }

        Optional<LoadReport> report() {
            return running.isEmpty() && waiting.isEmpty() && kvUsage.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new LoadReport(running, waiting, kvUsage));
        }
    }
}
