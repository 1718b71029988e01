package dev.penstock.engine;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Hands out the blocks of a KV cache, and keeps full ones for sequences that begin alike. For one thread.
 *
 * <p>A block is free, held (by one or more sequences, counted), or cached: full, registered and held by nobody. When no
 * block is free the cached one that was let go first is taken. Paging after Kwon et al. 2023 (PagedAttention), reuse of
 * common beginnings after Zheng et al. 2024 (RadixAttention).
 *
 * <p>What a block holds is known by its {@link Content}: the block's tokens and the number of the content before it, so
 * that equal contents mean equal beginnings down to the first token, with tokens compared and not only their hashes. A
 * number is given once. A block is only held together with all blocks before it and they are let go from the last to
 * the first, so a cached block never outlives the one before it.
 *
 * <p>Memory beside the cache itself: about 100 bytes and its tokens' ids for each registered block.
 */
final class KvBlocks {
    /** The number of the content before the first block. */
    static final long ROOT = 0;

    private final int blockSize;
    private final boolean prefixCache;

    /** Sequences that hold each block. */
    private final int[] holders;

    private final @Nullable Content[] contentOf;
    private final Map<Content, Content> contents = new HashMap<>();

    /** Free blocks, a stack. */
    private final int[] free;

    private int freeCount;

    /** Cached blocks, a ring of links through the place {@code holders.length}: after it the one let go first. */
    private final int[] next;

    private final int[] previous;
    private int cachedCount;

    private long lastNumber = ROOT;

    /** All blocks free. */
    KvBlocks(int blockCount, int blockSize, boolean prefixCache) {
        this.blockSize = blockSize;
        this.prefixCache = prefixCache;
        holders = new int[blockCount];
        contentOf = new @Nullable Content[blockCount];
        free = new int[blockCount];
        next = new int[blockCount + 1];
        previous = new int[blockCount + 1];
        reset();
    }

    /** Frees all blocks, whoever holds them, and forgets what they hold. */
    void reset() {
        int ring = holders.length;
        next[ring] = ring;
        previous[ring] = ring;
        cachedCount = 0;
        freeCount = 0;
        Arrays.fill(holders, 0);
        Arrays.fill(contentOf, null);
        contents.clear();
        for (int block = ring - 1; block >= 0; block--) {
            free[freeCount++] = block;
        }
    }

    int blockCount() {
        return holders.length;
    }

    /** Blocks that can be had: free and cached ones. */
    int available() {
        return freeCount + cachedCount;
    }

    /** Blocks that hold nothing. */
    int free() {
        return freeCount;
    }

    /** Blocks that nobody holds and that are kept. */
    int cached() {
        return cachedCount;
    }

    /** Blocks that sequences hold. */
    int used() {
        return holders.length - available();
    }

    /** Sequences that hold this block. */
    int holders(int block) {
        return holders[block];
    }

    /** Blocks that so many tokens take. */
    int blocksFor(int tokens) {
        return (tokens + blockSize - 1) / blockSize;
    }

    /**
     * Begins an empty table with the cached blocks that match the tokens' beginning, and adds blocks for the rest.
     * That of the first token whose logits are wanted is never a cached one: it must run, and only full blocks that nobody
     * writes to are shared.
     *
     * @param length how many of {@code tokens} count, at least 1
     * @param firstRow the first token whose logits are wanted, at most the last one
     * @param spare blocks that must be available beyond these
     * @return tokens that need not be computed; or -1, and the table is empty, if there are too few blocks
     */
    int open(BlockTable table, int[] tokens, int length, int firstRow, int spare) {
        int reusable = prefixCache ? firstRow / blockSize : 0;
        for (int i = 0; i < reusable; i++) {
            Content content = contents.get(Content.of(table.lastContent(), tokens, i * blockSize, blockSize));
            if (content == null) {
                break;
            }
            hold(content.block);
            table.add(content.block);
            table.register(content.block, content.number);
        }
        int reused = table.size();
        int wanted = blocksFor(length) - reused;
        if (available() < wanted + spare) {
            release(table);
            return -1;
        }
        for (int i = 0; i < wanted; i++) {
            table.add(take());
        }
        return reused * blockSize;
    }

