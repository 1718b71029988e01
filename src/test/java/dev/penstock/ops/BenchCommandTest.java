package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class BenchCommandTest {
    private final StringWriter err = new StringWriter();
    private final CommandLine command = new CommandLine(new BenchCommand()).setErr(new PrintWriter(err));

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--batch 1 | --model",
                "--shape gpt-9 | --shape knows",
                "--shape tinyllama-1.1b --precision int3 | --precision is one of fp32, fp16, int8, int4, mixed, not int3",
                "--shape tinyllama-1.1b --kv int4 | --kv is one of fp32, fp16, int8, not int4",
                "--shape tinyllama-1.1b --batch -4 | batch must be 1 to 4096, not -4",
                "--shape tinyllama-1.1b --prompt 0 --context 0 | nothing to measure",
            })
    void aWrongOptionIsNamedAndNothingRuns(String arguments, String message) {
        assertThat(command.execute(arguments.split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    @Test
    void aFolderThatIsNoModelIsAnErrorOfOneLine() {
        assertThat(command.execute("--model", "no/such/folder")).isEqualTo(1);
        assertThat(err.toString().strip()).contains("no/such/folder").doesNotContain("\n");
    }
}
