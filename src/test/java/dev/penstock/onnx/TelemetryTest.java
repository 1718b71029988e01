package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

class TelemetryTest {
    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "the variable is for the other systems' builds")
    void theLibraryIsLoadedIntoAnEnvironmentThatForbidsReporting() throws Throwable {
        assertThat(OrtApi.CREATE_ENV).isNotNull();

        Linker linker = Linker.nativeLinker();
        var getenv = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("getenv"), FunctionDescriptor.of(ADDRESS, ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = (MemorySegment) getenv.invoke(arena.allocateFrom(Telemetry.VARIABLE));
            assertThat(value.address()).isNotZero();
            assertThat(value.reinterpret(64).getString(0)).isEqualTo("1");
        }
    }
}
