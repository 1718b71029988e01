package dev.penstock.hardware;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;
import java.util.Optional;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorSpecies;

/** How fast this machine reads memory: the bound of decoding, which reads all weights for every step. */
public final class MemoryBandwidth {
    /** Far more than the last-level cache of a desktop or a cloud instance's share of one. */
    private static final long BYTES = 512L << 20;

    private static final int ROUNDS = 12;
    /** Short runs first, so that the loop is compiled as a whole before it is timed. */
    private static final int WARM_UP_RUNS = 20_000;

    private static final int WARM_UP_BYTES = 4096;
    private static final int HUGE_PAGE_BYTES = 2 << 20;
    /** Linux madvise(2). */
    private static final int MADV_HUGEPAGE = 14;

    private static final VectorSpecies<Long> SPECIES = LongVector.SPECIES_PREFERRED;

    private MemoryBandwidth() {}

    /**
     * Bytes a second that this many threads read together, the best of several rounds over 512 MiB in huge pages (where
     * the system grants them); takes about half a second.
     */
    public static double measure(int threads) {
        long share = BYTES / threads / 4096 * 4096;
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(BYTES, HUGE_PAGE_BYTES);
            adviseHugePages(memory);
            memory.fill((byte) 1);
            double warm = 0;
            for (int i = 0; i < WARM_UP_RUNS; i++) {
                warm += sum(memory.asSlice(0, WARM_UP_BYTES));
            }
            double seen = warm;
            double seconds = ParallelTiming.bestSeconds(
                    threads, ROUNDS, thread -> sum(memory.asSlice(thread * share, share)) + seen);
            return share * threads / seconds;
        }
    }

    private static long sum(MemorySegment memory) {
        int lane = SPECIES.vectorByteSize();
        LongVector a = LongVector.zero(SPECIES);
        LongVector b = a;
        LongVector c = a;
        LongVector d = a;
        ByteOrder order = ByteOrder.nativeOrder();
        for (long i = 0; i + 4L * lane <= memory.byteSize(); i += 4L * lane) {
            a = a.add(LongVector.fromMemorySegment(SPECIES, memory, i, order));
            b = b.add(LongVector.fromMemorySegment(SPECIES, memory, i + lane, order));
            c = c.add(LongVector.fromMemorySegment(SPECIES, memory, i + 2L * lane, order));
            d = d.add(LongVector.fromMemorySegment(SPECIES, memory, i + 3L * lane, order));
        }
        return a.add(b).add(c.add(d)).reduceLanes(jdk.incubator.vector.VectorOperators.ADD);
    }

    /** A hint: without it the measure is of small pages, up to a fifth lower. */
    private static void adviseHugePages(MemorySegment memory) {
        Linker linker = Linker.nativeLinker();
        Optional<MemorySegment> madvise = linker.defaultLookup().find("madvise");
        if (madvise.isEmpty()) {
            return;
        }
        MethodHandle call = linker.downcallHandle(
                madvise.get(),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        try {
            // What it answers changes nothing: small pages serve too.
            int ignored = (int) call.invokeExact(memory, memory.byteSize(), MADV_HUGEPAGE);
        } catch (Throwable e) {
            throw new IllegalStateException("madvise cannot be called", e);
        }
    }
}
