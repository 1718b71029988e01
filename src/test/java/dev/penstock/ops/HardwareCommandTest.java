package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class HardwareCommandTest {
    private static String run(String... arguments) {
        StringWriter out = new StringWriter();
        int code = new CommandLine(new HardwareCommand())
                .setOut(new PrintWriter(out))
                .execute(arguments);
        assertThat(code).isZero();
        return out.toString();
    }

    @Test
    void theMachineIsMeasuredOnceAndToldAsJson() throws IOException {
        JsonNode report = new ObjectMapper().readTree(run("--measure", "--json"));

        assertThat(report.path("computeThreads").asInt()).isPositive();
        assertThat(report.path("processor").path("threads").asInt())
                .isGreaterThanOrEqualTo(report.path("computeThreads").asInt());
        assertThat(report.path("memory").path("totalBytes").asLong()).isPositive();
        assertThat(report.path("gpus").isArray()).isTrue();
        JsonNode speeds = report.path("speeds");
        // Far below any machine that can run a model, so that a busy one passes too.
        assertThat(speeds.path("readBytesPerSecond").asDouble()).isGreaterThan(1e8);
        assertThat(speeds.path("fp32OperationsPerSecond").asDouble()).isGreaterThan(1e8);
        if (report.path("processor").path("vectorFeatures").toString().contains("avx512_vnni")) {
            assertThat(speeds.path("int8OperationsPerSecond").asDouble())
                    .isGreaterThan(speeds.path("fp32OperationsPerSecond").asDouble());
        }
        assertThat(new ObjectMapper().readTree(run("--json")).path("speeds")).isEqualTo(speeds);
    }

    @Test
    void theTableNamesWhatThereIs() {
        assertThat(run()).contains("processor ", "cores ", "memory ", "reads ", "computes ", "GB/s", "GFLOP/s in fp32");
    }
}
