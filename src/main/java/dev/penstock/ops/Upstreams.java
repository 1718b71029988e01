package dev.penstock.ops;

import dev.penstock.backend.upstream.UpstreamLimits;
import dev.penstock.backend.upstream.UpstreamSettings;
import dev.penstock.model.Price;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** Reads upstreams from configuration. */
final class Upstreams {
    private static final Duration LONGEST = Duration.ofDays(1);

    private Upstreams() {}

    /** The settings; where there are none, what is wrong has gone to the problems. */
    static Optional<UpstreamSettings> settings(
            String model,
            String what,
            PenstockConfig.Backend backend,
            Map<String, String> environment,
            Problems problems) {
        Optional<URI> url = problems.attempt(() -> url(what, backend.url()));
        Optional<Price> price = Prices.required(what, backend.price(), problems);
        Optional<String> key = key(what, backend.keyEnv(), environment, problems);
        UpstreamLimits defaults = UpstreamLimits.DEFAULTS;
        UpstreamLimits limits = new UpstreamLimits(
                time(what, "connect-timeout", backend.connectTimeout(), problems),
                time(what, "first-token-timeout", backend.firstTokenTimeout(), problems),
                time(what, "idle-timeout", backend.idleTimeout(), problems),
                time(what, "timeout", backend.timeout(), problems),
                backend.maxConnections(),
                defaults.maxEventBytes(),
                defaults.maxReplyBytes());
        problems.require(
                backend.maxConnections() > 0,
                what + " has max-connections " + backend.maxConnections() + "; it must be at least 1.");
        Duration probe = time(what, "probe", backend.probe(), problems);
        if (url.isEmpty() || price.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new UpstreamSettings(
                model + "/" + url.get().getAuthority(),
                model,
                url.get(),
                backend.model().orElse(model),
                key,
                price.get(),
                limits,
                probe));
    }

    private static URI url(String what, Optional<String> text) {
        if (text.isEmpty()) {
            throw new StartException(what + " has no url.");
        }
        try {
            URI url = new URI(text.get().replaceFirst("/+$", ""));
            boolean http = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
            if (http
                    && url.getHost() != null
                    && url.getUserInfo() == null
                    && url.getQuery() == null
                    && url.getFragment() == null) {
                return url;
            }
        } catch (URISyntaxException e) {
            // As any other that is none.
        }
        // Not the text itself: people put keys into addresses.
        throw new StartException(
                what
                        + " has a url that is not of the form http://host:port/path or https://host/path, without user, query and fragment.");
    }

    private static Optional<String> key(
            String what, Optional<String> variable, Map<String, String> environment, Problems problems) {
        return variable.flatMap(name -> {
            String key = environment.getOrDefault(name, "");
            // What a header can hold.
            problems.require(
                    key.matches("[\\x21-\\x7e]+"),
                    what + " takes its key from the environment variable " + name
                            + (key.isEmpty() ? ", which is not set." : ", which holds what no header can."));
            return Optional.of(key);
        });
    }

    private static Duration time(String what, String key, Duration time, Problems problems) {
        problems.require(
                time.compareTo(Duration.ofMillis(1)) >= 0 && time.compareTo(LONGEST) <= 0,
                what + " has " + key + " " + time + "; it must be 1 ms to 24 hours.");
        return time;
    }
}
