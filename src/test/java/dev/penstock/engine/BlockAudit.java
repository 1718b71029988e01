package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.prompt.Tokenizer;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Counts all blocks of a loop after each of its steps, and keeps the first thing that doesn't add up. */
final class BlockAudit implements EngineObserver {
    private final AtomicReference<@Nullable Throwable> problem = new AtomicReference<>();
    private volatile @Nullable StepLoop loop;
    private volatile long steps;

    StepLoop start(ModelRunner runner, Tokenizer tokenizer, EngineOptions options) {
        StepLoop started = StepLoop.start("test", runner, tokenizer, options, this);
        loop = started;
        return started;
    }

    @Override
    public void stepEnded(StepSummary step) {
        StepLoop audited = loop;
        if (audited == null) {
            return;
        }
        steps++;
        try {
            audit(audited.scheduler());
        } catch (Throwable e) {
            problem.compareAndSet(null, e);
        }
    }

    /** Steps were audited, and all added up. */
    void assertClean() {
        assertNothingWrong();
        assertThat(steps).as("audited steps").isPositive();
    }

    /** As above, of steps if there were any. */
    void assertNothingWrong() {
        assertThat(problem.get()).isNull();
    }

    static void audit(Scheduler scheduler) {
        KvBlocks blocks = scheduler.blocks();
        int[] holders = new int[blocks.blockCount()];
        for (Sequence sequence : scheduler.all()) {
            Set<Integer> own = new HashSet<>();
            for (int i = 0; i < sequence.blocks().size(); i++) {
                int block = sequence.blocks().block(i);
                holders[block]++;
                assertThat(own.add(block)).as("block twice in one table").isTrue();
            }
            assertThat(sequence.computed()).isLessThanOrEqualTo(sequence.length());
            if (!scheduler.running().contains(sequence)) {
                assertThat(own).as("blocks of one that waits").isEmpty();
            }
        }
        int used = 0;
        for (int block = 0; block < holders.length; block++) {
            assertThat(blocks.holders(block)).as("holders of " + block).isEqualTo(holders[block]);
            used += holders[block] > 0 ? 1 : 0;
        }
        assertThat(blocks.used()).isEqualTo(used);
        assertThat(blocks.free() + blocks.cached() + used).isEqualTo(blocks.blockCount());
    }
}
