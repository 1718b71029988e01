package dev.penstock.engine;

import java.util.Arrays;

/** The blocks of one sequence, in the order of its tokens; changed by {@link KvBlocks} only. */
final class BlockTable {
    private int[] blocks = new int[8];
    private int size;

    /** Blocks at the beginning whose content is registered in the prefix cache. */
    private int registered;

    /** Content of the last registered block; {@link KvBlocks#ROOT} before there is one. */
    private long lastContent = KvBlocks.ROOT;

    int size() {
        return size;
    }

    int block(int index) {
        return blocks[index];
    }

    int registered() {
        return registered;
    }

    long lastContent() {
        return lastContent;
    }

    /** Copies the block ids to {@code target} from {@code offset} on. */
    void copyTo(int[] target, int offset) {
        System.arraycopy(blocks, 0, target, offset, size);
    }

    void add(int block) {
        if (size == blocks.length) {
            blocks = Arrays.copyOf(blocks, size * 2);
        }
        blocks[size++] = block;
    }

    /** Takes the last block out. */
    int removeLast() {
        return blocks[--size];
    }

    /** The first block that is not registered yet holds this content, and is {@code block} from now on. */
    void register(int block, long content) {
        blocks[registered++] = block;
        lastContent = content;
    }

    void clear() {
        size = 0;
        registered = 0;
        lastContent = KvBlocks.ROOT;
    }
}
