package dev.penstock.api;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Stands between clients that keep what they read to themselves and the server, and holds each reply that goes through against the
 * contract; {@link ContractEverywhere} has a test fail for what is found.
 */
public final class ContractProxy {
    /** Headers of one connection, not of what goes through; the client refuses to set them. */
    private static final Set<String> OF_CONNECTIONS =
            Set.of("connection", "content-length", "expect", "host", "http2-settings", "transfer-encoding", "upgrade");

    private static final Map<URI, ContractProxy> OPEN = new ConcurrentHashMap<>();
    private static final Queue<Throwable> FAULTS = new ConcurrentLinkedQueue<>();

    private final URI server;
    private final HttpServer proxy;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private ContractProxy(URI server) {
        this.server = server;
        try {
            proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        proxy.setExecutor(threads);
        proxy.createContext("/", this::pass);
        proxy.start();
    }

    /** The address to give to a client in place of this one of the server's. */
    public static URI before(URI url) {
        HttpServer proxy = OPEN.computeIfAbsent(url.resolve("/"), ContractProxy::new).proxy;
        return URI.create("http://127.0.0.1:" + proxy.getAddress().getPort()).resolve(url.getPath());
    }

    /** Fails if a reply wasn't as it must be since this was last asked. */
    static void check() {
        Throwable fault = FAULTS.poll();
        FAULTS.clear();
        if (fault != null) {
            throw new AssertionError("A reply to a client is not by the contract", fault);
        }
    }

    /** Closes all, and fails as {@link #check}. */
    static void closeAll() {
        OPEN.values().forEach(open -> {
            open.proxy.stop(0);
            open.client.shutdownNow();
            open.threads.shutdownNow();
            open.threads.close();
        });
        OPEN.clear();
        check();
    }

    private void pass(HttpExchange exchange) throws IOException {
        String method = exchange.getRequestMethod();
        HttpRequest.Builder request = HttpRequest.newBuilder(server.resolve(exchange.getRequestURI()))
                .method(
                        method,
                        HttpRequest.BodyPublishers.ofByteArray(
                                exchange.getRequestBody().readAllBytes()));
        exchange.getRequestHeaders().forEach((name, values) -> {
            if (!OF_CONNECTIONS.contains(name.toLowerCase(Locale.ROOT))) {
                values.forEach(value -> request.header(name, value));
            }
        });
        ByteArrayOutputStream seen = new ByteArrayOutputStream();
        try (exchange) {
            HttpResponse<InputStream> response = client.send(request.build(), BodyHandlers.ofInputStream());
            response.headers().map().forEach((name, values) -> {
                if (!OF_CONNECTIONS.contains(name)) {
                    exchange.getResponseHeaders().put(name, values);
                }
            });
            // 0 stands for a length that isn't known.
            exchange.sendResponseHeaders(response.statusCode(), 0);
            try (InputStream in = response.body();
                    OutputStream out = exchange.getResponseBody()) {
                byte[] piece = new byte[8192];
                for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
                    seen.write(piece, 0, n);
                    out.write(piece, 0, n);
                    out.flush();
                }
                // Before the client knows that it has all, and its test that it is over.
                check(method, exchange.getRequestURI().getPath(), response, seen);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void check(
            String method, String path, HttpResponse<InputStream> response, ByteArrayOutputStream body) {
        try {
            ContractReplies.check(
                    method,
                    path,
                    response.statusCode(),
                    response.headers().firstValue("content-type").orElse(""),
                    body.toString(StandardCharsets.UTF_8));
        } catch (AssertionError | RuntimeException e) {
            FAULTS.add(e);
        }
    }
}
