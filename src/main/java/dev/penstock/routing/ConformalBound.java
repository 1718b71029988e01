package dev.penstock.routing;

/**
 * Turns a prediction into what to expect and a bound that holds for a share of the cases, whatever the errors'
 * distribution: quantiles of the last log residuals ln(actual / predicted), by bucket of load. The share asked of the
 * window follows what the bound held of late, as in adaptive conformal inference (Gibbs and Candès 2021, equation 2), so
 * that it comes back to its share after a change. Not safe for several threads.
 */
public final class ConformalBound {
    private static final int WINDOW = 200;

    /** Residuals that a bucket needs before it speaks for itself. */
    private static final int ENOUGH = 20;

    /** How far one miss moves the share. */
    private static final double RATE = 0.01;

    /** The bound before anything was seen. */
    private static final double FIRST_BOUND = 1.5;

    private final double missShare;
    private final Bucket[] buckets;
    private final Bucket all;
    private long seen;
    private long held;

    /**
     * A bound over buckets of load.
     *
     * @param coverage the share of cases that it holds for, above 0 and below 1
     */
    public ConformalBound(double coverage, int buckets) {
        this.missShare = 1 - coverage;
        this.buckets = new Bucket[buckets];
        for (int i = 0; i < buckets; i++) {
            this.buckets[i] = new Bucket(missShare);
        }
        this.all = new Bucket(missShare);
    }

    /** What a prediction times this is to be expected. */
    public double expected(int bucket) {
        return speaker(bucket).expected;
    }

    /** What a prediction times this is not exceeded in the share of cases. */
    public double bound(int bucket) {
        return speaker(bucket).bound;
    }

    /**
     * Learns how a prediction came out.
     *
     * @param ratio actual / predicted; what is not above 0 or not finite, as where nothing was predicted, tells nothing
     * @param boundThen what {@link #bound} was when it was made
     */
    public void observe(int bucket, double ratio, double boundThen) {
        if (!(ratio > 0) || ratio == Double.POSITIVE_INFINITY) {
            return;
        }
        boolean missed = ratio > boundThen;
        double residual = Math.log(ratio);
        seen++;
        held += missed ? 0 : 1;
        buckets[bucket].add(residual, missed, missShare);
        all.add(residual, missed, missShare);
    }

    /** The share of predictions that stayed within their bound; NaN before the first. */
    public double coverage() {
        return seen == 0 ? Double.NaN : held / (double) seen;
    }

    /** Predictions whose outcome is known. */
    public long seen() {
        return seen;
    }

    private Bucket speaker(int bucket) {
        return buckets[bucket].window.size() >= ENOUGH ? buckets[bucket] : all;
    }

    private static final class Bucket {
        private final SlidingQuantile window = new SlidingQuantile(WINDOW);
        private double adaptedShare;
        private double expected = 1;
        private double bound = FIRST_BOUND;

        private Bucket(double missShare) {
            adaptedShare = missShare;
        }

        private void add(double residual, boolean missed, double missShare) {
            window.add(residual);
            adaptedShare = Math.clamp(adaptedShare + RATE * (missShare - (missed ? 1 : 0)), 0.005, 0.5);
            if (window.size() >= ENOUGH / 2) {
                double median = window.quantile(0.5);
                expected = Math.exp(median);
                bound = Math.exp(Math.max(median, window.quantile(1 - adaptedShare)));
            }
        }
    }
}
