package dev.penstock.backend.upstream;

import dev.penstock.backend.Drainable;
import dev.penstock.backend.WireBackend;
import dev.penstock.model.WireCall;
import dev.penstock.model.WireEvent.Cause;
import dev.penstock.model.WireEvent.Failed;
import dev.penstock.model.WireEvent.Failure;
import dev.penstock.model.WireListener;
import dev.penstock.model.WireRequest;
import io.vertx.core.Vertx;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A server elsewhere that speaks OpenAI's API. Connections are pooled; with TLS they are of HTTP/2 where the server has it.
 * A request to it bears no header of its caller's, and no redirect is followed: what is sent, and where to, only configuration
 * decides. Safe for many threads.
 */
public final class Upstream implements WireBackend, Drainable {
    private static final Logger LOG = Logger.getLogger(Upstream.class);

    /** Shorter than uvicorn's 5 s, so that a request rarely meets a connection that is just being closed. */
    private static final int KEEP_ALIVE_S = 4;

    private static final int HTTP2_CONNECTIONS = 8;
    /** Streams whose callers read slowly must not stop the others of their connection. */
    private static final int HTTP2_CONNECTION_WINDOW_BYTES = 64 << 20;

    private static final int HTTP2_STREAM_WINDOW_BYTES = 64 << 10;

    /** A report is believed for this many looks, and between looks for a while. */
    private static final int REPORT_PROBES = 3;

    private final Vertx vertx;
    private final UpstreamSettings settings;
    private final LoopClients clients;
    private final Circuit circuit;
    private final Probe probe;
    private final LongSupplier nanoTime;
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicInteger running = new AtomicInteger();
    private volatile @Nullable Heard heard;
    private volatile @Nullable CountDownLatch idle;

    private record Heard(LoadReport report, long atNs) {}

    /** Over clients of this Vert.x; looks at its health from now on. */
    public Upstream(Vertx vertx, UpstreamSettings settings) {
        this(vertx, settings, new HttpClientOptions(), System::nanoTime);
    }

    Upstream(Vertx vertx, UpstreamSettings settings, HttpClientOptions options, LongSupplier nanoTime) {
        this.vertx = vertx;
        this.settings = settings;
        this.nanoTime = nanoTime;
        circuit = new Circuit(nanoTime);
        clients = new LoopClients(vertx, configure(options, settings));
        probe = new Probe(vertx, clients.shared(), settings, circuit, this::report);
    }

    private static HttpClientOptions configure(HttpClientOptions options, UpstreamSettings settings) {
        UpstreamLimits limits = settings.limits();
        boolean tls = settings.url().getScheme().equals("https");
        return options.setSsl(tls)
                .setUseAlpn(tls)
                .setProtocolVersion(tls ? HttpVersion.HTTP_2 : HttpVersion.HTTP_1_1)
                .setAlpnVersions(List.of(HttpVersion.HTTP_2, HttpVersion.HTTP_1_1))
                .setConnectTimeout((int) limits.connect().toMillis())
                .setKeepAliveTimeout(KEEP_ALIVE_S)
                .setHttp2KeepAliveTimeout(KEEP_ALIVE_S)
                .setMaxPoolSize(limits.maxConnections())
                .setHttp2MaxPoolSize(HTTP2_CONNECTIONS)
                .setHttp2ConnectionWindowSize(HTTP2_CONNECTION_WINDOW_BYTES)
                .setInitialSettings(new Http2Settings().setInitialWindowSize(HTTP2_STREAM_WINDOW_BYTES))
                .setDecompressionSupported(false);
    }

    /** To a path below the API's, with our key. */
    static RequestOptions options(UpstreamSettings settings, HttpMethod method, String path) {
        RequestOptions options = new RequestOptions()
                .setMethod(method)
                .setAbsoluteURI(settings.url() + path)
                .setFollowRedirects(false)
                .putHeader(HttpHeaders.USER_AGENT, "penstock");
        settings.key().ifPresent(key -> options.putHeader(HttpHeaders.AUTHORIZATION, "Bearer " + key));
        return options;
    }

