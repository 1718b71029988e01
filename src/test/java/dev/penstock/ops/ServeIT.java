package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.weights.TinyModels;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command as people run it: a process of its own, from the launcher to the exit code. */
class ServeIT {
    private static final long PATIENCE_S = 300;
    private static final Pattern RUNNING =
            Pattern.compile("vllm:num_requests_running\\{[^}]*model_name=\"penstock-tiny\"[^}]*} 32\\.0");
    private static final Pattern READY = Pattern.compile("Ready at (http://\\S+) ");

    private static Process penstock(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("./penstock"));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    /** Runs to the end; the lines of output without the JVM's own warning. */
    private static List<String> run(int exitCode, String... arguments) throws Exception {
        Process process = penstock(arguments);
        try {
            List<String> lines;
            try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
                lines = out.lines()
                        .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
                        .toList();
            }
            assertThat(process.waitFor(PATIENCE_S, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(String.join("\n", lines)).isEqualTo(exitCode);
            return lines;
        } finally {
            process.destroyForcibly();
        }
    }

    /** Otherwise the first start would say that it prepares fast ones. */
    @BeforeAll
    static void theLauncherHasItsCache() throws Exception {
        run(0, "warm-up");
    }

    @Test
    void theVersionIsToldWithoutAServer() throws Exception {
        assertThat(run(0, "--version")).hasSize(1).first().asString().matches("penstock \\S+");
    }

    @Test
    void theHelpNamesTheCommands() throws Exception {
        assertThat(String.join("\n", run(0, "--help"))).contains("serve", "bench");
        assertThat(String.join("\n", run(0, "serve", "--help"))).contains("--model", "--config", "--port", "--host");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        --model | must be NAME=FOLDER
        --model=a=/b,precision=int3 | int3
        --port=99999 | 99999
        --port=x | x
        --sparkle | --sparkle
        """)
    void wrongArgumentsAreUsageErrors(String argument, String named) throws Exception {
        String[] arguments = argument.equals("--model")
                ? new String[] {"serve", "--model", "llama"}
                : new String[] {"serve", argument};

        assertThat(run(2, arguments).getFirst()).contains(named);
    }

    @Test
    void aFolderThatIsNoModelIsToldInOneLine(@TempDir Path folder) throws Exception {
        List<String> lines = run(1, "serve", "--port", "0", "--model", "llama=" + folder);

        assertThat(lines).hasSize(1);
        assertThat(lines.getFirst())
                .contains("llama")
                .contains(folder.toString())
                .contains("config.json");
    }

    @Test
    void aGpuThatCannotBeUsedIsToldInOneLine(@TempDir Path folder) throws Exception {
        Path model = TinyModels.mha().write(folder.resolve("model"));
        List<String> lines = run(1, "serve", "--port", "0", "--model", "llama=" + model + ",device=cuda:0");

        assertThat(lines).hasSize(1);
        assertThat(lines.getFirst()).contains("llama", "cuda:0 can't be used", "PENSTOCK_ONNXRUNTIME");
    }

    @Test
    void aPortInUseIsToldInOneLine() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            List<String> lines = run(1, "serve", "--port", Integer.toString(taken.getLocalPort()));

            assertThat(lines).hasSize(1);
            assertThat(lines.getFirst()).contains(Integer.toString(taken.getLocalPort()));
        }
    }

    @Test
    void aConfigurationWithAWrongKeyIsToldByTheKey(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("p.yaml"), "penstock: {engine: {max-runing: 3}}");

        assertThat(String.join("\n", run(1, "serve", "--port", "0", "--config", file.toString())))
                .contains("penstock.engine.max-runing")
                .doesNotContain("\tat ");
        assertThat(run(1, "serve", "--config", folder + "/none.yaml")).hasSize(1);
    }

    @Test
    void aSignalLetsRequestsEndAndNoNewOnesIn(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("p.yaml"), "penstock: {drain-timeout: 10m}");
        Process process = penstock("serve", "--port", "0", "--config", file.toString());
        try (HttpClient client = HttpClient.newHttpClient();
                BufferedReader log = process.inputReader(StandardCharsets.UTF_8)) {
            URI url = ready(log);
            CompletableFuture<HttpResponse<String>> running =
                    client.sendAsync(completion(url, """
                            {"model": "penstock-tiny", "prompt": "Once", "stream": true, "n": 64,
                             "ignore_eos": true, "max_tokens": 500}"""), HttpResponse.BodyHandlers.ofString());
            awaitRunning(client, url);

            process.destroy();
            HttpRequest further =
                    completion(url, "{\"model\": \"penstock-tiny\", \"prompt\": \"a\", \"max_tokens\": 1}");
            HttpResponse<String> refused;
            do {
                refused = client.send(further, HttpResponse.BodyHandlers.ofString());
            } while (refused.statusCode() == 200);

            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(refused.headers().firstValue("Retry-After")).isPresent();
            assertThat(refused.body()).contains("server_is_overloaded");
            HttpResponse<String> whole = running.get(PATIENCE_S, TimeUnit.SECONDS);
            assertThat(whole.body()).endsWith("data: [DONE]\n\n");
            assertThat(process.waitFor(PATIENCE_S, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        } finally {
            process.destroyForcibly();
        }
    }

    private static HttpRequest completion(URI url, String body) {
        return HttpRequest.newBuilder(url.resolve("/v1/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private static URI ready(BufferedReader log) throws IOException {
        String line;
        while ((line = log.readLine()) != null) {
            Matcher ready = READY.matcher(line);
            if (ready.find()) {
                return URI.create(ready.group(1));
            }
        }
        throw new AssertionError("it ended before it was ready");
    }

    private static void awaitRunning(HttpClient client, URI url) throws Exception {
        HttpRequest metrics = HttpRequest.newBuilder(url.resolve("/metrics")).build();
        String running;
        do {
            running = client.send(metrics, HttpResponse.BodyHandlers.ofString()).body();
        } while (!RUNNING.matcher(running).find());
    }
}
