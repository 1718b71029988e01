package dev.penstock.ops;

import dev.penstock.model.Money;
import dev.penstock.model.Price;
import java.math.BigDecimal;
import java.util.Optional;

/** Reads prices from configuration, exactly: what can't be kept as whole billionths of a dollar is refused. */
final class Prices {
    /** A dollar for a million tokens is so many billionths of one for each. */
    private static final BigDecimal NANOS_PER_TOKEN = BigDecimal.valueOf(1000);

    private static final BigDecimal MOST = BigDecimal.valueOf(1_000_000);

    private Prices() {}

    /** Whether nothing is said of it. */
    static boolean isAbsent(PenstockConfig.Price price) {
        return price.perHour().isEmpty()
                && price.prompt().isEmpty()
                && price.cached().isEmpty()
                && price.completion().isEmpty();
    }

    /** The price, which must be there: a backend is chosen by it. What is wrong with it goes to the problems. */
    static Optional<Price> required(String what, PenstockConfig.Price price, Problems problems) {
        if (isAbsent(price)) {
            problems.add(what
                    + " has no price; say { per-hour: … } or { prompt: …, completion: … } in dollars, the latter for a"
                    + " million tokens, with 0 for what is free.");
            return Optional.empty();
        }
        return price(what, price, problems);
    }

    private static Optional<Price> price(String what, PenstockConfig.Price price, Problems problems) {
        boolean tokens = price.prompt().isPresent()
                || price.cached().isPresent()
                || price.completion().isPresent();
        if (price.perHour().isPresent()) {
            problems.require(!tokens, what + " has a price per hour and one per token; it must be one of them.");
            return problems.attempt(() -> new Price.PerHour(
                    Money.ofUsd(checked(what, "per-hour", price.perHour().get()))));
        }
        if (!tokens) {
            return Optional.empty();
        }
        if (price.prompt().isEmpty() || price.completion().isEmpty()) {
            problems.add(what + " has a price per token without "
                    + (price.prompt().isEmpty() ? "prompt" : "completion") + "; both are needed.");
            return Optional.empty();
        }
        return problems.attempt(() -> new Price.PerToken(
                perToken(what, "prompt", price.prompt().get()),
                perToken(what, "cached", price.cached().or(price::prompt).orElseThrow()),
                perToken(what, "completion", price.completion().get())));
    }

    private static long perToken(String what, String key, BigDecimal usdPerMillion) {
        try {
            return checked(what, key, usdPerMillion).multiply(NANOS_PER_TOKEN).longValueExact();
        } catch (ArithmeticException e) {
            throw new StartException(
                    what + " has the price " + key + " " + usdPerMillion + "; it can't be finer than 0.001.", e);
        }
    }

    private static BigDecimal checked(String what, String key, BigDecimal usd) {
        if (usd.signum() < 0 || usd.compareTo(MOST) > 0) {
            throw new StartException(what + " has the price " + key + " " + usd + "; it must be 0 to " + MOST + ".");
        }
        return usd;
    }
}
