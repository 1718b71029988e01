package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class PlanCommandTest {
    private final StringWriter err = new StringWriter();
    private final CommandLine command = new CommandLine(new PlanCommand()).setErr(new PrintWriter(err));

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--sequences 2 | --model",
                "--model llama-2-7b --sequences 0 | --sequences must be 1 to 4096, not 0",
                "--model llama-2-7b --context -1 | --context must be 1 to 1048576, not -1",
                "--model llama-2-7b --threads 0 | --threads must be 1 to 1024, not 0",
                "--model llama-2-7b --tokens-per-second NaN | --tokens-per-second must be positive, not NaN",
            })
    void aWrongOptionIsNamedAndNothingIsMeasured(String arguments, String message) {
        assertThat(command.execute(arguments.split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    @Test
    void whatIsNeitherFolderNorShapeIsAnErrorOfOneLine() {
        assertThat(command.execute("--model", "gpt-9")).isEqualTo(1);
        assertThat(err.toString().strip()).contains("gpt-9").doesNotContain("\n");
    }
}
