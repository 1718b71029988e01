package dev.penstock.ops.simulate;

/**
 * What came of a simulation.
 *
 * @param requests that came
 * @param answered that were answered to their end
 * @param attainment share of them that kept their budget; what was refused didn't
 * @param attainmentByHurry the same, by {@link SimRequest.Hurry}
 * @param busyUsd price of the time for which servers were at work
 * @param billedUsd price of the time until each server had been idle for a minute and was given back
 * @param fleetUsd price of all servers for the whole time
 * @param ttft quantiles 0.5, 0.9, 0.99 in seconds
 * @param tpot the same
 * @param ttftMape mean of |predicted - actual| / actual
 * @param tpotMape the same
 * @param coverage share of latencies that stayed within their bound
 */
record Outcome(
        int requests,
        int answered,
        double attainment,
        double[] attainmentByHurry,
        double busyUsd,
        double billedUsd,
        double fleetUsd,
        double[] ttft,
        double[] tpot,
        double ttftMape,
        double tpotMape,
        double coverage) {

    /** Dollars of work for 1,000 requests answered. */
    double costPer1000() {
        return 1000 * busyUsd / Math.max(1, answered);
    }

    /** Dollars on the bill for 1,000 requests answered. */
    double billedPer1000() {
        return 1000 * billedUsd / Math.max(1, answered);
    }

    /** Requests within budget per dollar of work. */
    double goodputPerUsd() {
        return busyUsd == 0 ? 0 : attainment * requests / busyUsd;
    }
}
