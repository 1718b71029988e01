package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.engine.Scheduler.Plan;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SchedulerTest {
    private static final LetterTokenizer TOKENIZER = new LetterTokenizer(97);

    @Test
    void decodesGoFirstAndPromptsFillTheRestInChunks() {
        Scheduler scheduler = scheduler(new EngineOptions(16, 8, 4, 9, false, false), 100, 4);
        Sequence first = sequence(3, 9);
        Sequence second = sequence(30, 9);
        scheduler.add(first);
        scheduler.add(second);
        assertThat(scheduler.plan(0)).isEqualTo(new Plan(0, 16, 0));
        assertThat(first.planned()).isEqualTo(3);
        assertThat(second.planned()).isEqualTo(13);
        run(scheduler);
        assertThat(scheduler.plan(0)).isEqualTo(new Plan(1, 8, 0));
        assertThat(first.planned()).isEqualTo(1);
        assertThat(second.planned()).isEqualTo(8);
        run(scheduler);
        assertThat(scheduler.plan(0)).isEqualTo(new Plan(1, 8, 0));
        run(scheduler);
        assertThat(scheduler.plan(0)).isEqualTo(new Plan(1, 1, 0));
        run(scheduler);
        assertThat(scheduler.plan(0)).isEqualTo(new Plan(2, 0, 0));
    }

    @Test
    void theYoungestLosesItsBlocksAndComesBackFirst() {
        Scheduler scheduler = scheduler(new EngineOptions(64, 64, 4, 9, false, false), 6, 4);
        Sequence oldest = sequence(7, 100);
        Sequence youngest = sequence(7, 100);
        Sequence waits = sequence(7, 100);
        scheduler.add(oldest);
        scheduler.add(youngest);
        scheduler.add(waits);
        while (scheduler.plan(0).preemptions() == 0) {
            assertThat(scheduler.running()).containsExactly(oldest, youngest);
            run(scheduler);
        }
        assertThat(scheduler.running()).containsExactly(oldest);
        assertThat(youngest.blocks().size()).isZero();
        assertThat(youngest.computed()).isZero();
        assertThat(scheduler.all()).containsExactly(oldest, youngest, waits);
        scheduler.remove(oldest);
        assertThat(scheduler.plan(0).promptTokens()).isEqualTo(youngest.length());
        assertThat(scheduler.running()).containsExactly(youngest);
    }

    @Test
    void aPromptIsNotAdmittedWhereTheNextDecodesWouldPushItOut() {
        Scheduler scheduler = scheduler(new EngineOptions(64, 64, 4, 9, false, false), 5, 4);
        scheduler.add(sequence(8, 100));
        scheduler.add(sequence(4, 100));
        scheduler.add(sequence(4, 100));
        scheduler.plan(0);
        // Two blocks and one are held, and one of the two left is kept for each of the two that run.
        assertThat(scheduler.running()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void inArrivalOrderEverybodyComesToTheEnd(long seed) {
        Random random = new Random(seed);
        int blockSize = 1 + random.nextInt(8);
        int running = 1 + random.nextInt(12);
        EngineOptions options = new EngineOptions(
                running + 1 + random.nextInt(40),
                1 + random.nextInt(20),
                running,
                9,
                random.nextBoolean(),
                seed % 3 != 0);
        int blocks = (120 + random.nextInt(300)) / blockSize + 1;
        Scheduler scheduler = scheduler(options, blocks, blockSize);
        List<Sequence> arrived = new ArrayList<>();
        List<Sequence> begun = new ArrayList<>();
        int toCome = 150;
        for (int step = 0; toCome > 0 || !scheduler.all().isEmpty(); step++) {
            assertThat(step).as("steps").isLessThan(50_000);
            while (toCome > 0 && random.nextInt(4) == 0) {
                Sequence sequence = sequence(1 + random.nextInt(80), 1 + random.nextInt(40));
                arrived.add(sequence);
                scheduler.add(sequence);
                toCome--;
            }
            Plan plan = scheduler.plan(step);
            BlockAudit.audit(scheduler);
            assertThat(plan.isEmpty()).isEqualTo(scheduler.all().isEmpty());
            assertThat(plan.decodeTokens() + plan.promptTokens()).isLessThanOrEqualTo(options.maxStepTokens());
            assertThat(scheduler.running()).hasSizeLessThanOrEqualTo(options.maxRunning());
            if (!plan.isEmpty()) {
                assertThat(scheduler.running().getFirst().planned())
                        .as("the oldest advances")
                        .isPositive();
            }
            // Older ones are never behind younger ones, neither in the batch nor among those that wait.
            List<Integer> order = scheduler.all().stream().map(arrived::indexOf).toList();
            assertThat(order).isSorted();
            for (Sequence sequence : scheduler.running()) {
                if (sequence.decodes()) {
                    assertThat(sequence.planned())
                            .as("a decode is in each step")
                            .isEqualTo(1 + sequence.drafts());
                }
                if (!begun.contains(sequence)) {
                    begun.add(sequence);
                }
            }
            run(scheduler);
            BlockAudit.audit(scheduler);
        }
        assertThat(begun).isEqualTo(arrived);
        assertThat(scheduler.acceptedTokens()).isLessThanOrEqualTo(scheduler.draftedTokens());
        assertThat(scheduler.blocks().used()).isZero();
    }

    @Test
    void whatRepeatsIsDraftedOutOfWhatNobodyElseNeeds() {
        EngineOptions options = new EngineOptions(64, 16, 4, 9, true, true);
        Scheduler scheduler = new Scheduler(options, new KvBlocks(8, 4, true), 12, new Speculation(97));
        Sequence first = sequence(10, 40);
        scheduler.add(first);
        scheduler.plan(0);
        scheduler.advance(first);
        // The prompt has a period of five tokens, and goes on with it.
        first.append(0, 0);
        scheduler.appended(first);
        Plan plan = scheduler.plan(0);
        assertThat(first.drafts()).isPositive();
        assertThat(plan.decodeTokens()).isEqualTo(1 + first.drafts());
        assertThat(first.rows()).isEqualTo(first.planned()).isLessThanOrEqualTo(12);
        assertThat(scheduler.draftedTokens()).isEqualTo(first.drafts());
        assertThat(first.blocks().size()).isEqualTo(scheduler.blocks().blocksFor(first.length() + first.drafts()));
        scheduler.advance(first);
        assertThat(first.computed()).isEqualTo(11);
        int right = first.tokens()[11];
        first.append(right, 0);
        scheduler.appended(first);
        assertThat(first.hasRow()).isTrue();
        assertThat(scheduler.acceptedTokens()).isEqualTo(1);
        int wrong = first.drafts() > 0 ? (first.tokens()[12] + 1) % 7 : 3;
        first.append(wrong, 0);
        scheduler.appended(first);
        assertThat(first.hasRow()).isFalse();
        assertThat(first.drafts()).isZero();
        assertThat(first.computed()).isEqualTo(first.length() - 1);
        assertThat(first.blocks().size()).isEqualTo(scheduler.blocks().blocksFor(first.length()));
        assertThat(first.tokens()[12]).isEqualTo(wrong);
        BlockAudit.audit(scheduler);
    }

    private static Scheduler scheduler(EngineOptions options, int blocks, int blockSize) {
        return new Scheduler(
                options,
                new KvBlocks(blocks, blockSize, options.prefixCache()),
                options.maxRunning(),
                new Speculation(97));
    }

    private static Sequence sequence(int promptLength, int maxTokens) {
        int[] prompt = new int[promptLength];
        Arrays.setAll(prompt, i -> i % 5);
        SamplingParams sampling = SamplingParams.greedy(maxTokens, Set.of());
        return new Sequence(new GenerationRequest("r", prompt, sampling), event -> {}, TOKENIZER, 97, 10_000, 1, 0);
    }

    /** What the loop does with a plan: all planned tokens computed, a token for each that reached its end. */
    private static void run(Scheduler scheduler) {
        for (Sequence sequence : List.copyOf(scheduler.running())) {
            if (sequence.planned() > 0) {
                scheduler.advance(sequence);
                while (sequence.hasRow() && !sequence.full()) {
                    // Repeats itself, with a slip now and then.
                    sequence.append(sequence.length() % 23 == 0 ? 9 : sequence.length() % 7, 0);
                    scheduler.appended(sequence);
                }
                if (sequence.full()) {
                    scheduler.remove(sequence);
                }
            }
        }
    }
}
