package dev.penstock.routing;

import dev.penstock.backend.Backend;
import dev.penstock.backend.TokenBackend;
import dev.penstock.model.Money;
import dev.penstock.model.Price;
import org.jspecify.annotations.Nullable;

/**
 * A backend as a router has it.
 *
 * @param backend what takes the requests
 * @param spec what it can hold
 * @param price what it costs
 * @param calibration what is foretold of it; keeps what it has learned where the same backend is served anew
 * @param cachesPrefixes whether prompts that begin alike cost it less
 * @param steps where the durations of its steps come from, if it has any
 */
public record Member(
        Backend backend,
        BackendSpec spec,
        Price price,
        Calibration calibration,
        boolean cachesPrefixes,
        @Nullable StepFeed steps) {
    /** Of a server that has told nothing yet: soon shown to be wrong, and low, so that it is tried. */
    private static final double FIRST_TTFT_SECONDS = 0.2;

    private static final double FIRST_TPOT_SECONDS = 0.02;

    private static final int MANY = 1 << 20;

    /** One that costs nothing and of which nothing is known yet. */
    public static Member of(Backend backend) {
        return new Member(
                backend,
                new BackendSpec(backend.name(), MANY, Long.MAX_VALUE, MANY, MANY, false),
                new Price.PerHour(Money.ZERO),
                new Calibration(new UpstreamLatency(FIRST_TTFT_SECONDS, FIRST_TPOT_SECONDS)),
                false,
                null);
    }

    /** The same at another price, which for a server elsewhere also tells whether it gains from prompts that it has seen. */
    public Member with(Price other, boolean spill) {
        boolean caches = backend instanceof TokenBackend
                ? cachesPrefixes
                : other instanceof Price.PerToken t && t.cached() < t.prompt();
        return new Member(backend, spec.withSpill(spill), other, calibration, caches, steps);
    }
}
