package dev.penstock.api;

import dev.penstock.backend.TokenBackend;
import dev.penstock.model.FinishReason;
import dev.penstock.model.Generation;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.Usage;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Does with each request what the next script says; without one it says "Hello, world" in two pieces. */
public final class ScriptedBackend implements TokenBackend {
    private static final long MAX_WAIT_S = 60;

    private final String name;
    private final String model;
    private final Queue<Script> scripts = new ConcurrentLinkedQueue<>();
    private final BlockingQueue<GenerationRequest> requests = new LinkedBlockingQueue<>();
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger cancelled = new AtomicInteger();

    public ScriptedBackend(String model) {
        this("scripted-" + model, model);
    }

    public ScriptedBackend(String name, String model) {
        this.name = name;
        this.model = model;
    }

    /** Forgets scripts and requests. */
    public void reset() {
        scripts.clear();
        requests.clear();
        cancelled.set(0);
    }

    /** What the next requests get, in order. */
    public void play(Script... next) {
        scripts.addAll(List.of(next));
    }

    /** The next request that came, waiting for it. */
    public GenerationRequest request() throws InterruptedException {
        GenerationRequest request = requests.poll(MAX_WAIT_S, TimeUnit.SECONDS);
        if (request == null) {
            throw new AssertionError("no request came");
        }
        return request;
    }

    /** Requests that came and were not asked for with {@link #request}. */
    public int unread() {
        return requests.size();
    }

    /** Requests whose scripts are not at their end. */
    public int running() {
        return running.get();
    }

    /** Requests that were cancelled before their scripts were at their end. */
    public int cancelled() {
        return cancelled.get();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String model() {
        return model;
    }

    @Override
    public Load load() {
        return new Load(running.get(), 0, 0);
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationListener listener) {
        Script script = scripts.poll();
        Play play = new Play(
                request, script == null ? Script.says("Hello,", " world").ends(FinishReason.STOP) : script, listener);
        running.incrementAndGet();
        requests.add(request);
        Thread.ofVirtual().name("scripted").start(play);
        return play;
    }

    private final class Play implements Generation, Runnable {
        private final GenerationRequest request;
        private final Script script;
        private final GenerationListener listener;
        private final CountDownLatch cancel = new CountDownLatch(1);
        private int tokens;

        Play(GenerationRequest request, Script script, GenerationListener listener) {
            this.request = request;
            this.script = script;
            this.listener = listener;
        }

        @Override
        public void cancel() {
            cancel.countDown();
        }

        @Override
        public void run() {
            for (Script.Step step : script.steps()) {
                if (cancel.getCount() == 0) {
                    cancelled.incrementAndGet();
                    running.decrementAndGet();
                    listener.onEvent(new Finished(FinishReason.CANCELLED, null, usage()));
                    return;
                }
                switch (step) {
                    case Script.Step.Say say -> {
                        tokens += say.delta().tokens();
                        listener.onEvent(say.delta());
                    }
                    case Script.Step.Score score -> listener.onEvent(score.scored());
                    case Script.Step.Await await -> awaitEither(await.latch());
                    case Script.Step.Finish finish -> {
                        running.decrementAndGet();
                        listener.onEvent(new Finished(finish.reason(), finish.stopSequence(), usage()));
                        return;
                    }
                    case Script.Step.Fail fail -> {
                        running.decrementAndGet();
                        listener.onEvent(fail.failed());
                        return;
                    }
                }
            }
            throw new IllegalStateException("A script must have an end");
        }

        private Usage usage() {
            return new Usage(request.promptTokens().length, script.cachedTokens(), tokens);
        }

        private void awaitEither(CountDownLatch latch) {
            while (latch.getCount() > 0 && cancel.getCount() > 0) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
        }
    }
}
