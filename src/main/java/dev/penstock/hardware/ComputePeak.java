package dev.penstock.hardware;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** How fast this machine multiplies and adds 32-bit floats: the yardstick of prefill, which is bound by arithmetic. */
public final class ComputePeak {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int STEPS = 20_000_000;
    private static final int ROUNDS = 5;
    /** Short runs first: the compiler then has the loop as a whole before it is timed, and no vector is an object. */
    private static final int WARM_UP_RUNS = 20_000;

    private static final int WARM_UP_STEPS = 50;
    /** Independent sums, enough to fill two pipes with a latency of four or five. */
    private static final int SUMS = 10;

    private ComputePeak() {}

    /**
     * 32-bit floating point operations a second (a fused multiply-add counts as two) of this many threads together, the
     * best of several rounds; takes about a second. Kernels on 8-bit integers can exceed it: their products are four to a
     * lane.
     */
    public static double measureFp32(int threads) {
        float warm = 0;
        for (int i = 0; i < WARM_UP_RUNS; i++) {
            warm += multiplyAdd(WARM_UP_STEPS);
        }
        float seen = warm;
        double seconds = ParallelTiming.bestSeconds(threads, ROUNDS, ignored -> multiplyAdd(STEPS) + seen);
        return 2.0 * SUMS * SPECIES.length() * STEPS * threads / seconds;
    }

    private static float multiplyAdd(int steps) {
        FloatVector m = FloatVector.broadcast(SPECIES, 0.999f);
        FloatVector c = FloatVector.broadcast(SPECIES, 0.001f);
        FloatVector s0 = FloatVector.broadcast(SPECIES, 0.1f);
        FloatVector s1 = FloatVector.broadcast(SPECIES, 0.2f);
        FloatVector s2 = FloatVector.broadcast(SPECIES, 0.3f);
        FloatVector s3 = FloatVector.broadcast(SPECIES, 0.4f);
        FloatVector s4 = FloatVector.broadcast(SPECIES, 0.5f);
        FloatVector s5 = FloatVector.broadcast(SPECIES, 0.6f);
        FloatVector s6 = FloatVector.broadcast(SPECIES, 0.7f);
        FloatVector s7 = FloatVector.broadcast(SPECIES, 0.8f);
        FloatVector s8 = FloatVector.broadcast(SPECIES, 0.9f);
        FloatVector s9 = FloatVector.broadcast(SPECIES, 1.1f);
        for (int i = 0; i < steps; i++) {
            s0 = s0.fma(m, c);
            s1 = s1.fma(m, c);
            s2 = s2.fma(m, c);
            s3 = s3.fma(m, c);
            s4 = s4.fma(m, c);
            s5 = s5.fma(m, c);
            s6 = s6.fma(m, c);
            s7 = s7.fma(m, c);
            s8 = s8.fma(m, c);
            s9 = s9.fma(m, c);
        }
        FloatVector sum = s0.add(s1)
                .add(s2)
                .add(s3)
                .add(s4)
                .add(s5)
                .add(s6)
                .add(s7)
                .add(s8)
                .add(s9);
        return sum.reduceLanes(VectorOperators.ADD);
    }
}
