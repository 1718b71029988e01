package dev.penstock.ops.simulate;

import dev.penstock.routing.Demand;
import dev.penstock.routing.Quote;
import dev.penstock.routing.RouterCore;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;

/** Ways to choose a server. */
public enum Policy {
    /** The router of Penstock. */
    PENSTOCK,
    /** One after the other. */
    ROUND_ROBIN,
    /** The fewest requests in flight. */
    LEAST_LOADED,
    /** The one with fewer requests in flight of two drawn by chance. */
    POWER_OF_TWO,
    /** The one where the last token is predicted first, by Penstock's predictions. */
    LOWEST_LATENCY,
    /** The cheapest class always, the fewest requests in flight within it. */
    STATIC_CHEAPEST,
    /** The cheapest class with fewer requests in flight than it can begin within two seconds, else the next one. */
    CHEAPEST_THEN_FALLBACK,
    /** The router of Penstock with true lengths and step times. */
    CLAIRVOYANT;

    /** The time within which a server of a class should be able to begin all that it has. */
    private static final double FALLBACK_SECONDS = 2;

    /** The name in options and reports. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The policy of that name. */
    public static Optional<Policy> ofLabel(String label) {
        return Arrays.stream(values()).filter(p -> p.label().equals(label)).findFirst();
    }

    /** Whether it asks the router to decide. */
    boolean routes() {
        return this == PENSTOCK || this == CLAIRVOYANT;
    }

    /** The server for a request, or -1 if none is up. */
    int pick(View view, Demand demand, long nowNs) {
        return switch (this) {
            case PENSTOCK, CLAIRVOYANT -> throw new IllegalStateException("the router decides");
            case ROUND_ROBIN -> {
                int pick = -1;
                for (int tried = 0; tried < view.size() && pick < 0; tried++) {
                    int next = view.turn++ % view.size();
                    pick = view.up(next) ? next : -1;
                }
                yield pick;
            }
            case LEAST_LOADED -> view.leastLoaded(Double.POSITIVE_INFINITY, false);
            case POWER_OF_TWO -> {
                int one = view.anyUp();
                int other = view.anyUp();
                yield one < 0 || view.inFlight[one] <= view.inFlight[other] ? one : other;
            }
            case LOWEST_LATENCY -> {
                int best = -1;
                List<Quote> quotes = view.core.quotes(demand, nowNs);
                for (int i = 0; i < quotes.size(); i++) {
                    if (view.up(i)
                            && (best < 0
                                    || quotes.get(i)
                                                    .endToEnd()
                                                    .mean()
                                                    .compareTo(quotes.get(best)
                                                            .endToEnd()
                                                            .mean())
                                            < 0)) {
                        best = i;
                    }
                }
                yield best;
            }
            case STATIC_CHEAPEST -> view.leastLoaded(view.nextPrice(0), false);
            case CHEAPEST_THEN_FALLBACK -> {
                double price = view.nextPrice(0);
                int pick = -1;
                while (pick < 0 && price < Double.POSITIVE_INFINITY) {
                    pick = view.leastLoaded(price, true);
                    price = view.nextPrice(price);
                }
                yield pick < 0 ? view.leastLoaded(Double.POSITIVE_INFINITY, false) : pick;
            }
        };
    }

    /** What a policy sees: servers, and requests in flight as they were told last. */
    static final class View {
        final RouterCore core;
        final SimReplica[] replicas;
        final double[] nominalUsd;
        final int[] inFlight;
        private final SplittableRandom random;
        private int turn;

        View(RouterCore core, SimReplica[] replicas, long seed) {
            this.core = core;
            this.replicas = replicas;
            nominalUsd = Arrays.stream(replicas)
                    .mapToDouble(r -> r.hardware.nominalUsd())
                    .toArray();
            inFlight = new int[replicas.length];
            random = new SplittableRandom(seed);
        }

        private int size() {
            return replicas.length;
        }

        private boolean up(int i) {
            return replicas[i].alive;
        }

        private int anyUp() {
            int from = random.nextInt(size());
            for (int i = 0; i < size(); i++) {
                if (up((from + i) % size())) {
                    return (from + i) % size();
                }
            }
            return -1;
        }

        /** The lowest price above that one; infinity if there is none. */
        private double nextPrice(double above) {
            double next = Double.POSITIVE_INFINITY;
            for (int i = 0; i < size(); i++) {
                next = up(i) && nominalUsd[i] > above ? Math.min(next, nominalUsd[i]) : next;
            }
            return next;
        }

        /** The fewest in flight at this price, or at any; only those below what they can begin in time, if so asked. */
        private int leastLoaded(double price, boolean limited) {
            int best = -1;
            for (int i = 0; i < size(); i++) {
                boolean counts = up(i) && (price == Double.POSITIVE_INFINITY || nominalUsd[i] == price);
                int limit = Math.max(1, replicas[i].hardware.promptsIn(FALLBACK_SECONDS));
                if (counts && (!limited || inFlight[i] < limit) && (best < 0 || inFlight[i] < inFlight[best])) {
                    best = i;
                }
            }
            return best;
        }
    }
}
