package dev.penstock.routing;

import dev.penstock.backend.Backend;
import dev.penstock.backend.WireBackend;
import dev.penstock.engine.EngineObserver.StepSummary;
import dev.penstock.model.Budget;
import dev.penstock.model.Usage;
import dev.penstock.routing.Decision.Reason;
import dev.penstock.routing.RouteRequest.Size;
import dev.penstock.routing.RoutingObserver.Kind;
import dev.penstock.routing.RoutingObserver.Latency;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Finds places for the requests of one model, and lets those wait that will fit soon; safe for many threads. */
final class ModelRoute {
    /** Requests that may wait for a backend to become free. */
    private static final int LINE = 4096;

    private static final int PREFIX_BLOCKS = 1 << 16;

    /** Between looks at what else runs on the backends. */
    private static final long REPORT_NS = 100_000_000;

    private final String model;
    private final Budget defaults;
    private final List<Member> members;
    private final RouterCore core;

    /** Of all routes of the model: one and the next one share what is learned of backends that stay. */
    private final Object learning;

    private final RoutingObserver observer;
    private final LongSupplier nanoTime;
    private final ScheduledExecutorService timer;
    private final AtomicLong lookedNs;

    // Guarded by the line.
    private final WaitingLine<Asking> line = new WaitingLine<>(LINE);
    private boolean closed;

    // Guarded by itself.
    private final PrefixMemory prefixes = new PrefixMemory(PREFIX_BLOCKS);

    ModelRoute(
            String model,
            Budget defaults,
            List<Member> members,
            RouterOptions options,
            RoutingObserver observer,
            LongSupplier nanoTime,
            ScheduledExecutorService timer,
            @Nullable ModelRoute before) {
        this.model = model;
        this.defaults = defaults;
        this.members = List.copyOf(members);
        this.observer = observer;
        this.nanoTime = nanoTime;
        this.timer = timer;
        learning = before == null ? new Object() : before.learning;
        core = new RouterCore(options);
        long nowNs = nanoTime.getAsLong();
        lookedNs = new AtomicLong(nowNs - REPORT_NS);
        for (Member member : members) {
            int place = core.add(member.spec(), member.price(), member.calibration(), nowNs);
            StepFeed steps = member.steps();
            if (steps != null) {
                steps.attach(step -> step(place, step));
            }
        }
    }

    private void step(int place, StepSummary step) {
        synchronized (learning) {
            core.step(
                    place,
                    step.promptTokens(),
                    step.promptContext(),
                    step.decodeTokens(),
                    step.kvTokens(),
                    StepFeed.seconds(step),
                    nanoTime.getAsLong());
        }
    }

    /** Sequences that have a place. */
    int inFlight() {
        return IntStream.range(0, members.size()).map(core::inFlight).sum();
    }

    /** Finds a place for a request, or has it wait. */
    void ask(Asking asking) {
        long nowNs = nanoTime.getAsLong();
        look(nowNs);
        Demand demand = demand(asking, largest(asking.request()));
        Decision decision;
        synchronized (learning) {
            decision = core.decide(demand, nowNs);
        }
        switch (decision) {
            case Decision.Run run -> place(asking, run, nowNs);
            case Decision.Wait wait -> await(asking, demand, wait, nowNs);
            case Decision.Shed shed -> refuse(asking, shed);
        }
    }

    private void place(Asking asking, Decision.Run run, long nowNs) {
        Reservation first = run.reservation();
        List<Size> sizes = asking.request().sequences();
        Size largest = largest(asking.request());
        boolean firstIsIn = false;
        List<Reservation> all = new ArrayList<>(sizes.size());
        for (Size size : sizes) {
            boolean isFirst = !firstIsIn && size.equals(largest);
            firstIsIn |= isFirst;
            all.add(isFirst ? first : alongside(first, demand(asking, size), nowNs));
        }
        Member member = members.get(first.place());
        if (member.cachesPrefixes()) {
            synchronized (prefixes) {
                prefixes.put(asking.request().prefix(), first.place());
            }
        }
        observer.placed(model, first.backend(), run.reason());
        asking.run(new Placement(this, member, run.quote(), run.reason(), all));
    }

    private Reservation alongside(Reservation first, Demand demand, long nowNs) {
        synchronized (learning) {
            return core.place(first.place(), demand, nowNs);
        }
    }

    private void await(Asking asking, Demand demand, Decision.Wait wait, long nowNs) {
        observer.notPlaced(model, Reason.WAITING);
        Optional<Asking> refused = Optional.empty();
        boolean late;
        synchronized (line) {
            late = closed;
            if (!late) {
                refused = line.add(asking, demand, wait.untilNs());
                timer.schedule(this::wake, Math.max(0, wait.untilNs() - nowNs), TimeUnit.NANOSECONDS);
            }
        }
        if (late) {
            // Another route has taken this one's place.
            asking.begin();
        }
        refused.ifPresent(a -> refuse(a, Decision.Shed.FULL));
    }

