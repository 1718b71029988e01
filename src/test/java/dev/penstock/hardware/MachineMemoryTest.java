package dev.penstock.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineMemoryTest {
    @TempDir
    Path temp;

    @Test
    void availableMemoryIsWhatLinuxSays() throws IOException {
        Path meminfo = Files.writeString(
                temp.resolve("meminfo"), "MemTotal:       24737772 kB\nMemAvailable:   20000000 kB\nBuffers: 1 kB\n");
        assertThat(MachineMemory.available(meminfo, 5)).isEqualTo(20_000_000L * 1024);
    }

    @Test
    void elsewhereItIsWhatTheCallerKnows() throws IOException {
        assertThat(MachineMemory.available(temp.resolve("none"), 5)).isEqualTo(5);
        Path other = Files.writeString(temp.resolve("meminfo"), "MemAvailable: much\n");
        assertThat(MachineMemory.available(other, 5)).isEqualTo(5);
    }

    @Test
    void thisMachineHasSomeAndNoMoreThanAll() {
        assertThat(MachineMemory.availableBytes()).isPositive().isLessThanOrEqualTo(MachineMemory.totalBytes());
    }
}
