package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.embed.EncoderFolders;
import dev.penstock.embed.TinyEncoder;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class BuildCommandTest {
    private final StringWriter err = new StringWriter();
    private final CommandLine command = new CommandLine(new BuildCommand()).setErr(new PrintWriter(err));

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--precision int4 | --shape",
                "--shape gpt-9 | --shape knows",
                "--shape llama-2-7b --precision int3 | --precision is one of fp32, fp16, int8, int4, mixed, not int3",
                "--shape llama-2-7b --rounding up | --rounding is nearest or search, not up",
                "--shape llama-2-7b --device tpu | --device is one of cpu and cuda:N, not tpu",
                "--model folder | must be NAME=FOLDER",
                "--model a=b,precision=int5 | has the precision 'int5'",
                "--model a=b --shape llama-2-7b | mutually exclusive",
            })
    void aWrongOptionIsNamedAndNothingIsBuilt(String arguments, String message) {
        assertThat(command.execute(arguments.split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    @Test
    void aFolderThatIsNoModelIsAnErrorOfOneLine() {
        assertThat(command.execute("--model", "a=no/such/folder")).isEqualTo(1);
        assertThat(err.toString().strip()).contains("no/such/folder").doesNotContain("\n");
    }

    @Test
    void graphsOfAnEncoderNeedNoBuild(@TempDir Path folder) {
        StringWriter out = new StringWriter();
        Path vectors = EncoderFolders.embedder(folder.resolve("vectors"), new TinyEncoder(1));

        assertThat(command.setOut(new PrintWriter(out)).execute("--model", "a=" + vectors))
                .isZero();
        assertThat(out.toString()).contains("model.onnx as it is");
    }
}
