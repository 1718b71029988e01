package dev.penstock.api;

import dev.penstock.routing.Router;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The responses that are being made without their callers' connections. */
@ApplicationScoped
class BackgroundRuns {
    private final Map<String, BackgroundRun> all = new ConcurrentHashMap<>();
    private final Router router;
    private final RequestGate gate;
    private final ApiLimits limits;
    private final CallObserver observer;

    BackgroundRuns(Router router, RequestGate gate, ApiLimits limits, CallObserver observer) {
        this.router = router;
        this.gate = gate;
        this.limits = limits;
        this.observer = observer;
    }

    /**
     * Begins to make a response.
     *
     * @param headers the request's, by name
     * @return the {@code Response} as it is at first
     */
    byte[] begin(Call call, Job job, Function<String, @Nullable String> headers) {
        RequestGate.State state = gate.enter();
        if (state != RequestGate.State.OPEN) {
            throw ApiException.overloaded(limits.retryAfterS(), state.refusal());
        }
        CallObserver.Watch watch = observer.begin(call.wire().endpoint(), call.model(), headers);
        BackgroundRun run = new BackgroundRun(call, job, router, limits, watch, () -> {
            all.remove(job.id());
            gate.leave();
        });
        all.put(job.id(), run);
        byte[] first = run.json();
        run.begin();
        return first;
    }

    /** The one of that id, if it has not ended. */
    @Nullable
    BackgroundRun find(String id) {
        return all.get(id);
    }
}
