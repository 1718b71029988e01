package dev.penstock.ops;

import io.quarkus.runtime.Quarkus;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * Starts the server, lets it answer one request of each kind and ends. The launcher runs it once after a build with
 * {@code -XX:AOTCacheOutput}, so that later starts find classes loaded and linked (JEP 483, 514, 515).
 */
@Command(name = "warm-up", hidden = true)
final class WarmUpCommand implements Callable<Integer> {
    private static volatile boolean requested;

    @Override
    public Integer call() {
        requested = true;
        System.setProperty("quarkus.http.port", "0");
        System.setProperty("quarkus.http.host", "127.0.0.1");
        Quarkus.run();
        return 0;
    }

    /** Sends the requests when the server is there. */
    @Singleton
    static class Caller {
        private static final List<String> GETS = List.of("/v1/models", "/health/ready", "/metrics", "/openapi");
        private static final String CHAT = """
                {"model": "%s", "messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 8, %s}""";

        private static final List<String> KINDS = List.of("\"stream\": false", "\"stream\": true", """
                        "response_format": {"type": "json_object"}""");

        void ready(@Observes ServerReady event) {
            if (requested) {
                Thread.ofPlatform().name("penstock-warm-up").start(() -> call(event.url()));
            }
        }

        private static void call(URI url) {
            int exitCode = 1;
            try (HttpClient client = HttpClient.newHttpClient()) {
                for (String path : GETS) {
                    client.send(
                            HttpRequest.newBuilder(url.resolve(path)).build(), HttpResponse.BodyHandlers.discarding());
                }
                for (String kind : KINDS) {
                    client.send(
                            HttpRequest.newBuilder(url.resolve("/v1/chat/completions"))
                                    .header("Content-Type", "application/json")
                                    .POST(HttpRequest.BodyPublishers.ofString(
                                            CHAT.formatted(ModelSettings.EMBEDDED, kind)))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding());
                }
                exitCode = 0;
            } catch (IOException e) {
                System.err.println("The warm-up failed: " + e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                Quarkus.asyncExit(exitCode);
            }
        }
    }
}
