package dev.penstock.routing;

import java.util.LinkedHashMap;
import java.util.Map;

/** How many tokens requests of a caller came to, to foretell the next one's; not safe for several threads. */
public final class OutputLengths implements LengthModel {
    private static final int WINDOW = 256;

    /** Lengths that a caller needs before they speak for it. */
    private static final int ENOUGH = 16;

    /** Ages at which it is known what is left: each is reached by as many fewer. */
    private static final int AGES = 16;

    /** Lengths between two looks at what is left. */
    private static final int AGES_EVERY = 16;

    /** Callers that are remembered, the one heard of least lately forgotten first. */
    private static final int MOST_CALLERS = 4096;

    /** The share of requests that {@link #upper} is not below. */
    private static final double UPPER = 0.9;

    /** Expected before anything was seen. */
    private static final double FIRST = 128;

    private final Lengths all = new Lengths();
    private final Map<String, Lengths> callers = new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Lengths> eldest) {
            return size() > MOST_CALLERS;
        }
    };

    @Override
    public double mean(String caller, int maxTokens) {
        return Math.min(maxTokens, of(caller).mean());
    }

    @Override
    public double upper(String caller, int maxTokens) {
        return Math.min(maxTokens, of(caller).upper());
    }

    @Override
    public double remaining(String caller, int maxTokens, int tokens) {
        return Math.clamp(of(caller).remaining(tokens), 1, Math.max(1, maxTokens - tokens));
    }

    @Override
    public void observe(String caller, int tokens) {
        all.add(tokens);
        callers.computeIfAbsent(caller, c -> new Lengths()).add(tokens);
    }

    private Lengths of(String caller) {
        Lengths own = callers.get(caller);
        return own == null || own.window.size() < ENOUGH ? all : own;
    }

    private static final class Lengths {
        private final SlidingQuantile window = new SlidingQuantile(WINDOW);
        private final double[] ages = new double[AGES];
        private final double[] meanExcess = new double[AGES];
        private double mean;
        private long seen;

        private void add(int tokens) {
            window.add(tokens);
            mean += (tokens - mean) / Math.min(++seen, WINDOW);
            if (seen % AGES_EVERY == 0) {
                window.meanExcess(ages, meanExcess);
            }
        }

        /** What those had left on average that came to this age, or to the last one that enough came to. */
        private double remaining(int tokens) {
            if (seen < AGES_EVERY) {
                return mean() - tokens;
            }
            int age = 0;
            while (age + 1 < AGES && ages[age + 1] <= tokens) {
                age++;
            }
            return ages[age] + meanExcess[age] > tokens ? ages[age] + meanExcess[age] - tokens : meanExcess[age];
        }

        private double mean() {
            return seen == 0 ? FIRST : mean;
        }

        private double upper() {
            return seen == 0 ? 2 * FIRST : window.quantile(UPPER);
        }
    }
}