    /** Tokens that a table has room for, and would have with so many further blocks. */
    int room(BlockTable table, int furtherBlocks) {
        return (table.size() + furtherBlocks) * blockSize;
    }

    /** Makes room for {@code length} tokens; false, and nothing changed, if that takes more blocks than there are. */
    boolean extend(BlockTable table, int length) {
        int wanted = blocksFor(length) - table.size();
        if (wanted > available()) {
            return false;
        }
        for (int i = 0; i < wanted; i++) {
            table.add(take());
        }
        return true;
    }

    /** Lets the blocks go that only tokens behind the first {@code length} would need; none of these was registered. */
    void shrink(BlockTable table, int length) {
        while (table.size() > blocksFor(length)) {
            letGo(table.removeLast());
        }
    }

    /**
     * Registers the blocks that are full now that {@code computed} tokens have their keys and values. A block whose
     * content is registered already is given back and replaced by that one, which keeps each content in the cache once.
     */
    void register(BlockTable table, int[] tokens, int computed) {
        if (!prefixCache) {
            return;
        }
        while ((table.registered() + 1) * blockSize <= computed) {
            int index = table.registered();
            int block = table.block(index);
            Content mine = Content.of(table.lastContent(), tokens, index * blockSize, blockSize);
            Content other = contents.get(mine);
            if (other == null) {
                mine.number = ++lastNumber;
                mine.block = block;
                contents.put(mine, mine);
                contentOf[block] = mine;
                table.register(block, mine.number);
            } else {
                hold(other.block);
                letGo(block);
                table.register(other.block, other.number);
            }
        }
    }

    /** Lets all blocks of a table go, and empties it. */
    void release(BlockTable table) {
        for (int i = table.size() - 1; i >= 0; i--) {
            letGo(table.block(i));
        }
        table.clear();
    }

    private void hold(int block) {
        if (holders[block]++ == 0) {
            next[previous[block]] = next[block];
            previous[next[block]] = previous[block];
            cachedCount--;
        }
    }

    private void letGo(int block) {
        if (--holders[block] > 0) {
            return;
        }
        if (contentOf[block] == null) {
            free[freeCount++] = block;
            return;
        }
        int ring = holders.length;
        int last = previous[ring];
        next[last] = block;
        previous[block] = last;
        next[block] = ring;
        previous[ring] = block;
        cachedCount++;
    }

    /** A block for one holder; the caller has looked whether one is available. */
    private int take() {
        if (freeCount > 0) {
            int block = free[--freeCount];
            holders[block] = 1;
            return block;
        }
        int oldest = next[holders.length];
        hold(oldest);
        contents.remove(contentOf[oldest]);
        contentOf[oldest] = null;
        return oldest;
    }

    /** What a full block holds. */
    private static final class Content {
        private final long before;
        private final int[] tokens;
        private final int hash;
        private long number;
        private int block;

        private Content(long before, int[] tokens, int hash) {
            this.before = before;
            this.tokens = tokens;
            this.hash = hash;
        }

        static Content of(long before, int[] tokens, int from, int count) {
            int[] own = new int[count];
            System.arraycopy(tokens, from, own, 0, count);
            long hash = before;
            for (int token : own) {
                hash = (hash ^ token) * MIX;
                hash ^= hash >>> 32;
            }
            return new Content(before, own, (int) hash);
        }

        /** Any odd number with bits in all places: spreads what stands in few bits over all. */
        private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

        @Override
        public boolean equals(Object other) {
            return other instanceof Content c && c.before == before && Arrays.equals(c.tokens, tokens);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }
}