    @Override
    public String name() {
        return settings.name();
    }

    @Override
    public String model() {
        return settings.model();
    }

    @Override
    public boolean available() {
        return circuit.available() && hasRoom();
    }

    /** Whether there may be another request; of some that are sent at the same time a few too many may pass. */
    private boolean hasRoom() {
        return waiting.get() + running.get() < settings.limits().maxConnections();
    }

    /** What was sent there, or what it reports where that is more: others may ask it too. */
    @Override
    public Load load() {
        Optional<LoadReport> report = freshReport();
        return new Load(
                (int) Math.max(
                        running.get(), report.map(r -> r.running().orElse(0)).orElse(0.0)),
                (int) Math.max(
                        waiting.get(), report.map(r -> r.waiting().orElse(0)).orElse(0.0)),
                report.map(r -> r.kvUsage().orElse(0)).orElse(0.0));
    }

    private Optional<LoadReport> freshReport() {
        Heard last = heard;
        return last != null
                        && nanoTime.getAsLong() - last.atNs
                                < REPORT_PROBES * settings.probe().toNanos()
                ? Optional.of(last.report)
                : Optional.empty();
    }

    @Override
    public WireCall forward(WireRequest request, WireListener listener) {
        UpstreamCall call = new UpstreamCall(this, request, listener);
        byte[] body;
        try {
            body = call.body();
        } catch (IOException e) {
            listener.onEvent(new Failed(Failures.unreadable(e)));
            return WireCall.NONE;
        }
        if (!hasRoom()) {
            listener.onEvent(new Failed(Failures.of(Cause.UNAVAILABLE, "it has as many requests as it may have")));
            return WireCall.NONE;
        }
        if (!circuit.enter()) {
            listener.onEvent(new Failed(Failures.of(Cause.UNAVAILABLE, "it failed of late")));
            return WireCall.NONE;
        }
        waiting.incrementAndGet();
        call.send(clients.here(), body);
        return call;
    }

    Vertx vertx() {
        return vertx;
    }

    UpstreamSettings settings() {
        return settings;
    }

    /** Its load as it says, with an answer or by its metrics. */
    void report(LoadReport report) {
        heard = new Heard(report, nanoTime.getAsLong());
    }

    /** The first token of a call is there. */
    void began() {
        waiting.decrementAndGet();
        running.incrementAndGet();
    }

    /** A call is over; without a failure it was answered. */
    void ended(boolean begun, @Nullable Failure failure) {
        left(begun);
        probe.heard();
        if (failure == null) {
            circuit.succeeded();
            return;
        }
        switch (failure.cause()) {
            case REJECTED -> circuit.succeeded();
            case OVERLOADED ->
                circuit.refused(Duration.ofSeconds(failure.retryAfterS().orElse(0)));
            case UNREACHABLE, TIMEOUT, MISCONFIGURED, FAULT -> {
                if (circuit.failed()) {
                    LOG.warnf("%s gets no requests for a while: %s", settings, failure.message());
                }
            }
            case UNAVAILABLE -> circuit.left();
        }
    }

    /** The caller of a call has gone. */
    void cancelled(boolean begun) {
        left(begun);
        circuit.left();
    }

    private void left(boolean begun) {
        (begun ? running : waiting).decrementAndGet();
        CountDownLatch latch = idle;
        if (latch != null && isIdle()) {
            latch.countDown();
        }
    }

    private boolean isIdle() {
        return running.get() + waiting.get() == 0;
    }

    @Override
    public void drain(Duration limit) throws InterruptedException {
        CountDownLatch latch = new CountDownLatch(1);
        idle = latch;
        if (!isIdle()) {
            latch.await(limit.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    /** Closes its connections; calls under way break off. */
    @Override
    public void close() {
        probe.close();
        clients.close();
    }
}
