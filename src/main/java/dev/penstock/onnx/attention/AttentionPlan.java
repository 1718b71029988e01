package dev.penstock.onnx.attention;

import java.util.Arrays;

/**
 * Cuts a run into tiles: some neighbouring tokens of one sequence, some neighbouring key heads with all query heads that
 * share them, and a range of keys. A tile reads each key and value once for all of its rows. Where there are too few
 * tiles for the workers (few sequences of long contexts), tiles are split by keys as well, and their results are merged
 * after.
 */
final class AttentionPlan {
    /** Rows (head, token) of a tile: keys are brought in once for so many; more would leave the caches. */
    static final int TARGET_ROWS = 64;
    /** Keys whose scores are held at once. */
    static final int CHUNK = 256;
    /**
     * Bytes of a block that a tile reads in one go: heads of a block lie side by side, and memory is several times
     * faster in long runs than in the 2 KiB of a single head (18 against 4 GB/s for one core).
     */
    private static final int STREAM_BYTES = 16 * 1024;
    /** Tiles that each worker should find, so that none waits long for another. */
    private static final int TILES_PER_WORKER = 2;

    private int tiles;
    private int[] sequence = new int[16];
    private int[] firstHead = new int[16];
    private int[] heads = new int[16];
    private int[] firstToken = new int[16];
    private int[] tokens = new int[16];
    private int[] keyFrom = new int[16];
    private int[] keyTo = new int[16];
    private int splits;
    private long multiplyAdds;

    /** Most rows of a tile. */
    static int maxRows(AttentionConfig config) {
        return Math.max(TARGET_ROWS, config.groupSize());
    }

    /** Most tokens of a tile. */
    static int tokensPerTile(AttentionConfig config) {
        return Math.max(1, TARGET_ROWS / config.groupSize());
    }

    /** Plans a run for so many workers. */
    void plan(AttentionConfig config, AttentionCall call, int workers) {
        tiles = 0;
        multiplyAdds = 0;
        int perTile = tokensPerTile(config);
        for (int s = 0; s < call.sequences(); s++) {
            int count = call.start(s + 1) - call.start(s);
            // The last tokens see most keys: the longest tiles come first, so that the ends are even.
            for (int first = (count - 1) / perTile * perTile; first >= 0 && count > 0; first -= perTile) {
                addTiles(config, call, s, first, Math.min(perTile, count - first));
            }
        }
        splits = 1;
        int wanted = workers == 1 ? 1 : workers * TILES_PER_WORKER;
        if (tiles > 0 && tiles < wanted) {
            int longest = 0;
            for (int i = 0; i < tiles; i++) {
                longest = Math.max(longest, keyTo[i] - keyFrom[i]);
            }
            splits = Math.clamp((wanted + tiles - 1) / tiles, 1, Math.max(1, longest / CHUNK));
        }
        multiplyAdds *= 2L * call.headSize();
    }

    private void addTiles(AttentionConfig config, AttentionCall call, int s, int first, int count) {
        int position = call.past(s) + first;
        int from = Math.max(0, position + 1 - config.window());
        int to = position + count;
        int perTile = headsPerTile(config, call, count);
        for (int head = 0; head < config.kvHeads(); head += perTile) {
            if (tiles == sequence.length) {
                grow();
            }
            sequence[tiles] = s;
            firstHead[tiles] = head;
            heads[tiles] = Math.min(perTile, config.kvHeads() - head);
            firstToken[tiles] = first;
            tokens[tiles] = count;
            keyFrom[tiles] = from & -AttentionCall.KEY_GROUP;
            keyTo[tiles] = to;
            tiles++;
        }
        multiplyAdds += (long) count * config.heads() * (to - from);
    }

    private static int headsPerTile(AttentionConfig config, AttentionCall call, int tokens) {
        int headBytes = call.blockSize() * call.kvType().headBytes(call.headSize());
        int wanted = (STREAM_BYTES + headBytes - 1) / headBytes;
        int fitting = TARGET_ROWS / (tokens * config.groupSize());
        return Math.clamp(Math.min(wanted, fitting), 1, config.kvHeads());
    }

    private void grow() {
        int size = 2 * tiles;
        sequence = Arrays.copyOf(sequence, size);
        firstHead = Arrays.copyOf(firstHead, size);
        heads = Arrays.copyOf(heads, size);
        firstToken = Arrays.copyOf(firstToken, size);
        tokens = Arrays.copyOf(tokens, size);
        keyFrom = Arrays.copyOf(keyFrom, size);
        keyTo = Arrays.copyOf(keyTo, size);
    }

    int tiles() {
        return tiles;
    }

    /** Parts that each tile's keys are cut into; 1 for whole tiles. */
    int splits() {
        return splits;
    }

    /** Multiply-adds of the whole run, roughly. */
    long multiplyAdds() {
        return multiplyAdds;
    }

    int sequence(int tile) {
        return sequence[tile];
    }

    /** First key head of the tile. */
    int firstHead(int tile) {
        return firstHead[tile];
    }

    /** Key heads of the tile. */
    int heads(int tile) {
        return heads[tile];
    }

    /** First token of the tile, counted from the sequence's first token in this step. */
    int firstToken(int tile) {
        return firstToken[tile];
    }

    int tokens(int tile) {
        return tokens[tile];
    }

    /** First key of a part of a tile: a multiple of 16. */
    int keyFrom(int tile, int split) {
        return keyFrom[tile] + split * partKeys(tile);
    }

    /** One past the last key of a part of a tile; no more than its first key for an empty part. */
    int keyTo(int tile, int split) {
        return Math.min(keyTo[tile], keyFrom(tile, split) + partKeys(tile));
    }

    private int partKeys(int tile) {
        int keys = keyTo[tile] - keyFrom[tile];
        int part = (keys + splits - 1) / splits;
        return (part + AttentionCall.KEY_GROUP - 1) & -AttentionCall.KEY_GROUP;
    }
}
