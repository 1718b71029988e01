package dev.penstock.routing;

import java.util.LinkedHashMap;
import java.util.Map;

/** Which blocks of prompts went to which backends, the least lately used forgotten first; not safe for several threads. */
final class PrefixMemory {
    private final Map<Long, Boolean> blocks;

    /** One of at most so many blocks, counted once for each backend. */
    PrefixMemory(int capacity) {
        blocks = new LinkedHashMap<>(64, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Long, Boolean> eldest) {
                return size() > capacity;
            }
        };
    }

    /** Tokens at the beginning of a prompt that went to this backend before. */
    int cached(Prefix prefix, int place) {
        int count = 0;
        for (long hash : prefix.hashes()) {
            if (blocks.get(key(hash, place)) == null) {
                break;
            }
            count++;
        }
        return count * prefix.blockTokens();
    }

    /** The prompt goes to this backend. */
    void put(Prefix prefix, int place) {
        for (long hash : prefix.hashes()) {
            blocks.put(key(hash, place), Boolean.TRUE);
        }
    }

    private static long key(long hash, int place) {
        return hash ^ Prefix.mix(place);
    }
}
