package dev.penstock.ops.simulate;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a comparison of policies came to; its JSON is this record.
 *
 * @param trace what was replayed
 * @param seeds runs of each policy
 * @param attainmentWanted what a fleet has to reach
 * @param priceRatio cost of a nominal request on the dearest class over that on the cheapest
 * @param policies a line for each, at the smallest fleet with which it reaches that
 * @param stress what each policy does on one fleet when something goes wrong
 * @param simulatedRequests in all runs together
 */
public record SimulationReport(
        String trace,
        int seeds,
        @JsonProperty("attainment_wanted") double attainmentWanted,
        @JsonProperty("price_ratio") double priceRatio,
        List<Line> policies,
        List<StressLine> stress,
        @JsonProperty("simulated_requests") long simulatedRequests) {

    /**
     * A policy. Intervals are of 95 %, low and high.
     *
     * @param name of the policy
     * @param fleet with which it reaches the attainment, or comes nearest to it
     * @param reached whether it does
     * @param attainment share of requests within budget
     * @param attainmentInterval of the attainment
     * @param attainmentByBudget by kind of budget
     * @param costPer1000Usd dollars of time at work for 1,000 answered requests
     * @param costInterval of the cost
     * @param billedPer1000Usd dollars of rent, where a server idle for a minute is given back
     * @param fleetPer1000Usd dollars of rent of the whole fleet for the whole time
     * @param goodputPerUsd requests within budget for a dollar of work
     * @param ttftSeconds quantiles 0.5, 0.9, 0.99
     * @param tpotSeconds the same
     * @param predictionMape mean relative error of both latencies
     * @param ttftMape of the time to the first token
     * @param tpotMape of the time per token
     * @param boundCoverage share of latencies within their bound of nine in ten
     * @param gapToClairvoyant cost over the clairvoyant policy's, less one; absent where that was not run
     */
    public record Line(
            String name,
            String fleet,
            boolean reached,
            double attainment,
            @JsonProperty("attainment_interval") double[] attainmentInterval,
            @JsonProperty("attainment_by_budget") Map<String, Double> attainmentByBudget,
            @JsonProperty("cost_per_1000_usd") double costPer1000Usd,
            @JsonProperty("cost_interval") double[] costInterval,
            @JsonProperty("billed_per_1000_usd") double billedPer1000Usd,
            @JsonProperty("fleet_per_1000_usd") double fleetPer1000Usd,
            @JsonProperty("goodput_per_usd") double goodputPerUsd,
            @JsonProperty("ttft_seconds") double[] ttftSeconds,
            @JsonProperty("tpot_seconds") double[] tpotSeconds,
            @JsonProperty("prediction_mape") double predictionMape,
            @JsonProperty("ttft_mape") double ttftMape,
            @JsonProperty("tpot_mape") double tpotMape,
            @JsonProperty("bound_coverage") double boundCoverage,

            @JsonProperty("gap_to_clairvoyant") @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            Double gapToClairvoyant) {

        static Line of(Policy policy, Sweep.Found found, @Nullable Double clairvoyantCost) {
            List<Outcome> all = found.outcomes();
            Confidence attainment = Confidence.of(all.stream().mapToDouble(Outcome::attainment));
            Confidence cost = Confidence.of(all.stream().mapToDouble(Outcome::costPer1000));
            Map<String, Double> byBudget = new LinkedHashMap<>();
            for (SimRequest.Hurry h : SimRequest.Hurry.values()) {
                byBudget.put(h.name().toLowerCase(Locale.ROOT), mean(all, o -> o.attainmentByHurry()[h.ordinal()]));
            }
            return new Line(
                    policy.label(),
                    found.fleet().name(),
                    found.reached(),
                    attainment.mean(),
                    new double[] {attainment.low(), attainment.high()},
                    byBudget,
                    cost.mean(),
                    new double[] {cost.low(), cost.high()},
                    mean(all, Outcome::billedPer1000),
                    mean(all, o -> 1000 * o.fleetUsd() / Math.max(1, o.answered())),
                    mean(all, Outcome::goodputPerUsd),
                    quantiles(all, Outcome::ttft),
                    quantiles(all, Outcome::tpot),
                    mean(all, o -> (o.ttftMape() + o.tpotMape()) / 2),
                    mean(all, Outcome::ttftMape),
                    mean(all, Outcome::tpotMape),
                    mean(all, Outcome::coverage),
                    clairvoyantCost == null ? null : cost.mean() / clairvoyantCost - 1);
        }

        private static double mean(List<Outcome> outcomes, ToDoubleFunction<Outcome> of) {
            return outcomes.stream().mapToDouble(of).average().orElse(Double.NaN);
        }

        private static double[] quantiles(List<Outcome> outcomes, java.util.function.Function<Outcome, double[]> of) {
            double[] means = new double[3];
            for (int i = 0; i < means.length; i++) {
                int at = i;
                means[i] = mean(outcomes, o -> of.apply(o)[at]);
            }
            return means;
        }
    }

    /**
     * A policy when something goes wrong.
     *
     * @param stress what
     * @param fleet the same for all policies
     * @param policy whose line this is
     * @param attainment mean share of requests within budget
     * @param costPer1000Usd mean dollars of time at work for 1,000 answered requests
     */
    public record StressLine(
            String stress,
            String fleet,
            String policy,
            double attainment,
            @JsonProperty("cost_per_1000_usd") double costPer1000Usd) {}

    /** A table for people. */
    public String table() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%s, %d seeds, price ratio %.2f; the smallest fleet with %.0f %% within budget; USD per 1,000 requests%n%n",
                trace,
                seeds,
                priceRatio,
                100 * attainmentWanted));
        text.append(String.format(
                "%-23s %7s %8s %17s %8s %8s %8s %8s %7s %6s  %s%n",
                "policy",
                "within",
                "work",
                "(95 %)",
                "billed",
                "fleet",
                "to clair",
                "TTFT err",
                "TPOT",
                "held",
                "fleet"));
        for (Line l : policies) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-23s %6.2f%s %8.4f %8.4f-%8.4f %8.3f %8.3f %8s %7.1f%% %6.1f%% %5.1f%%  %s%n",
                    l.name,
                    100 * l.attainment,
                    l.reached ? "%" : "!",
                    l.costPer1000Usd,
                    l.costInterval[0],
                    l.costInterval[1],
                    l.billedPer1000Usd,
                    l.fleetPer1000Usd,
                    l.gapToClairvoyant == null ? "-" : String.format(Locale.ROOT, "%+.1f%%", 100 * l.gapToClairvoyant),
                    100 * l.ttftMape,
                    100 * l.tpotMape,
                    100 * l.boundCoverage,
                    l.fleet));
        }
        List<String> told = new ArrayList<>();
        for (StressLine s : stress) {
            if (!told.contains(s.stress)) {
                told.add(s.stress);
                text.append(String.format("%n%s, on %s%n", s.stress, s.fleet));
            }
            text.append(String.format(
                    Locale.ROOT, "  %-23s %6.2f%% %8.4f%n", s.policy, 100 * s.attainment, s.costPer1000Usd));
        }
        return text.toString();
    }
}
