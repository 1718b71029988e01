package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BuildProgressTest {
    static Stream<BuildProgress> kinds() {
        return Stream.of(
                BuildProgress.NONE, new LogProgress("m"), new TerminalProgress("m"), TerminalProgress.orLog("m"));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void phasesOfAnySizeAndManyThreadsAreFollowed(BuildProgress progress) {
        assertThatCode(() -> {
                    progress.advance(1);
                    progress.start("waiting", 0);
                    progress.advance(1);
                    progress.start("building", 1L << 40);
                    IntStream.range(0, 1000).parallel().forEach(i -> progress.advance(1L << 30));
                    progress.close();
                    progress.close();
                })
                .doesNotThrowAnyException();
    }
}
