package dev.penstock.routing;

/** What a replica's predictions are off by of late: a moving mean of ln(actual / predicted). */
final class Bias {
    private static final double RATE = 0.06;
    private static final double LIMIT = Math.log(8);

    private double log;
    private double factor = 1;

    double factor() {
        return factor;
    }

    void observe(double ratio) {
        log += RATE * (Math.clamp(Math.log(ratio), -LIMIT, LIMIT) - log);
        factor = Math.exp(log);
    }
}
