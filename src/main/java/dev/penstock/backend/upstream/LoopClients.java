package dev.penstock.backend.upstream;

import io.netty.channel.EventLoop;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.impl.ContextInternal;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The clients of one upstream, by event loop: a connection of another loop would cost a change of threads for every piece of a
 * reply. With TLS all loops share one, since connections are dear there and, over HTTP/2, of many requests at once. Safe for
 * many threads.
 */
final class LoopClients implements AutoCloseable {
    private final Vertx vertx;
    private final HttpClientOptions options;
    private final HttpClient shared;
    private final Map<EventLoop, HttpClient> others = new ConcurrentHashMap<>();

    /** Each has these options. */
    LoopClients(Vertx vertx, HttpClientOptions options) {
        this.vertx = vertx;
        this.options = options;
        shared = vertx.createHttpClient(options);
    }

    /** For now and then, from any context. */
    HttpClient shared() {
        return shared;
    }

    /** For requests from the context of the caller. */
    HttpClient here() {
        if (options.isSsl()) {
            return shared;
        }
        EventLoop loop = ((ContextInternal) vertx.getOrCreateContext()).nettyEventLoop();
        return others.computeIfAbsent(loop, first -> vertx.createHttpClient(options));
    }

    @Override
    public void close() {
        shared.close();
        others.values().forEach(HttpClient::close);
    }
}
