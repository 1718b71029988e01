package dev.penstock.routing;

import dev.penstock.model.Budget;
import java.util.List;

/** What a request does to those that run on a backend already. */
final class Externality {
    private Externality() {}

    /** Whether a request that keeps its budget now would break it with this one beside it. */
    static boolean harms(BackendState s, Prediction p, long nowNs) {
        List<Reservation> flights = s.flights();
        for (int i = 0; i < flights.size(); i++) {
            Reservation r = flights.get(i);
            double slack = slackSeconds(r, p, nowNs);
            if (withSeconds(r, p) > slack && withoutSeconds(r, p) <= slack) {
                return true;
            }
        }
        return false;
    }

    /** Time that prompts take from a request until its end: one that waits for its own first token meets only later ones. */
    private static double withSeconds(Reservation r, Prediction p) {
        return r.tokens == 0 ? p.promptSeconds * overlap(r, p.ownSteps) : p.queueSeconds * overlap(r, p.promptSteps);
    }

    private static double withoutSeconds(Reservation r, Prediction p) {
        return r.tokens == 0 ? 0 : (p.queueSeconds - p.promptSeconds) * overlap(r, p.promptSteps - p.ownSteps);
    }

    /** The share of these steps in which a request is still there. */
    private static double overlap(Reservation r, double steps) {
        return Math.min(1, r.tokensLeft() / Math.max(1, steps));
    }

    /** Time that a request may lose until its end and still keep its budget. */
    private static double slackSeconds(Reservation r, Prediction p, long nowNs) {
        Budget budget = r.demand.budget();
        double left = r.tokensLeft();
        double decode = left * p.decodeSeconds;
        double slack = Double.POSITIVE_INFINITY;
        if (budget.tpot() != null) {
            double allowed = budget.tpot().toNanos() * 1e-9 * (r.tokens == 0 ? left : r.tokens - 1 + left);
            double gone = r.tokens == 0 ? 0 : (nowNs - r.firstTokenNs) * 1e-9;
            slack = allowed - gone - decode;
        }
        if (budget.endToEnd() != null) {
            double gone = (nowNs - r.demand.arrivedNs()) * 1e-9;
            double first = r.tokens == 0 ? Math.max(0, r.ttftPredicted - (nowNs - r.sinceNs) * 1e-9) : 0;
            slack = Math.min(slack, budget.endToEnd().toNanos() * 1e-9 - gone - first - decode);
        }
        return slack;
    }
}
