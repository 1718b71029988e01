package dev.penstock.onnx.attention;

import dev.penstock.model.KvType;

/**
 * The tensors of one run of an attention node: addresses of dense row-major memory that stays put during the run. T
 * tokens of S sequences; strides count numbers from one token to the next.
 *
 * @param query float [T, queryStride]: heads * headSize numbers of each row are read
 * @param key float [T, keyStride]
 * @param value float [T, valueStride]
 * @param tokens T
 * @param headSize width of a head, a multiple of 8
 * @param keyCache [blocks, kvHeads, blockSize / 16, headSize, 16]
 * @param valueCache [blocks, kvHeads, blockSize / 16, 16, headSize]
 * @param kvType type of both caches; in one of 8-bit codes each group of 16 is followed by 16 floats, their scales
 * @param blockSize tokens of a block, a multiple of 16
 * @param sequenceStarts int32 [S + 1]
 * @param pastLengths int32 [S]
 * @param blockTable int32 [S, blocksPerSequence]
 * @param cos float [rotaryContext, rotaryHalf]; unused where nothing is rotated, as are the next three
 * @param output float [T, heads * headSize]
 */
public record AttentionCall(
        long query,
        long key,
        long value,
        int queryStride,
        int keyStride,
        int valueStride,
        int tokens,
        int headSize,
        long keyCache,
        long valueCache,
        KvType kvType,
        int blocks,
        int blockSize,
        long sequenceStarts,
        long pastLengths,
        long blockTable,
        int sequences,
        int blocksPerSequence,
        long cos,
        long sin,
        int rotaryContext,
        int rotaryHalf,
        long output) {
    /** Keys that lie side by side in the key cache, for each number of the head. */
    public static final int KEY_GROUP = 16;

    /**
     * Checks all that the kernel relies on, so that no address is ever out of bounds.
     *
     * @throws IllegalArgumentException what is wrong, and where
     */
    public void check(AttentionConfig config) {
        require(
                headSize >= 8 && headSize <= 256 && headSize % 8 == 0,
                "head size %d is no multiple of 8 up to 256",
                headSize);
        require(blockSize >= KEY_GROUP && blockSize % KEY_GROUP == 0, "block size %d is no multiple of 16", blockSize);
        require(config.groupSize() <= 1024, "%d query heads share one key head", config.groupSize());
        if (config.rotary()) {
            require(rotaryHalf >= 1 && 2 * rotaryHalf <= headSize, "%d cosines for a head of %d", rotaryHalf, headSize);
        }
        require(start(0) == 0, "the first sequence starts at %d, not 0", start(0));
        require(start(sequences) == tokens, "the last sequence ends at %d of %d tokens", start(sequences), tokens);
        long capacity = (long) blocksPerSequence * blockSize;
        for (int s = 0; s < sequences; s++) {
            int count = start(s + 1) - start(s);
            int past = past(s);
            if (count < 0 || start(s + 1) > tokens) {
                throw new IllegalArgumentException("sequence %d has %d of %d tokens".formatted(s, count, tokens));
            }
            if (past < 0 || (long) past + count > capacity) {
                throw new IllegalArgumentException("sequence %d of %d + %d tokens does not fit into %d blocks of %d"
                        .formatted(s, past, count, blocksPerSequence, blockSize));
            }
            if (config.rotary() && (long) past + count > rotaryContext) {
                throw new IllegalArgumentException("sequence %d of %d + %d tokens exceeds the context of %d"
                        .formatted(s, past, count, rotaryContext));
            }
            int used = (past + count + blockSize - 1) / blockSize;
            for (int b = 0; b < used; b++) {
                int block = block(s, b);
                if (block < 0 || block >= blocks) {
                    throw new IllegalArgumentException("sequence %d names block %d of %d".formatted(s, block, blocks));
                }
            }
        }
    }

    int start(int sequence) {
        return NativeMemory.getInt(sequenceStarts + 4L * sequence);
    }

    int past(int sequence) {
        return NativeMemory.getInt(pastLengths + 4L * sequence);
    }

    int block(int sequence, int index) {
        return NativeMemory.getInt(blockTable + 4L * ((long) sequence * blocksPerSequence + index));
    }

    /** Address of the 16 keys that start at this position (a multiple of 16): [headSize, 16]. */
    long keyGroup(int sequence, int kvHeads, int kvHead, int position) {
        return keyCache + groupOffset(sequence, kvHeads, kvHead, position);
    }

    /** Address of the 16 values that start at this position (a multiple of 16): [16, headSize]. */
    long valueGroup(int sequence, int kvHeads, int kvHead, int position) {
        return valueCache + groupOffset(sequence, kvHeads, kvHead, position);
    }

    /** Where in a group the scales of its 16 keys or values begin, in a cache that has them: floats [16]. */
    long scalesOffset() {
        return (long) KEY_GROUP * headSize;
    }

    private long groupOffset(int sequence, int kvHeads, int kvHead, int position) {
        long block = block(sequence, position / blockSize);
        long token = (block * kvHeads + kvHead) * blockSize + position % blockSize;
        return token * kvType.headBytes(headSize);
    }

    private static void require(boolean holds, String message, Object... arguments) {
        if (!holds) {
            throw new IllegalArgumentException(message.formatted(arguments));
        }
    }
}
