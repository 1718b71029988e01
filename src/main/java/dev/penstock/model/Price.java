package dev.penstock.model;

/** What a backend costs. */
public sealed interface Price {
    /**
     * Metered by the token, in billionths of a dollar: 1 dollar a million tokens is 1,000.
     *
     * @param prompt a prompt token that had to be computed
     * @param cached a prompt token that came from a prefix cache
     * @param completion a token sampled
     */
    record PerToken(long prompt, long cached, long completion) implements Price {
        public PerToken {
            if (prompt < 0 || cached < 0 || completion < 0) {
                throw new IllegalArgumentException(
                        "A price per token must not be negative: prompt %d, cached %d, completion %d."
                                .formatted(prompt, cached, completion));
            }
        }

        /** What these tokens cost. */
        public Money of(Usage usage) {
            long computed = Math.max(0, usage.promptTokens() - usage.cachedPromptTokens());
            return new Money(prompt)
                    .times(computed)
                    .plus(new Money(cached).times(usage.cachedPromptTokens()))
                    .plus(new Money(completion).times(usage.completionTokens()));
        }
    }

    /**
     * Rented by the hour.
     *
     * @param hour an hour of it, at work or not
     */
    record PerHour(Money hour) implements Price {
        public PerHour {
            if (hour.nanoUsd() < 0) {
                throw new IllegalArgumentException("A price per hour must not be negative: %s.".formatted(hour.usd()));
            }
        }
    }
}
