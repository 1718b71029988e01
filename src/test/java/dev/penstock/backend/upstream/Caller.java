package dev.penstock.backend.upstream;

import dev.penstock.model.WireCall;
import dev.penstock.model.WireEvent;
import dev.penstock.model.WireRequest;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Sends one request to an upstream and takes what comes of it. */
final class Caller {
    private static final long MAX_WAIT_S = 30;

    private final Context context;
    private final BlockingQueue<WireEvent> events = new LinkedBlockingQueue<>();
    private final CompletableFuture<WireCall> call = new CompletableFuture<>();
    final AtomicInteger received = new AtomicInteger();

    private Caller(Context context, Upstream upstream, WireRequest request) {
        this.context = context;
        context.runOnContext(nothing -> call.complete(upstream.forward(request, event -> {
            received.incrementAndGet();
            events.add(event);
        })));
    }

    static Caller send(Vertx vertx, Upstream upstream, WireRequest request) {
        return new Caller(vertx.getOrCreateContext(), upstream, request);
    }

    /** After another one, on its event loop. */
    static Caller sendAfter(Caller before, Upstream upstream, WireRequest request) {
        return new Caller(before.context, upstream, request);
    }

    static WireRequest stream(boolean includeUsage) {
        String options = includeUsage ? ",\"stream_options\":{\"include_usage\":true}" : "";
        return request("{\"model\":\"ours\",\"messages\":[],\"stream\":true" + options + "}", true, includeUsage);
    }

    static WireRequest plain() {
        return request("{\"messages\":[],\"model\":\"ours\"}", false, false);
    }

    static WireRequest request(String body, boolean stream, boolean includeUsage) {
        return new WireRequest(WireRequest.Endpoint.CHAT, body.getBytes(StandardCharsets.UTF_8), stream, includeUsage);
    }

    WireEvent next() throws InterruptedException {
        WireEvent event = events.poll(MAX_WAIT_S, TimeUnit.SECONDS);
        if (event == null) {
            throw new AssertionError("nothing came");
        }
        return event;
    }

    /** The JSON of the next chunk. */
    String chunk() throws InterruptedException {
        if (next() instanceof WireEvent.Chunk(byte[] json, String name, boolean token)) {
            return new String(json, StandardCharsets.UTF_8);
        }
        throw new AssertionError("no chunk came");
    }

    /** All up to the end; chunks and wholes as text. */
    List<Object> all() throws InterruptedException {
        List<Object> all = new ArrayList<>();
        while (true) {
            WireEvent event = next();
            switch (event) {
                case WireEvent.Chunk(byte[] json, String name, boolean token) ->
                    all.add(new String(json, StandardCharsets.UTF_8));
                case WireEvent.Whole(byte[] json) -> all.add(new String(json, StandardCharsets.UTF_8));
                case WireEvent.Ended ended -> {
                    all.add(ended);
                    return all;
                }
                case WireEvent.Failed failed -> {
                    all.add(failed);
                    return all;
                }
                case WireEvent.Broken broken -> {
                    all.add(broken);
                    return all;
                }
            }
        }
    }

    /** Does this with the call, on its context. */
    void with(Consumer<WireCall> action) throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        WireCall own = call.get(MAX_WAIT_S, TimeUnit.SECONDS);
        context.runOnContext(nothing -> {
            action.accept(own);
            done.complete(null);
        });
        done.get(MAX_WAIT_S, TimeUnit.SECONDS);
    }
}
