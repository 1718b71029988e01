package dev.penstock.routing;

/** What a replica's predictions are off by of late: a moving mean of ln(actual / predicted). */
final class Bias {
    private static final double RATE = 0.06;

    /** A single ratio moves it by no more than one so far off would: a pause says nothing of what comes. */
    private static final double LIMIT = Math.log(1.3);

    private double log;
    private double factor = 1;

    double factor() {
        return factor;
    }

    void observe(double ratio) {
        if (!(ratio > 0) || ratio == Double.POSITIVE_INFINITY) {
            return;
        }
        log += RATE * Math.clamp(Math.log(ratio) - log, -LIMIT, LIMIT);
        factor = Math.exp(log);
    }
}
