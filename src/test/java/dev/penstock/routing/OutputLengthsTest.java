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
}
