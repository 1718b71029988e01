package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PromptLookupTest {
    private final Acceptance loop = Acceptance.ofLoop();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void theLastEarlierRunIsFound(int length) {
        Random random = new Random(length);
        int[] tokens = random.ints(3_000, 0, length == 1 ? 300 : 8).toArray();
        LastRuns runs = new LastRuns(length);
        int added = 0;
        for (int end = 1; end <= tokens.length; end += 1 + random.nextInt(3)) {
            runs.add(tokens, end - 1);
            int expected = 0;
            for (int before = end - 1; before >= length && expected == 0 && end >= length; before--) {
                if (Arrays.equals(tokens, before - length, before, tokens, end - length, end)) {
                    expected = before;
                }
            }
            assertThat(runs.find(tokens, end)).isEqualTo(expected);
            added++;
        }
        assertThat(added).isGreaterThan(1_000);
    }

    @Test
    void theLongestRunIsFollowedForAsLongAsItAgrees() {
        PromptLookup lookup = new PromptLookup(loop.ofSequence());
        //             0  1  2  3  4  5  6  7  8  9 10
        int[] tokens = {1, 2, 3, 4, 9, 2, 3, 7, 1, 2, 3, 0, 0, 0, 0};
        lookup.find(tokens, 11);
        assertThat(lookup.matches()).isTrue();
        assertThat(lookup.guess(tokens, 0)).isEqualTo(4);
        assertThat(lookup.guess(tokens, 1)).isEqualTo(9);
        lookup.sampled(tokens, 4);
        tokens[11] = 4;
        lookup.find(tokens, 12);
        assertThat(lookup.guess(tokens, 0)).isEqualTo(9);
        lookup.sampled(tokens, 5);
        tokens[12] = 5;
        assertThat(lookup.matches()).isFalse();
        lookup.find(tokens, 13);
        assertThat(lookup.matches()).as("5 was never there before").isFalse();
    }

    @Test
    void aRunThatReachesTheEndIsGuessedToRepeat() {
        PromptLookup lookup = new PromptLookup(loop.ofSequence());
        int[] tokens = {5, 6, 5, 6, 5, 6, 0, 0, 0, 0};
        lookup.find(tokens, 6);
        for (int ahead = 0; ahead < 4; ahead++) {
            tokens[6 + ahead] = lookup.guess(tokens, ahead);
        }
        assertThat(tokens).containsExactly(5, 6, 5, 6, 5, 6, 5, 6, 5, 6);
    }

    @Test
    void chancesAreLearnedFromWhatWasSaidWhetherDraftedOrNot() {
        Acceptance sequence = loop.ofSequence();
        double before = sequence.chance(5);
        for (int i = 0; i < 200; i++) {
            sequence.saw(5, i % 4 != 0);
            sequence.saw(1, false);
        }
        assertThat(sequence.chance(5)).isBetween(0.6, 0.85).isGreaterThan(before);
        assertThat(sequence.chance(1)).isLessThan(0.02);
        assertThat(loop.ofSequence().chance(1))
                .as("another sequence begins with what is known")
                .isLessThan(0.02);
        for (int i = 0; i < 60; i++) {
            sequence.saw(40, true);
        }
        assertThat(sequence.chance(Acceptance.LONGEST)).isGreaterThan(0.95).isEqualTo(sequence.chance(99));
    }

    @Test
    void theCostOfATokenIsTheSlopeOfStepsThatFollowOneAnother() {
        Random random = new Random(1);
        StepCost cost = new StepCost();
        assertThat(cost.draftCost(1)).isEqualTo(0.2);
        for (int step = 0; step < 400; step++) {
            int tokens = step % 5 == 0 ? 6 : 1;
            // Contexts grow: a step in the end takes twice as long, and no token of it does.
            cost.took(tokens, (20 + step / 20.0 + 2 * tokens) * (1 + 0.02 * random.nextGaussian()) * 1e6);
        }
        assertThat(cost.draftCost(1)).isBetween(0.03, 0.08);
        StepCost bound = new StepCost();
        for (int step = 0; step < 400; step++) {
            int tokens = 16 + step % 4;
            bound.took(tokens, (1 + 5 * tokens) * (1 + 0.01 * random.nextGaussian()) * 1e6);
        }
        assertThat(bound.draftCost(16)).as("each token takes its own time").isGreaterThan(0.8);
    }

    @Test
    void aCostThatIsNoLongerSeenDriftsBackToTheGuess() {
        StepCost cost = new StepCost();
        for (int step = 0; step < 100; step++) {
            cost.took(1 + step % 2, (1 + step % 2) * 1e7);
        }
        assertThat(cost.draftCost(1)).isGreaterThan(0.7);
        for (int step = 0; step < 300; step++) {
            cost.took(1, 1e7);
        }
        assertThat(cost.draftCost(1)).isBetween(0.15, 0.25);
    }
}
