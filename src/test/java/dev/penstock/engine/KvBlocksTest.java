package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KvBlocksTest {
    private static final int BLOCK_SIZE = 4;

    private final KvBlocks blocks = new KvBlocks(10, BLOCK_SIZE, true);

    @Test
    void fullBlocksOfAnEqualBeginningAreShared() {
        int[] tokens = {1, 2, 3, 4, 5, 6, 7, 8, 9};
        BlockTable first = open(tokens);
        BlockTable second = new BlockTable();
        assertThat(blocks.open(second, new int[] {1, 2, 3, 4, 5, 6, 7, 8, 10, 11}, 10, 9, 0))
                .isEqualTo(8);
        assertThat(second.block(0)).isEqualTo(first.block(0));
        assertThat(second.block(1)).isEqualTo(first.block(1));
        assertThat(second.block(2)).isNotEqualTo(first.block(2));
        assertThat(blocks.holders(first.block(0))).isEqualTo(2);
        assertThat(blocks.used()).isEqualTo(4);
    }

    @Test
    void theBlockOfTheLastTokenIsComputedAgainEvenIfAllIsCached() {
        int[] tokens = {1, 2, 3, 4, 5, 6, 7, 8};
        blocks.release(open(tokens));
        assertThat(blocks.open(new BlockTable(), tokens, 8, 7, 0)).isEqualTo(4);
        assertThat(blocks.open(new BlockTable(), new int[] {1, 2, 3, 4}, 4, 3, 0))
                .isZero();
    }

    @Test
    void equalTokensAfterAnotherBeginningAreNotShared() {
        open(new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9});
        assertThat(blocks.open(new BlockTable(), new int[] {0, 2, 3, 4, 5, 6, 7, 8, 9}, 9, 8, 0))
                .isZero();
    }

    @Test
    void whatWasLetGoFirstIsTakenFirstAndTheEndOfASequenceBeforeItsBeginning() {
        int[] old = {1, 1, 1, 1, 2, 2, 2, 2, 3};
        int[] young = {4, 4, 4, 4, 5, 5, 5, 5, 6};
        blocks.release(open(old));
        blocks.release(open(young));
        assertThat(blocks.cached()).isEqualTo(4);
        assertThat(blocks.free()).isEqualTo(6);
        BlockTable big = new BlockTable();
        assertThat(blocks.open(big, new int[28], 28, 27, 0)).isZero();
        blocks.release(big);
        assertThat(reusable(old)).isEqualTo(4);
        assertThat(reusable(young)).isEqualTo(8);
    }

    @Test
    void aBlockComputedTwiceIsKeptOnce() {
        int[] tokens = {1, 2, 3, 4, 5};
        BlockTable first = new BlockTable();
        BlockTable second = new BlockTable();
        blocks.open(first, tokens, 5, 4, 0);
        blocks.open(second, tokens, 5, 4, 0);
        assertThat(blocks.used()).isEqualTo(4);
        blocks.register(first, tokens, 5);
        blocks.register(second, tokens, 5);
        assertThat(second.block(0)).isEqualTo(first.block(0));
        assertThat(blocks.used()).isEqualTo(3);
    }

    @Test
    void whatDoesNotFitLeavesNothingBehind() {
        BlockTable held = open(new int[] {1, 2, 3, 4, 5});
        BlockTable table = new BlockTable();
        int[] tokens = Arrays.copyOf(new int[] {1, 2, 3, 4, 5}, 33);
        assertThat(blocks.open(table, tokens, 33, 32, 1)).isEqualTo(-1);
        assertThat(table.size()).isZero();
        assertThat(blocks.used()).isEqualTo(2);
        assertThat(blocks.open(table, tokens, 33, 32, 0)).isEqualTo(4);
        assertThat(blocks.available()).isZero();
        assertThat(blocks.extend(held, 8)).isTrue();
        assertThat(blocks.extend(held, 9)).isFalse();
    }

    @Test
    void withoutThePrefixCacheNothingIsKept() {
        KvBlocks plain = new KvBlocks(10, BLOCK_SIZE, false);
        int[] tokens = {1, 2, 3, 4, 5};
        BlockTable table = new BlockTable();
        plain.open(table, tokens, 5, 4, 0);
        plain.register(table, tokens, 5);
        plain.release(table);
        assertThat(plain.free()).isEqualTo(10);
        assertThat(plain.open(table, tokens, 5, 4, 0)).isZero();
    }

    /** Each block's real content is tracked beside: what is handed out as cached must hold exactly those tokens. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void whatIsReusedHoldsTheTokensAskedFor(long seed) {
        Random random = new Random(seed);
        KvBlocks cache = new KvBlocks(24, BLOCK_SIZE, true);
        Map<Integer, List<Integer>> content = new HashMap<>();
        List<BlockTable> tables = new ArrayList<>();
        int hits = 0;
        for (int round = 0; round < 5_000; round++) {
            if (!tables.isEmpty() && (random.nextInt(3) == 0 || tables.size() > 4)) {
                cache.release(tables.remove(random.nextInt(tables.size())));
            }
            // Few distinct tokens and lengths, so that beginnings are often alike.
            int length = 1 + random.nextInt(30);
            int[] tokens = random.ints(length, 0, 2).map(t -> t * t).toArray();
            Arrays.fill(tokens, 0, Math.min(length, random.nextInt(30)), 1);
            BlockTable table = new BlockTable();
            int reused = cache.open(table, tokens, length, length - 1, 0);
            if (reused < 0) {
                continue;
            }
            hits += reused > 0 ? 1 : 0;
            for (int i = 0; i < reused / BLOCK_SIZE; i++) {
                assertThat(content.get(table.block(i))).isEqualTo(beginning(tokens, i));
            }
            for (int i = reused / BLOCK_SIZE; i < table.size(); i++) {
                assertThat(cache.holders(table.block(i))).isEqualTo(1);
                content.put(table.block(i), beginning(tokens, i));
            }
            cache.register(table, tokens, length);
            for (int i = 0; i < length / BLOCK_SIZE; i++) {
                assertThat(content.get(table.block(i))).isEqualTo(beginning(tokens, i));
            }
            tables.add(table);
            assertThat(cache.free() + cache.cached() + cache.used()).isEqualTo(24);
        }
        assertThat(hits).isGreaterThan(250);
    }

    private static List<Integer> beginning(int[] tokens, int block) {
        return Arrays.stream(tokens, 0, Math.min(tokens.length, (block + 1) * BLOCK_SIZE))
                .boxed()
                .toList();
    }

    private BlockTable open(int[] tokens) {
        BlockTable table = new BlockTable();
        blocks.open(table, tokens, tokens.length, tokens.length - 1, 0);
        blocks.register(table, tokens, tokens.length);
        return table;
    }

    private int reusable(int[] tokens) {
        BlockTable table = new BlockTable();
        int reused = blocks.open(table, tokens, tokens.length, tokens.length - 1, 0);
        blocks.release(table);
        return reused;
    }
}
