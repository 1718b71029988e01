package dev.penstock.backend.upstream;

import dev.penstock.model.Price;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * An upstream as it was configured.
 *
 * @param name stable, for logs, metrics and reply headers
 * @param model what callers name in {@code model}
 * @param url of the API, http or https, its path such as {@code /v1} without a slash at the end
 * @param upstreamModel what the upstream calls the model
 * @param key sent as a bearer token to the upstream and to nobody else
 * @param price what it costs
 * @param limits of time and size
 * @param probe between looks at its health and its metrics
 */
public record UpstreamSettings(
        String name,
        String model,
        URI url,
        String upstreamModel,
        Optional<String> key,
        Price price,
        UpstreamLimits limits,
        Duration probe) {
    /** The same under another name. */
    public UpstreamSettings withName(String other) {
        return new UpstreamSettings(other, model, url, upstreamModel, key, price, limits, probe);
    }

    /** The same at another price. */
    public UpstreamSettings withPrice(Price other) {
        return new UpstreamSettings(name, model, url, upstreamModel, key, other, limits, probe);
    }

    /** Without the key. */
    @Override
    public String toString() {
        return name + " at " + url;
    }
}
