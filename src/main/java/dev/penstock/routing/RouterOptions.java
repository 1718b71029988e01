package dev.penstock.routing;

/**
 * How a router chooses.
 *
 * @param tieShare how much dearer than the cheapest a backend may be and still count as equal
 * @param exploreShare the most requests, as a share, that are used to look at a backend not seen for long
 * @param missPenalty what a missed budget costs, in multiples of the dearest backend that fits
 * @param late what becomes of a request that nothing fits, where waiting and spilling don't help
 * @param seed of what chance decides
 */
public record RouterOptions(double tieShare, double exploreShare, double missPenalty, Late late, long seed) {
    /** What is right where nothing else is known. */
    public static final RouterOptions DEFAULT = new RouterOptions(0.05, 0.01, 7, Late.LIKELY, 1);

    public RouterOptions {
        if (!(tieShare >= 0 && exploreShare >= 0 && exploreShare <= 0.01 && missPenalty >= 0)) {
            throw new IllegalArgumentException(
                    "A tie of %s, exploring %s (at most 0.01) and a penalty of %s are not possible together."
                            .formatted(tieShare, exploreShare, missPenalty));
        }
    }

    /** The same with another fate of late requests. */
    public RouterOptions withLate(Late other) {
        return new RouterOptions(tieShare, exploreShare, missPenalty, other, seed);
    }

    /** What becomes of a request that will be late. */
    public enum Late {
        /** It is refused with the time after which it would fit. */
        REFUSE,
        /** It runs where it is more likely in time than not, and harms no one; else it is refused. */
        LIKELY,
        /** It runs where it is least late, if its priority is not below zero. */
        BEST_EFFORT
    }
}
