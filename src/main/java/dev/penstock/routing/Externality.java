package dev.penstock.routing;

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
                // Who can't spare the time now can't spare it at the next decision either: found at once then.
                s.toFront(i);
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
        return Math.min(1, r.tokensLeft / Math.max(1, steps));
    }

    /** Time that a request may lose until its end and still keep its budget. */
    private static double slackSeconds(Reservation r, Prediction p, long nowNs) {
        double left = r.tokensLeft;
        double decode = left * p.decodeSeconds;
        double slack = Double.POSITIVE_INFINITY;
        if (r.tpotLimit < Double.POSITIVE_INFINITY) {
            double allowed = r.tpotLimit * (r.tokens == 0 ? left : r.tokens - 1 + left);
            double gone = r.tokens == 0 ? 0 : (nowNs - r.firstTokenNs) * 1e-9;
            slack = allowed - gone - decode;
        }
        if (r.endToEndLimit < Double.POSITIVE_INFINITY) {
            double gone = (nowNs - r.demand.arrivedNs()) * 1e-9;
            double first = r.tokens == 0 ? Math.max(0, r.ttftPredicted - (nowNs - r.sinceNs) * 1e-9) : 0;
            slack = Math.min(slack, r.endToEndLimit - gone - first - decode);
        }
        return slack;
    }
}
