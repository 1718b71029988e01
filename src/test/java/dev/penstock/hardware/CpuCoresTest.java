package dev.penstock.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuCoresTest {
    @TempDir
    Path root;

    @Test
    void hardwareThreadsOfOneCoreCountOnce() throws IOException {
        allow("0-3");
        siblings(0, "0,2");
        siblings(1, "1,3");
        siblings(2, "0,2");
        siblings(3, "1,3");
        assertThat(CpuCores.physical(root, root, 4)).isEqualTo(2);
    }

    @Test
    void coresThatTheProcessMayNotUseDoNotCount() throws IOException {
        allow("1,3");
        siblings(1, "1,3");
        siblings(3, "1,3");
        assertThat(CpuCores.physical(root, root, 2)).isEqualTo(1);
    }

    @Test
    void withoutTopologyEveryProcessorCountsAsACore() throws IOException {
        allow("0-7");
        assertThat(CpuCores.physical(root, root, 8)).isEqualTo(8);
        assertThat(CpuCores.physical(root.resolve("nowhere"), root, 6)).isEqualTo(6);
    }

    @Test
    void theDefaultIsAtLeastOneThreadAndNoMoreThanTheProcessorsOfThisProcess() {
        assertThat(CpuCores.defaultThreads()).isBetween(1, Runtime.getRuntime().availableProcessors());
    }

    private void allow(String cpus) throws IOException {
        Path status = root.resolve("self/status");
        Files.createDirectories(status.getParent());
        Files.writeString(status, "Name:\tjava\nCpus_allowed_list:\t" + cpus + "\n");
    }

    private void siblings(int cpu, String list) throws IOException {
        Path file = root.resolve("devices/system/cpu/cpu" + cpu + "/topology/thread_siblings_list");
        Files.createDirectories(file.getParent());
        Files.writeString(file, list + "\n");
    }
}
