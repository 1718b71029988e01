package dev.penstock.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ResponseStoreTest {
    private static final Duration KEEP = Duration.ofHours(1);

    private long nowNs;

    private ResponseStore store(int maxCount, long maxBytes) {
        return new ResponseStore(new ResponseLimits(KEEP, maxCount, maxBytes), () -> nowNs);
    }

    private static StoredResponse response(String id, int bytes, @Nullable String previousId) {
        return new StoredResponse(id, new byte[bytes], new byte[0], previousId);
    }

    private static List<String> ids(ResponseStore store, String last) {
        return store.conversation(last).orElseThrow().stream()
                .map(StoredResponse::id)
                .toList();
    }

    @Test
    void theLeastRecentlyUsedGoFirstWhereThereAreTooMany() {
        ResponseStore store = store(2, 1 << 20);
        store.put(response("a", 1, null));
        store.put(response("b", 1, null));
        assertThat(store.find("a")).isPresent();

        store.put(response("c", 1, null));

        assertThat(store.find("b")).isEmpty();
        assertThat(store.find("a")).isPresent();
        assertThat(store.find("c")).isPresent();
    }

    @Test
    void allTogetherTakeNoMoreThanTheyMay() {
        ResponseStore store = store(100, 3_000);
        for (int i = 0; i < 10; i++) {
            store.put(response("r" + i, 1_000, null));
            assertThat(store.bytes()).isLessThanOrEqualTo(3_000);
        }

        assertThat(store.find("r7")).isEmpty();
        assertThat(store.find("r8")).isPresent();
        assertThat(store.find("r9")).isPresent();
        store.put(response("large", 3_001, null));
        assertThat(store.find("large")).isEmpty();
        assertThat(store.bytes()).isZero();
    }

    @Test
    void whatWasNotUsedForLongIsGone() {
        ResponseStore store = store(100, 1 << 20);
        store.put(response("a", 1, null));
        store.put(response("b", 1, null));
        nowNs += KEEP.toNanos() / 2;
        assertThat(store.find("a")).isPresent();

        nowNs += KEEP.toNanos() / 2;

        assertThat(store.find("b")).isEmpty();
        assertThat(store.find("a")).isPresent();
        nowNs += KEEP.toNanos();
        assertThat(store.remove("a")).isFalse();
        assertThat(store.bytes()).isZero();
    }

    @Test
    void aConversationIsUsedAsAWhole() {
        ResponseStore store = store(100, 1 << 20);
        store.put(response("a", 1, null));
        store.put(response("b", 1, "a"));
        store.put(response("c", 1, "b"));
        nowNs += KEEP.toNanos() - 1;

        assertThat(ids(store, "c")).containsExactly("a", "b", "c");
        assertThat(ids(store, "a")).containsExactly("a");
        nowNs += KEEP.toNanos() - 1;
        assertThat(ids(store, "c")).containsExactly("a", "b", "c");
    }

    @Test
    void aConversationWithAGapIsNone() {
        ResponseStore store = store(100, 1 << 20);
        store.put(response("a", 1, null));
        store.put(response("b", 1, "a"));

        assertThat(store.remove("a")).isTrue();

        assertThat(store.conversation("b")).isEmpty();
        assertThat(store.conversation("nobody")).isEmpty();
        // No response goes on from itself, but what does must not be walked for ever.
        store.put(response("loop", 1, "loop"));
        assertThat(store.conversation("loop")).isEmpty();
    }

    @Test
    void oneThatIsKeptAgainTakesThePlaceOfWhatItWas() {
        ResponseStore store = store(100, 1 << 20);
        store.put(response("a", 1_000, null));
        long before = store.bytes();

        store.put(response("a", 2_000, null));

        assertThat(store.bytes()).isEqualTo(before + 1_000);
    }
}
