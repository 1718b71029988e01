package dev.penstock.api;

import dev.penstock.routing.Decision.Reason;
import dev.penstock.routing.Decision.Shed;
import dev.penstock.routing.Quote;
import dev.penstock.routing.Quote.Fit;
import dev.penstock.routing.Quote.Latency;
import dev.penstock.routing.Router;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The error of a request that found no backend. */
final class ShedError {
    private static final int MOST_NAMED = 8;

    private ShedError() {}

    static ApiException of(Shed shed, Call call, Router router, ApiLimits limits) {
        String model = "the model '" + call.model() + "'";
        if (shed.reason() != Reason.NO_BACKEND) {
            int afterS = (int) Math.clamp((shed.retryAfter().toMillis() + 999) / 1000, 1, 86_400);
            return ApiException.overloaded(
                    afterS, "No backend of " + model + " can keep the request's budget at present; try again later.");
        }
        List<Quote> quotes = router.quotes(call.model(), call.route());
        if (quotes.stream().anyMatch(q -> q.fit() == Fit.FEASIBLE)) {
            // It has come to fit since.
            return ApiException.overloaded(
                    limits.retryAfterS(), "No backend of " + model + " could keep the request's budget; try again.");
        }
        if (quotes.stream().allMatch(q -> q.fit() == Fit.DOWN)) {
            return ApiException.overloaded(
                    limits.retryAfterS(), "No backend serves " + model + " at present; try again later.");
        }
        return ApiException.ofStatus(
                503,
                "budget_not_feasible",
                "No backend of " + model + " can keep the request's budget, even when idle. At present: "
                        + quotes.stream().limit(MOST_NAMED).map(ShedError::why).collect(Collectors.joining("; "))
                        + ".");
    }

    private static String why(Quote quote) {
        return quote.backend() + ": "
                + switch (quote.fit()) {
                    case FEASIBLE -> "fits";
                    case DOWN -> "takes no requests at present";
                    case TOO_LONG -> "the request is too long for it";
                    case TOO_DEAR -> "costs " + quote.cost().usd().toPlainString() + " USD, which is above max_price";
                    case TTFT -> "TTFT of " + p90(quote.ttft());
                    case TPOT -> "TPOT of " + p90(quote.tpot());
                    case END_TO_END -> "end to end " + p90(quote.endToEnd());
                    case HARMS_OTHERS -> "others that run there would miss their budgets";
                };
    }

    private static String p90(Latency latency) {
        return String.format(Locale.ROOT, "%.1f ms at p90", latency.p90().toNanos() / 1e6);
    }
}
