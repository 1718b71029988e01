package dev.penstock.embed;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BatchPickerTest {
    @Test
    void theOldestGoesWithThoseOfAboutItsLength() {
        assertThat(BatchPicker.pick(new int[] {100, 10, 90, 400, 120, 101}, 2048))
                .isEqualTo(List.of(0, 2, 4, 5));
    }

    @Test
    void shortOnesGoTogetherWhateverTheirLengths() {
        assertThat(BatchPicker.pick(new int[] {3, 16, 1, 17}, 2048)).isEqualTo(List.of(0, 1, 2));
    }

    @Test
    void oneThatIsLongerThanABatchGoesAlone() {
        assertThat(BatchPicker.pick(new int[] {500, 500, 3}, 200)).isEqualTo(List.of(0));
    }

    @Test
    void noBatchHasMoreTokensThanItMayWithItsPadding() {
        Random random = new Random(5);
        for (int round = 0; round < 200; round++) {
            int[] lengths = random.ints(1 + random.nextInt(300), 1, 200).toArray();
            List<Integer> picked = BatchPicker.pick(lengths, 1000);
            int longest = picked.stream().mapToInt(i -> lengths[i]).max().orElseThrow();
            assertThat(picked).startsWith(0).isSorted().doesNotHaveDuplicates();
            assertThat(picked.size() * longest).isLessThanOrEqualTo(1000);
        }
    }
}
