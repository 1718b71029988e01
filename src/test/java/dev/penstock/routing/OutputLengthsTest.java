package dev.penstock.routing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OutputLengthsTest {
    private final OutputLengths lengths = new OutputLengths();

    @Test
    void aCallerIsForetoldByItsOwnLengthsAndAStrangerByAll() {
        for (int i = 0; i < 100; i++) {
            lengths.observe("short", 10);
            lengths.observe("long", 500);
        }
        assertThat(lengths.mean("short", 1000)).isEqualTo(10);
        assertThat(lengths.upper("long", 1000)).isEqualTo(500);
        assertThat(lengths.mean("stranger", 1000)).isBetween(200.0, 300.0);
    }

    @Test
    void noLengthIsAboveTheRequestsLimit() {
        assertThat(lengths.upper("new", 7)).isEqualTo(7);
        for (int i = 0; i < 50; i++) {
            lengths.observe("long", 500);
        }
        assertThat(lengths.mean("long", 7)).isEqualTo(7);
        assertThat(lengths.upper("long", 7)).isEqualTo(7);
    }

    @Test
    void nineInTenAreWithinTheUpperLength() {
        for (int i = 1; i <= 100; i++) {
            lengths.observe("caller", i);
        }
        assertThat(lengths.upper("caller", 1000)).isBetween(90.0, 92.0);
    }

    @Test
    void whoHasRunLongAmongManyShortOnesHasLongToGo() {
        for (int i = 0; i < 160; i++) {
            lengths.observe("mixed", i % 4 == 0 ? 400 : 10);
        }
        assertThat(lengths.remaining("mixed", 1000, 0)).isBetween(100.0, 115.0);
        assertThat(lengths.remaining("mixed", 1000, 20)).isBetween(370.0, 390.0);
        assertThat(lengths.remaining("mixed", 50, 20)).isEqualTo(30);
        assertThat(lengths.remaining("mixed", 1000, 600)).isEqualTo(1);
    }

    @Test
    void ofWhatNoOneKnowsTheFirstGuessLessItsAgeIsLeft() {
        assertThat(lengths.remaining("new", 1000, 28)).isEqualTo(100);
        assertThat(lengths.remaining("new", 1000, 500)).isEqualTo(1);
    }
}
