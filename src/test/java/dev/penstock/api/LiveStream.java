package dev.penstock.api;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A streamed reply that is read while it is made, and held against the contract. */
final class LiveStream implements AutoCloseable {
    private final HttpClient client;
    private final HttpResponse<InputStream> response;
    private final BufferedReader lines;
    private final String path;

    private LiveStream(HttpClient client, HttpResponse<InputStream> response, String path) {
        this.path = path;
        this.client = client;
        this.response = response;
        this.lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    }

    /** Posts a request and returns when the headers of the reply are there. */
    static LiveStream open(URI server, String path, String body) throws IOException, InterruptedException {
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpRequest request = HttpRequest.newBuilder(server.resolve(path))
                .header("Content-Type", "application/json")
                .timeout(Duration.ofSeconds(60))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return new LiveStream(client, client.send(request, HttpResponse.BodyHandlers.ofInputStream()), path);
    }

    int status() {
        return response.statusCode();
    }

    /** The next line, empty ones too; null at the end. */
    @Nullable
    String nextLine() throws IOException {
        String line = lines.readLine();
        if (line != null) {
            ContractReplies.checkLine("POST", path, line);
        }
        return line;
    }

    /** The data of the next event; null at the end. */
    @Nullable
    String nextData() throws IOException {
        String line;
        while ((line = nextLine()) != null) {
            if (line.startsWith("data: ")) {
                return line.substring("data: ".length());
            }
        }
        return null;
    }

    @Override
    public void close() throws IOException {
        response.body().close();
        client.shutdownNow();
    }
}