    private void refuse(Asking asking, Decision.Shed shed) {
        observer.notPlaced(model, shed.reason());
        asking.refuse(shed);
    }

    /** Asks again for those whose time has come, each once. */
    private void wake() {
        long nowNs = nanoTime.getAsLong();
        for (Optional<Asking> next = poll(nowNs); next.isPresent(); next = poll(nowNs)) {
            next.get().begin();
        }
    }

    /** Something has ended: the one whose deadline is nearest may fit now. */
    void freed() {
        synchronized (line) {
            if (line.size() == 0) {
                return;
            }
        }
        timer.execute(() -> poll(Long.MAX_VALUE).ifPresent(Asking::begin));
    }

    private Optional<Asking> poll(long nowNs) {
        synchronized (line) {
            return line.poll(nowNs);
        }
    }

    /** Takes one out that waits no more. */
    void leave(Asking asking) {
        synchronized (line) {
            line.remove(asking);
        }
    }

    /** Lets none wait from now on; answers who did. */
    List<Asking> close() {
        List<Asking> waiting = new ArrayList<>();
        synchronized (line) {
            closed = true;
            for (Optional<Asking> next = line.poll(Long.MAX_VALUE);
                    next.isPresent();
                    next = line.poll(Long.MAX_VALUE)) {
                waiting.add(next.get());
            }
        }
        return waiting;
    }

    /** What each backend would answer. */
    List<Quote> quotes(Asking asking) {
        long nowNs = nanoTime.getAsLong();
        look(nowNs);
        Demand demand = demand(asking, largest(asking.request()));
        synchronized (learning) {
            return core.quotes(demand, nowNs);
        }
    }

    private static Size largest(RouteRequest request) {
        return request.sequences().stream()
                .max(Comparator.comparingInt(Size::promptTokens))
                .orElseThrow();
    }

    private Demand demand(Asking asking, Size size) {
        RouteRequest request = asking.request();
        return new Demand(
                request.caller(),
                Math.max(1, size.promptTokens()),
                Math.max(1, size.maxTokens()),
                cached(request.prefix()),
                request.budget().or(defaults),
                request.priority(),
                asking.arrivedNs(),
                tried(asking));
    }

    /** Where it is not to be sent: to what has failed it, and to servers elsewhere where it must not leave. */
    private Set<String> tried(Asking asking) {
        Set<Backend> tried = asking.tried();
        boolean replicasOnly = asking.request().replicasOnly();
        return tried.isEmpty() && !replicasOnly
                ? Set.of()
                : members.stream()
                        .map(Member::backend)
                        .filter(b -> tried.contains(b) || (replicasOnly && b instanceof WireBackend))
                        .map(Backend::name)
                        .collect(Collectors.toSet());
    }

    private Map<String, Integer> cached(Prefix prefix) {
        Map<String, Integer> cached = Map.of();
        if (prefix.hashes().length == 0) {
            return cached;
        }
        synchronized (prefixes) {
            for (int i = 0; i < members.size(); i++) {
                int tokens = members.get(i).cachesPrefixes() ? prefixes.cached(prefix, i) : 0;
                if (tokens > 0) {
                    cached = cached.isEmpty() ? new HashMap<>() : cached;
                    cached.put(members.get(i).backend().name(), tokens);
                }
            }
        }
        return cached;
    }

    /** Learns which backends take requests, and now and then what others have sent them. */
    private void look(long nowNs) {
        long last = lookedNs.get();
        boolean reports = nowNs - last >= REPORT_NS && lookedNs.compareAndSet(last, nowNs);
        for (int i = 0; i < members.size(); i++) {
            Backend backend = members.get(i).backend();
            core.setUp(i, backend.available());
            if (reports) {
                Backend.Load load = backend.load();
                core.report(i, load.running() + load.waiting(), nowNs);
            }
        }
    }

    void tokens(Reservation r, int count) {
        long nowNs = nanoTime.getAsLong();
        synchronized (learning) {
            for (int i = 0; i < count; i++) {
                core.token(r, nowNs);
            }
        }
    }

    void firstToken(Reservation r) {
        observer.measured(
                model, r.backend(), new Latency(Kind.TTFT, r.ttftPredicted(), r.ttftBound(), r.ttftSeconds()));
    }

    void done(Reservation r, Usage usage) {
        long nowNs = nanoTime.getAsLong();
        synchronized (learning) {
            core.end(r, usage.completionTokens(), nowNs);
        }
        if (r.tokens() > 0 && usage.completionTokens() > 1) {
            double seconds = r.sinceFirstTokenSeconds(nowNs) / (usage.completionTokens() - 1);
            observer.measured(model, r.backend(), new Latency(Kind.TPOT, r.tpotPredicted(), r.tpotBound(), seconds));
        }
    }

    void left(Reservation r) {
        core.leave(r);
    }

    void failed(Reservation r) {
        core.end(r, false, nanoTime.getAsLong());
    }

    void settled(Placement placement) {
        observer.settled(model, placement.backend().name(), placement.cost(), placement.saved());
    }
}
