package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class SimulateCommandTest {
    private static final String FLEET = """
            [{"name": "gpu", "usd-per-hour": 2, "share": 1, "prompt-tokens-per-second": 5000,
              "weight-seconds": 0.02, "kv-token-seconds": 2e-7, "pair-seconds": 7e-9, "overhead-seconds": 0.001,
              "max-sequences": 32, "kv-tokens": 60000, "step-tokens": 256,
              "prompt-tokens-beside-decodes": 64}]
            """;

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine command =
            new CommandLine(new SimulateCommand()).setOut(new PrintWriter(out)).setErr(new PrintWriter(err));

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--seeds 0 | --seeds must be 1 to 100, not 0",
                "--policy dearest | --policy must be all or some of penstock, round-robin",
                "--price-ratio NaN | --price-ratio must be 1 to 1000",
                "--attainment 1 | --attainment must be above 0 and below 1",
            })
    void aWrongOptionIsNamed(String arguments, String message) {
        assertThat(command.execute(arguments.split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[] | must name 1 to 6 classes, not 0",
                "[{\"name\": \"gpu\"}] | fleet.json: Missing creator property",
                "{ | fleet.json:",
            })
    void aWrongFleetIsAnErrorOfOneLine(String fleet, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("fleet.json"), fleet);
        assertThat(command.execute("--fleet", file.toString())).isEqualTo(1);
        assertThat(err.toString().strip()).contains(message).doesNotContain("\n");
    }

    @Test
    void policiesAreComparedAsJsonAndDrawn() throws IOException {
        Path fleet = Files.writeString(folder.resolve("fleet.json"), FLEET);
        StringBuilder trace = new StringBuilder("TIMESTAMP,ContextTokens,GeneratedTokens\n");
        for (int i = 0; i < 600; i++) {
            trace.append("2023-11-16 18:%02d:%02d.0,%d,%d%n".formatted(i / 60, i % 60, 200 + i, 5 + i % 20));
        }
        Path file = Files.writeString(folder.resolve("trace.csv"), trace);
        Path chart = folder.resolve("chart.svg");
        int code = command.execute(
                "--trace",
                file.toString(),
                "--fleet",
                fleet.toString(),
                "--seeds",
                "2",
                "--json",
                "--chart",
                chart.toString());
        assertThat(code).isZero();
        JsonNode report = new ObjectMapper().readTree(out.toString());
        assertThat(report.get("policies")).hasSize(8);
        for (JsonNode line : report.get("policies")) {
            assertThat(line.get("attainment").asDouble())
                    .as(line.get("name").asText())
                    .isBetween(0.99, 1.0);
            assertThat(line.get("cost_per_1000_usd").asDouble())
                    .isPositive()
                    .isLessThan(line.get("fleet_per_1000_usd").asDouble());
            assertThat(line.get("bound_coverage").asDouble()).isBetween(0.8, 1.0);
        }
        assertThat(Files.readString(chart))
                .startsWith("<svg")
                .contains("clairvoyant")
                .endsWith("</svg>\n");
    }
}
