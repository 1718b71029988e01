package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;

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

class QualityCommandTest {
    private final StringWriter err = new StringWriter();
    private final CommandLine command = new CommandLine(new QualityCommand()).setErr(new PrintWriter(err));

    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--model embedded | Missing required option: '--text",
                "--text t --window 1 | --window must be 2 to 1048576, not 1",
                "--text t --tokens 0 | --tokens must be 1 to 16777216, not 0",
                "--text t --threads 0 | --threads must be 1 to 1024, not 0",
            })
    void aWrongOptionIsNamedAndNothingRuns(String arguments, String message) {
        assertThat(command.execute(arguments.split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    @Test
    void aModelOrATextThatCannotBeUsedIsAnErrorOfOneLine() throws IOException {
        Path text = Files.writeString(temp.resolve("text"), "short");
        assertThat(command.execute("--model", "no/such/folder", "--text", text.toString()))
                .isEqualTo(1);
        assertThat(err.toString().strip()).contains("no/such/folder").doesNotContain("\n");
    }
}
