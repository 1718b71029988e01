package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.Budget;
import dev.penstock.model.Budget.Sort;
import dev.penstock.model.Price;
import io.vertx.core.MultiMap;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a request allows, in the headers that llm-d's callers send and in the {@code provider} object that OpenRouter's do.
 * Headers go before the body. Other fields of {@code provider} are ignored.
 */
final class BudgetFields {
    private static final double MAX_MS = 86_400_000;
    private static final double MAX_SECONDS = 86_400;
    private static final double MAX_USD = 1_000_000;
    /** A dollar for a million tokens is so many billionths of one for each. */
    private static final double NANOS_PER_TOKEN = 1000;

    private BudgetFields() {}

    /** Reads it; what is not said is not limited. Throws {@link ApiException} (400). */
    static Budget read(MultiMap headers, JsonObject body) {
        Duration ttft = header(headers, "x-llm-d-slo-ttft-ms", "x-slo-ttft-ms");
        Duration tpot = header(headers, "x-llm-d-slo-tpot-ms", "x-slo-tpot-ms");
        Duration endToEnd = header(headers, "x-penstock-max-latency-ms");
        JsonObject provider = body.object("provider");
        if (provider == null) {
            return new Budget(ttft, tpot, endToEnd, null, Sort.PRICE);
        }
        return new Budget(ttft == null ? latency(provider) : ttft, tpot, endToEnd, maxPrice(provider), sort(provider));
    }

    private static @Nullable Duration header(MultiMap headers, String... names) {
        for (String name : names) {
            String text = headers.get(name);
            if (text != null) {
                return milliseconds(name, text);
            }
        }
        return null;
    }

    private static Duration milliseconds(String name, String text) {
        try {
            double ms = Double.parseDouble(text.strip());
            if (ms > 0 && ms <= MAX_MS) {
                return Duration.ofNanos(Math.max(1, Math.round(ms * 1e6)));
            }
        } catch (NumberFormatException e) {
            // As any other that makes no sense.
        }
        throw ApiException.badField(
                name, "The header '" + name + "' must be a number of milliseconds above 0 and at most a day.");
    }

    /** Of OpenRouter's percentiles the 90th is what our bounds are for. */
    private static @Nullable Duration latency(JsonObject provider) {
        String name = "preferred_max_latency";
        JsonNode value = provider.get(name);
        if (value == null) {
            return null;
        }
        String path = provider.path(name);
        if (value.isObject()) {
            path += ".p90";
            value = value.path("p90");
            if (value.isMissingNode() || value.isNull()) {
                return null;
            }
        }
        double seconds = JsonObject.number(value, path, 0, MAX_SECONDS);
        if (seconds == 0) {
            throw ApiException.badField(path, "'" + path + "' must be above 0.");
        }
        return Duration.ofNanos(Math.max(1, Math.round(seconds * 1e9)));
    }

    private static Price.@Nullable PerToken maxPrice(JsonObject provider) {
        JsonObject limit = provider.object("max_price");
        if (limit == null) {
            return null;
        }
        long prompt = price(limit, "prompt");
        return new Price.PerToken(prompt, prompt, price(limit, "completion"));
    }

    /** Per million tokens; without a limit for one kind only the other counts. */
    private static long price(JsonObject limit, String name) {
        return Math.round(limit.number(name, 0, MAX_USD).orElse(MAX_USD) * NANOS_PER_TOKEN);
    }

    private static Sort sort(JsonObject provider) {
        JsonNode value = provider.get("sort");
        if (value == null) {
            return Sort.PRICE;
        }
        String path = provider.path("sort");
        if (value.isObject()) {
            path += ".by";
            value = value.path("by");
        }
        return switch (JsonObject.text(value, path)) {
            case "price" -> Sort.PRICE;
            case "latency" -> Sort.LATENCY;
            case "throughput" -> Sort.THROUGHPUT;
            default -> throw ApiException.badField(path, "'" + path + "' must be price, latency or throughput.");
        };
    }
}
