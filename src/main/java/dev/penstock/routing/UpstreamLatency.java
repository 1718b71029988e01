package dev.penstock.routing;

import java.util.Arrays;

/**
 * Latencies of a server whose steps are not known: moving means of what was seen, of the first token by length of prompt.
 * A length not seen yet is reckoned from the nearest that was.
 */
public final class UpstreamLatency implements LatencyModel {
    /** Lengths of prompts by powers of two. */
    private static final int LENGTHS = 22;

    private static final double RATE = 0.1;

    private static final int LOADS = 4;

    private final double[] logTtft = new double[LENGTHS];
    private final boolean[] seen = new boolean[LENGTHS];
    private double logTpot;

    /** Starts from a guess of both, in seconds. */
    public UpstreamLatency(double ttftSeconds, double tpotSeconds) {
        Arrays.fill(logTtft, Math.log(ttftSeconds));
        logTpot = Math.log(tpotSeconds);
    }

    @Override
    public int buckets() {
        return LOADS;
    }

    @Override
    public void predict(BackendState s, int promptTokens, int cached, double tokens, long nowNs, Prediction out) {
        out.ttftPoint = Math.exp(logTtft[nearestSeen(length(promptTokens - cached))]);
        out.tpotPoint = Math.exp(logTpot);
        out.idleTtftPoint = out.ttftPoint;
        out.decodeSeconds = out.tpotPoint;
        out.promptSeconds = 0;
        out.queueSeconds = 0;
        out.promptSteps = 1;
        out.ownSteps = 1;
        out.busySeconds = 0;
        out.ttftBucket = Math.min(LOADS - 1, (32 - Integer.numberOfLeadingZeros((int) s.sequences(nowNs))) / 2);
        out.tpotBucket = out.ttftBucket;
    }

    @Override
    public void sawFirstToken(Reservation r, double ttftSeconds) {
        int length = length(r.promptTokens());
        double log = Math.log(Math.max(1e-6, ttftSeconds));
        logTtft[length] = seen[length] ? logTtft[length] + RATE * (log - logTtft[length]) : log;
        seen[length] = true;
    }

    @Override
    public void sawEnd(Reservation r, double tpotSeconds) {
        logTpot += RATE * (Math.log(Math.max(1e-6, tpotSeconds)) - logTpot);
    }

    private int nearestSeen(int length) {
        for (int d = 0; d < LENGTHS; d++) {
            if (length + d < LENGTHS && seen[length + d]) {
                return length + d;
            }
            if (length - d >= 0 && seen[length - d]) {
                return length - d;
            }
        }
        return length;
    }

    private static int length(int promptTokens) {
        return Math.min(LENGTHS - 1, 32 - Integer.numberOfLeadingZeros(Math.max(1, promptTokens)));
    }
}
