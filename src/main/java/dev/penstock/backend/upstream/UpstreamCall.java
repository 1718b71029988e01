package dev.penstock.backend.upstream;

import dev.penstock.model.Usage;
import dev.penstock.model.WireCall;
import dev.penstock.model.WireEvent.Broken;
import dev.penstock.model.WireEvent.Cause;
import dev.penstock.model.WireEvent.Chunk;
import dev.penstock.model.WireEvent.Ended;
import dev.penstock.model.WireEvent.Failed;
import dev.penstock.model.WireEvent.Failure;
import dev.penstock.model.WireEvent.Whole;
import dev.penstock.model.WireListener;
import dev.penstock.model.WireRequest;
import dev.penstock.model.WireRequest.Endpoint;
import io.vertx.core.AsyncResult;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One request at an upstream, and what comes of it. Chunks that only name a role are held back until one brings a token, so
 * that an upstream that answers at once and then stalls has given nothing yet. For one Vert.x context.
 */
final class UpstreamCall implements WireCall {
    private static final Logger LOG = Logger.getLogger(UpstreamCall.class);
    private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);
    private static final String LOAD_HEADER = "endpoint-load-metrics";
    /** The one that Anthropic's clients name. */
    private static final String ANTHROPIC_VERSION = "2023-06-01";

    private static final int MAX_ERROR_BYTES = 64 << 10;
    /** Chunks without a token that are held back; an upstream that sends more gets them passed on. */
    private static final int MAX_HELD = 16;

    /** Connections whose end may meet a request, which then asks for another one. */
    private static final int MAX_STALE = 3;

    /** RFC 9113, section 7. */
    private static final long CANCEL = 8;

    /** For what follows the last event. */
    private static final Duration REST = Duration.ofSeconds(2);

    private final Upstream upstream;
    private final UpstreamLimits limits;
    private final WireRequest request;
    private final WireForm form;
    private final WireListener listener;
    private final CallTimers timers;
    private final List<Chunk> held = new ArrayList<>();
    /** The caller's name of the model, as JSON, where the upstream has another. */
    private final byte @Nullable [] model;

    private @Nullable HttpClientRequest http;
    private @Nullable HttpClientResponse response;
    private @Nullable Usage usage;
    private boolean begun;
    private boolean finished;
    private boolean ended;
    private boolean over;

    UpstreamCall(Upstream upstream, WireRequest request, WireListener listener) {
        this.upstream = upstream;
        this.limits = upstream.settings().limits();
        this.request = request;
        this.form = WireForm.of(request.endpoint());
        this.listener = listener;
        this.timers = new CallTimers(upstream.vertx());
        UpstreamSettings settings = upstream.settings();
        this.model = settings.model().equals(settings.upstreamModel()) ? null : quoted(settings.model());
    }

    /** Sends it, with this body; {@link Upstream} has let it through. */
    void send(HttpClient client, byte[] body) {
        timers.after(limits.total(), () -> fail(Failures.of(Cause.TIMEOUT, "no end after " + limits.total())));
        if (request.stream()) {
            timers.after(limits.firstToken(), () -> {
                if (!begun) {
                    fail(Failures.of(Cause.TIMEOUT, "no token after " + limits.firstToken()));
                }
            });
        }
        RequestOptions options = Upstream.options(
                        upstream.settings(), HttpMethod.POST, request.endpoint().path())
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .putHeader(HttpHeaders.ACCEPT, request.stream() ? "text/event-stream" : "application/json")
                .putHeader(LOAD_HEADER + "-format", "TEXT");
        if (request.endpoint() == Endpoint.MESSAGES) {
            options.putHeader("anthropic-version", ANTHROPIC_VERSION);
            upstream.settings().key().ifPresent(key -> options.putHeader("x-api-key", key));
        }
        connect(client, options, Buffer.buffer(body), MAX_STALE);
    }

    /** Takes a connection of the pool; one that was closed as it was taken says nothing of the upstream, and nothing was sent. */
    private void connect(HttpClient client, RequestOptions options, Buffer body, int retries) {
        client.request(options).onComplete(connected -> {
            if (!over && retries > 0 && connected.cause() instanceof HttpClosedException) {
                connect(client, options, body, retries - 1);
            } else {
                connected(connected, body);
            }
        });
    }

    /**
     * What the caller wrote but for {@code provider}, with the upstream's name of the model; a stream counts its tokens at the end in any case.
     *
     * @throws IOException it is not one JSON object in UTF-8
     */
    byte[] body() throws IOException {
        byte[] theirs = quoted(upstream.settings().upstreamModel());
        WireScan whole = WireScan.of(request.body());
        WireScan scan = whole.hasProvider() ? WireScan.of(whole.withoutProvider()) : whole;
        boolean asksForUsage = request.stream() && !request.includeUsage() && form == WireForm.CHOICES;
        return asksForUsage ? scan.withModelAndUsage(theirs) : scan.withModel(theirs);
    }

    private static byte[] quoted(String text) {
        return Json.encode(text).getBytes(StandardCharsets.UTF_8);
    }

    private void connected(AsyncResult<HttpClientRequest> connected, Buffer body) {
        if (connected.failed()) {
            fail(Failures.of(Cause.UNREACHABLE, "no connection: " + connected.cause()));
        } else if (over) {
            HttpClientRequest late = connected.result();
            late.exceptionHandler(e -> LOG.debug("A request failed", e));
            late.reset(CANCEL);
        } else {
            HttpClientRequest sent = connected.result();
            http = sent;
            // What fails is told by the answer's future, or by the answer.
            sent.exceptionHandler(e -> LOG.debug("A request failed", e));
            sent.send(body).onComplete(this::answered);
        }
    }

    private void answered(AsyncResult<HttpClientResponse> answered) {
        if (over) {
            return;
        }
        if (answered.failed()) {
            fail(Failures.of(Cause.UNREACHABLE, "no answer: " + answered.cause()));
            return;
        }
        HttpClientResponse head = answered.result();
        response = head;
        head.exceptionHandler(e -> fail(Failures.of(Cause.UNREACHABLE, "the connection was cut: " + e)));
        String load = head.getHeader(LOAD_HEADER);
        if (load != null) {
            LoadReport.ofHeader(load).ifPresent(upstream::report);
        }
        if (head.statusCode() != 200) {
            collect(head, MAX_ERROR_BYTES, body -> fail(Failures.ofStatus(head, body)));
        } else if (head.getHeader(HttpHeaders.CONTENT_ENCODING) != null) {
            fail(Failures.of(Cause.FAULT, "a content encoding that was not asked for"));
        } else if (!hasType(head, request.stream() ? "text/event-stream" : "application/json")) {
            fail(Failures.of(Cause.FAULT, "a reply of the wrong type, " + head.getHeader(HttpHeaders.CONTENT_TYPE)));
        } else if (request.stream()) {
            SseParser events = new SseParser(limits.maxEventBytes(), this::event);
            head.handler(piece -> {
                if (!over && !events.feed(piece)) {
                    fail(Failures.of(Cause.FAULT, "an event of more than " + limits.maxEventBytes() + " bytes"));
                }
            });
            head.endHandler(nothing -> endOfStream());
        } else {
            collect(head, limits.maxReplyBytes(), this::whole);
        }
    }

    private static boolean hasType(HttpClientResponse head, String type) {
        String given = head.getHeader(HttpHeaders.CONTENT_TYPE);
        return given != null && given.split(";", 2)[0].strip().equalsIgnoreCase(type);
    }

    private void collect(HttpClientResponse head, int maxBytes, Consumer<byte[]> then) {
        Buffer all = Buffer.buffer();
        head.handler(piece -> {
            if (!over && all.length() + piece.length() > maxBytes) {
                fail(Failures.of(
                        Cause.FAULT, "status " + head.statusCode() + " with more than " + maxBytes + " bytes"));
            } else if (!over) {
                all.appendBuffer(piece);
            }
        });
        head.endHandler(nothing -> {
            ended = true;
            if (!over) {
                then.accept(all.getBytes());
            }
        });
    }

    private void whole(byte[] body) {
        try {
            WireScan scan = WireScan.of(body);
            if (!form.isReply(scan)) {
                fail(Failures.of(Cause.FAULT, "no reply of its endpoint"));
                return;
            }
            usage = scan.usage();
            begin();
            listener.onEvent(new Whole(model == null ? body : scan.withModel(model)));
            end();
        } catch (IOException e) {
            fail(Failures.of(Cause.FAULT, "a reply that can't be read: " + e.getMessage()));
        }
    }

    private void event(byte[] data) {
        if (over) {
            return;
        }
        if (Arrays.equals(data, DONE)) {
            end();
            return;
        }
        try {
            chunk(data, WireScan.of(data));
        } catch (IOException e) {
            fail(Failures.of(Cause.FAULT, "an event that can't be read: " + e.getMessage()));
        }
    }

    private void chunk(byte[] data, WireScan scan) {
        WireScan.@Nullable Error error = scan.error();
        boolean finishes = form.finishes(scan);
        if (!form.isEvent(scan)) {
            fail(Failures.of(Cause.FAULT, error == null ? "no event of its endpoint" : "the error " + error.message()));
            return;
        }
        if (!begun && "response.failed".equals(scan.type())) {
            fail(Failures.of(Cause.FAULT, "a response that failed before its first token"));
            return;
        }
        timers.heard();
        finished |= finishes;
        count(scan.usage());
        if (scan.countsOnly() && !request.includeUsage()) {
            return;
        }
        boolean carriesOutput = form.carriesOutput(scan);
        Chunk chunk = new Chunk(
                model == null ? data : scan.withModel(model),
                form == WireForm.TYPED ? scan.type() : null,
                carriesOutput && !finishes);
        if (!begun && !carriesOutput && held.size() < MAX_HELD) {
            held.add(chunk);
            return;
        }
        begin();
        held.forEach(listener::onEvent);
        held.clear();
        if (!over) {
            listener.onEvent(chunk);
        }
        if (!over && finishes && form == WireForm.TYPED) {
            end();
        }
    }

    /** Later counts are of the same tokens and more; some leave out what an earlier one has told. */
    private void count(@Nullable Usage more) {
        if (more != null) {
            usage = usage == null
                    ? more
                    : new Usage(
                            Math.max(usage.promptTokens(), more.promptTokens()),
                            Math.max(usage.cachedPromptTokens(), more.cachedPromptTokens()),
                            Math.max(usage.completionTokens(), more.completionTokens()));
        }
    }

    private void begin() {
        if (!begun) {
            begun = true;
            upstream.began();
            timers.watchIdle(
                    limits.idle(), () -> fail(Failures.of(Cause.TIMEOUT, "nothing more for " + limits.idle())));
        }
    }

    private void endOfStream() {
        ended = true;
        // Some servers end without [DONE]; all of them say why the text ends.
        if (!over && finished) {
            end();
        } else if (!over) {
            fail(Failures.of(Cause.FAULT, "the stream ends before the reply does"));
        }
    }

    private void end() {
        if (!begun && request.stream()) {
            fail(Failures.of(Cause.FAULT, "a stream without a token"));
            return;
        }
        close();
        letEnd();
        upstream.ended(begun, null);
        listener.onEvent(new Ended(usage));
    }

    /** What follows the last event is an empty line and the end, after which the connection serves again. */
    private void letEnd() {
        if (response != null && !ended) {
            long limit = upstream.vertx().setTimer(REST.toMillis(), id -> reset());
            response.endHandler(nothing -> upstream.vertx().cancelTimer(limit));
            response.exceptionHandler(e -> upstream.vertx().cancelTimer(limit));
            response.resume();
        }
    }

    private void fail(Failure failure) {
        if (over) {
            return;
        }
        close();
        reset();
        upstream.ended(begun, failure);
        listener.onEvent(begun ? new Broken(failure) : new Failed(failure));
    }

    @Override
    public void cancel() {
        if (!over) {
            close();
            reset();
            upstream.cancelled(begun);
        }
    }

    private void close() {
        over = true;
        timers.cancel();
    }

    /** Over HTTP/1.1 this closes the connection, over HTTP/2 the stream. */
    private void reset() {
        if (http != null && !ended) {
            http.reset(CANCEL);
        }
    }

    @Override
    public void pause() {
        if (!over && response != null) {
            timers.pause();
            response.pause();
        }
    }

    @Override
    public void resume() {
        if (!over && response != null) {
            timers.resume();
            response.resume();
        }
    }
}
