package dev.penstock.routing;

import java.util.Arrays;

/**
 * Latencies of a server whose steps are not known: moving means of what was seen, of the first token by length of prompt.
 * A length not seen yet is reckoned from the nearest that was.
 */
public final class UpstreamLatency implements LatencyModel {
    /** Lengths of prompts by powers of two. */
    private static final int LENGTHS = 22;

    /** What a sample counts when many were seen; the first ones count as much as their number allows, all alike. */
    private static final double RATE = 0.1;

    private static final int LOADS = 4;

    private final double[] logTtft = new double[LENGTHS];
    private final int[] seen = new int[LENGTHS];
    private double logTpot;
    private int seenTpot;

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
        logTtft[length] += rate(++seen[length]) * (Math.log(Math.max(1e-6, ttftSeconds)) - logTtft[length]);
    }

    @Override
    public void sawEnd(Reservation r, double tpotSeconds) {
        logTpot += rate(++seenTpot) * (Math.log(Math.max(1e-6, tpotSeconds)) - logTpot);
    }

    private static double rate(int samples) {
        return Math.max(RATE, 1.0 / samples);
    }

    private int nearestSeen(int length) {
        for (int d = 0; d < LENGTHS; d++) {
            if (length + d < LENGTHS && seen[length + d] > 0) {
                return length + d;
            }
            if (length - d >= 0 && seen[length - d] > 0) {
                return length - d;
            }
        }
        return length;
    }

    private static int length(int promptTokens) {
        return Math.min(LENGTHS - 1, 32 - Integer.numberOfLeadingZeros(Math.max(1, promptTokens)));
    }
}
