package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class EngineOptionsTest {
    @Test
    void limitsThatContradictEachOtherAreRefused() {
        assertThatThrownBy(() -> new EngineOptions(16, 8, 0, 1, true, true)).hasMessageContaining("maxRunning");
        assertThatThrownBy(() -> new EngineOptions(16, 8, 16, 1, true, true))
                .hasMessageContaining("prompts would starve");
        assertThatThrownBy(() -> new EngineOptions(16, 0, 4, 1, true, true))
                .hasMessageContaining("maxPromptTokensBesideDecodes");
        assertThatThrownBy(() -> new EngineOptions(16, 8, 4, -1, true, true)).hasMessageContaining("maxWaiting");
    }

    @Test
    void aRunnersLowerLimitsCount() {
        EngineOptions wanted = EngineOptions.defaults();
        assertThat(wanted.fittedTo(new HashModel(10, 10, 4, 10, 1000, 1000))).isEqualTo(wanted);
        EngineOptions fitted = wanted.fittedTo(new HashModel(10, 10, 4, 10, 20, 64));
        assertThat(fitted.maxStepTokens()).isEqualTo(20);
        assertThat(fitted.maxRunning()).isEqualTo(19);
        assertThat(wanted.fittedTo(new HashModel(10, 10, 4, 10, 1000, 4)).maxRunning())
                .isEqualTo(4);
        assertThatThrownBy(() -> wanted.fittedTo(new HashModel(10, 10, 4, 10, 1, 1)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
