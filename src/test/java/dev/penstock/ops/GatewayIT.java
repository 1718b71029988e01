package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A gateway before two others, each a process of its own, under load that never stops. */
class GatewayIT {
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final int CLIENTS = 20;
    private static final Pattern READY = Pattern.compile("Ready at (http://\\S+) ");

    /** Takes seconds: many choices at once. */
    private static final String LONG = """
            {"model": "story", "prompt": "Once", "stream": true, "n": 8, "ignore_eos": true, "max_tokens": 500}""";

    @TempDir
    Path folder;

    private final List<Penstocks> processes = new ArrayList<>();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private List<Client> clients = List.of();
    private Penstocks a;
    private Penstocks b;
    private Penstocks gateway;

    @BeforeEach
    void start() throws Exception {
        a = new Penstocks("a", "serve", "--port", "0");
        // The launcher's cache is made by the first one.
        a.url();
        b = new Penstocks("b", "serve", "--port", "0");
        b.url();
        configure(backend(a, 1), backend(b, 10));
        gateway = new Penstocks("gateway", "serve", "--port", "0", "--config", config().toString());
        gateway.url();
        clients = IntStream.range(0, CLIENTS).mapToObj(Client::new).toList();
    }

    @AfterEach
    void stop() {
        clients.forEach(client -> client.stopped = true);
        processes.forEach(p -> p.process.destroyForcibly());
        http.shutdownNow();
    }

    @Test
    void changesOfTheFileAreFollowedAndADeadUpstreamIsLeftWithoutLosingWhatHadNotBegun() throws Exception {
        awaitAllAt("a");

        // Removed while it works: what runs there goes on, and what comes goes elsewhere.
        CompletableFuture<HttpResponse<String>> running = begin(LONG);
        configure(backend(b, 10));
        awaitAllAt("b");
        awaitLog(a + " is served no more");
        assertThat(running.get().headers().firstValue("x-penstock-backend")).hasValue("a");
        assertThat(running.get().body()).endsWith("data: [DONE]\n\n");

        // It comes back, and then another price reorders.
        configure(backend(a, 1), backend(b, 10));
        awaitAllAt("a");
        configure(backend(a, 100), backend(b, 10));
        awaitAllAt("b");

        // What makes no sense is refused with its reasons.
        configure(backend(a, 1), backend(b, 10).replaceFirst(", price.*}", "}"), backend(b, -1));
        awaitLog("can't be followed; all stays as it was");
        awaitLog("backend 2, has no price");
        awaitLog("backend 3, has the price prompt -1");
        awaitAllAt("b");
        assertThat(clients).allMatch(client -> client.broken.isEmpty());

        CompletableFuture<HttpResponse<String>> cut = begin(LONG);
        b.process.destroyForcibly();
        awaitAllAt("a");
        assertThat(cut.get().body()).contains("\"text\"").containsPattern("data: \\{\"error\":[^\n]+\n\n$");

        clients.forEach(client -> client.stopped = true);
        for (Client client : clients) {
            client.thread.join();
            assertThat(client.wrong).isEmpty();
            // One was under way at that moment, at most.
            assertThat(client.broken).hasSizeLessThan(2).allMatch(body -> body.contains("\"content\""));
        }
    }

    private Path config() {
        return folder.resolve("penstock.yaml");
    }

    private void configure(String... backends) throws IOException {
        Path next = Files.writeString(folder.resolve("next.yaml"), """
                penstock:
                  drain-timeout: 10m
                  models:
                    story:
                      backends:
                """ + String.join("\n", backends) + "\n");
        Files.move(next, config(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static String backend(Penstocks server, int usdPerMillionTokens) throws IOException {
        return "        - { kind: upstream, name: %s, url: '%s/v1', model: penstock-tiny, probe: 1s, price: { prompt: %d, completion: 1 } }"
                .formatted(server.name, server.url(), usdPerMillionTokens);
    }

    /** Until all clients were answered by this backend. */
    private void awaitAllAt(String backend) {
        long[] before = clients.stream().mapToLong(client -> client.answers).toArray();
        await().atMost(PATIENCE)
                .until(() -> IntStream.range(0, CLIENTS)
                        .allMatch(i -> clients.get(i).answers > before[i]
                                && clients.get(i).backend.equals(backend)));
    }

    private void awaitLog(String part) {
        await().atMost(PATIENCE).until(() -> gateway.log().contains(part));
    }

    /** Sends a request and returns when its first token is there. */
    private CompletableFuture<HttpResponse<String>> begin(String body) throws Exception {
        CompletableFuture<Void> begun = new CompletableFuture<>();
        CompletableFuture<HttpResponse<String>> reply = http.sendAsync(request("/v1/completions", body), head -> {
            begun.complete(null);
            return HttpResponse.BodySubscribers.ofString(java.nio.charset.StandardCharsets.UTF_8);
        });
        begun.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        return reply.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private HttpRequest request(String path, String body) throws IOException {
        return HttpRequest.newBuilder(gateway.url().resolve(path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    /** Sends one request after the other, short and long ones, and keeps how they ended. */
    private final class Client implements Runnable {
        private final int number;
        private final List<String> wrong = new ArrayList<>();
        private final List<String> broken = new ArrayList<>();
        private final Thread thread;
        private volatile String backend = "";
        private volatile long answers;
        private volatile boolean stopped;

        Client(int number) {
            this.number = number;
            thread = Thread.ofVirtual().start(this);
        }

        @Override
        public void run() {
            for (int i = number; !stopped; i++) {
                try {
                    HttpResponse<String> reply = http.sendAsync(
                                    request("/v1/chat/completions", """
                                            {"model": "story", "stream": true, "ignore_eos": true, "max_tokens": %d,
                                             "messages": [{"role": "user", "content": "Tell me a story"}]}""".formatted(1 + 13 * i % 90)),
                                    HttpResponse.BodyHandlers.ofString())
                            .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                    take(reply);
                } catch (Exception e) {
                    if (!stopped) {
                        wrong.add(e.toString());
                    }
                }
            }
        }

        private void take(HttpResponse<String> reply) {
            String body = reply.body();
            if (reply.statusCode() == 200 && body.endsWith("data: [DONE]\n\n")) {
                backend = reply.headers().firstValue("x-penstock-backend").orElse("");
            } else if (reply.statusCode() == 200 && body.contains("data: {\"error\"")) {
                broken.add(body);
            } else {
                wrong.add(reply.statusCode() + " " + body);
            }
            answers++;
        }
    }

    /** A process, whose output goes to a file. */
    private final class Penstocks {
        private final String name;
        private final Path log;
        private final Process process;

        Penstocks(String name, String... arguments) throws IOException {
            this.name = name;
            log = folder.resolve(name + ".log");
            List<String> command = new ArrayList<>(List.of("./penstock"));
            command.addAll(List.of(arguments));
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            processes.add(this);
        }

        String log() throws IOException {
            return Files.readString(log);
        }

        /** Where it serves; waits until it does. */
        URI url() throws IOException {
            await().atMost(PATIENCE).until(() -> READY.matcher(log()).find() || !process.isAlive());
            Matcher ready = READY.matcher(log());
            assertThat(ready.find()).as(log()).isTrue();
            return URI.create(ready.group(1));
        }

        @Override
        public String toString() {
            return "story ("
                    + READY.matcher(read()).results().findFirst().orElseThrow().group(1) + "/v1)";
        }

        private String read() {
            try {
                return log();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }
}
