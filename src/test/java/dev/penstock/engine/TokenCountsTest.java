package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenCountsTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 10, 64, 1000})
    void countsAsAMapDoesHoweverManyTokensThereAre(int promptLength) {
        Random random = new Random(promptLength);
        int[] prompt = random.ints(promptLength, 0, 700).toArray();
        Map<Integer, Integer> expected = new LinkedHashMap<>();
        Arrays.stream(prompt).forEach(token -> expected.put(token, 0));
        TokenCounts counts = new TokenCounts(prompt);
        for (int i = 0; i < 3000; i++) {
            int token = random.nextInt(1000);
            expected.merge(token, 1, Integer::sum);
            counts.sampled(token);
        }
        Map<Integer, Integer> found = new LinkedHashMap<>();
        for (int place = 0; place < counts.size(); place++) {
            assertThat(found.put(counts.token(place), counts.inCompletion(place)))
                    .isNull();
        }
        assertThat(found).isEqualTo(expected);
    }
}
