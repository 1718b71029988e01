package dev.penstock.prompt.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The names of a vocabulary's tokens by id, in one array of bytes: a quarter of a million tokens cost a few megabytes
 * and no objects. Written by one thread, then read by many.
 */
final class Vocabulary {
    /** More ids than any known vocabulary has (262,144), few enough to be allocated on a file's word. */
    static final int MAX_ID = (1 << 22) - 1;

    private byte[] names = new byte[1 << 12];
    private int used;
    /** Where the name of a token starts in {@code names}, plus one; 0: no such token. */
    private int[] start = new int[1 << 8];

    private int[] length = new int[1 << 8];
    private int size;
    private final BitSet added = new BitSet();
    private final BitSet special = new BitSet();

    /** Sets the name of a token that the model itself knows. */
    void put(long id, String name) {
        if (id < 0 || id > MAX_ID) {
            throw new IllegalArgumentException("token id " + id + " is not within 0 to " + MAX_ID);
        }
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        int i = (int) id;
        if (i >= start.length) {
            int capacity = Math.max(i + 1, start.length * 2);
            start = Arrays.copyOf(start, capacity);
            length = Arrays.copyOf(length, capacity);
        }
        if (used + utf8.length > names.length) {
            names = Arrays.copyOf(names, Math.max(used + utf8.length, names.length * 2));
        }
        System.arraycopy(utf8, 0, names, used, utf8.length);
        start[i] = used + 1;
        length[i] = utf8.length;
        used += utf8.length;
        size = Math.max(size, i + 1);
    }

    /** Sets the name of an added token, which goes before the model's own of the same id. */
    void putAdded(long id, String name, boolean isSpecial) {
        boolean own = contains(id) && name.equals(name((int) id));
        put(id, name);
        added.set((int) id, !own);
        special.set((int) id, isSpecial);
    }

    boolean contains(long id) {
        return id >= 0 && id < size && start[(int) id] > 0;
    }

    /** The token's name, or null for an id that no token has. */
    @Nullable
    String name(int id) {
        return contains(id) ? new String(names, start[id] - 1, length[id], StandardCharsets.UTF_8) : null;
    }

    /** Whether the token was added beside the model's own vocabulary. */
    boolean isAdded(int id) {
        return id >= 0 && added.get(id);
    }

    boolean isSpecial(int id) {
        return id >= 0 && special.get(id);
    }

    /** The id of that name; looks through the whole vocabulary (a fraction of a millisecond). */
    OptionalInt id(String name) {
        byte[] wanted = name.getBytes(StandardCharsets.UTF_8);
        for (int id = size - 1; id >= 0; id--) {
            if (start[id] > 0
                    && length[id] == wanted.length
                    && Arrays.equals(names, start[id] - 1, start[id] - 1 + wanted.length, wanted, 0, wanted.length)) {
                return OptionalInt.of(id);
            }
        }
        return OptionalInt.empty();
    }

    /** One more than the highest id. */
    int size() {
        return size;
    }
}
