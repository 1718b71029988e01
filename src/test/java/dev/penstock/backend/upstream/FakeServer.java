package dev.penstock.backend.upstream;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.net.URI;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A server that does with each request of the API what the test says, and keeps what came. */
public final class FakeServer implements AutoCloseable {
    private static final long MAX_WAIT_S = 30;

    public static final String ROLE = chunk("{\"role\":\"assistant\",\"content\":\"\"}", "null");
    public static final String FINISH = chunk("{}", "\"stop\"");
    private static final String TOKENS =
            "{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11,\"prompt_tokens_details\":{\"cached_tokens\":4}}";
    public static final String USAGE =
            "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"theirs\",\"choices\":[],\"usage\":"
                    + TOKENS + "}";

    private final HttpServer server;
    private final Queue<Handler<HttpServerRequest>> scripts = new ConcurrentLinkedQueue<>();
    private final BlockingQueue<Got> got = new LinkedBlockingQueue<>();
    public final AtomicInteger connections = new AtomicInteger();
    public final AtomicInteger closed = new AtomicInteger();
    public final AtomicInteger probes = new AtomicInteger();
    private final AtomicInteger received = new AtomicInteger();
    private volatile Handler<HttpServerRequest> always = FakeServer::story;
    private volatile Handler<HttpServerRequest> get =
            request -> request.response().setStatusCode(404).end();
    private final boolean tls;

    /** A request with its body. */
    public record Got(HttpServerRequest request, String body) {}

    public FakeServer(Vertx vertx, HttpServerOptions options) throws Exception {
        tls = options.isSsl();
        server = vertx.createHttpServer(options)
                .connectionHandler(connection -> {
                    connections.incrementAndGet();
                    connection.closeHandler(nothing -> closed.incrementAndGet());
                })
                .requestHandler(this::handle);
        server.listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().get(MAX_WAIT_S, TimeUnit.SECONDS);
    }

    private void handle(HttpServerRequest request) {
        if (request.method().name().equals("GET")) {
            probes.incrementAndGet();
            get.handle(request);
            return;
        }
        request.body().onSuccess(body -> {
            received.incrementAndGet();
            got.add(new Got(request, body.toString()));
            Handler<HttpServerRequest> script = scripts.poll();
            (script == null ? always : script).handle(request);
        });
    }

    /** What the next request gets. */
    public FakeServer next(Handler<HttpServerRequest> script) {
        scripts.add(script);
        return this;
    }

    /** What requests get from now on. */
    public void always(Handler<HttpServerRequest> script) {
        always = script;
    }

    /** What looks at health and metrics get from now on. */
    public void onGet(Handler<HttpServerRequest> script) {
        get = script;
    }

    /** Forgets the requests that came. */
    public void forget() {
        got.clear();
    }

    /** Requests of the API that came, ever. */
    public int received() {
        return received.get();
    }

    /** The next request that came. */
    public Got request() throws InterruptedException {
        Got next = got.poll(MAX_WAIT_S, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("no request came");
        }
        return next;
    }

    public URI url() {
        return URI.create((tls ? "https://localhost:" : "http://127.0.0.1:") + server.actualPort() + "/v1");
    }

    public static String chunk(String delta, String finish) {
        return "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"theirs\",\"choices\":[{\"index\":0,\"delta\":"
                + delta + ",\"finish_reason\":" + finish + "}]}";
    }

    public static String says(String text) {
        return chunk("{\"content\":\"" + text + "\"}", "null");
    }

    /** A whole reply to a chat. */
    public static String chat(String text) {
        return "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"theirs\",\"choices\":[{\"index\":0,"
                + "\"message\":{\"role\":\"assistant\",\"content\":\"" + text + "\",\"refusal\":null},"
                + "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":" + TOKENS + "}";
    }

    /** A whole text completion. */
    public static String completion(String text) {
        return "{\"id\":\"c\",\"object\":\"text_completion\",\"created\":1,\"model\":\"theirs\",\"choices\":[{\"index\":0,"
                + "\"text\":\"" + text + "\",\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":" + TOKENS + "}";
    }

    /** The head of a stream. */
    public static HttpServerResponse stream(HttpServerRequest request) {
        return request.response().setChunked(true).putHeader("Content-Type", "text/event-stream; charset=utf-8");
    }

    public static Buffer event(String data) {
        return Buffer.buffer("data: " + data + "\n\n");
    }

    /** A stream of these events, whose connection then stays as it is. */
    public static HttpServerResponse events(HttpServerRequest request, String... data) {
        HttpServerResponse response = stream(request);
        for (String d : data) {
            response.write(event(d));
        }
        return response;
    }

    /** A stream that ends well. */
    public static void story(HttpServerRequest request) {
        events(request, ROLE, says("Once"), says(" upon"), FINISH, USAGE, "[DONE]")
                .end();
    }

    /** A plain reply. */
    public static void json(HttpServerRequest request, int status, String body) {
        request.response()
                .setStatusCode(status)
                .putHeader("Content-Type", "application/json")
                .end(body);
    }

    @Override
    public void close() throws Exception {
        server.close().toCompletionStage().toCompletableFuture().get(MAX_WAIT_S, TimeUnit.SECONDS);
    }
}
