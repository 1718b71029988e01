package dev.penstock.api;

import dev.penstock.api.ResponseObject.Status;
import dev.penstock.backend.TokenBackend;
import dev.penstock.model.Usage;
import dev.penstock.routing.Asker;
import dev.penstock.routing.Asking;
import dev.penstock.routing.Decision.Shed;
import dev.penstock.routing.Placement;
import dev.penstock.routing.Router;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** One response that is made without its caller's connection, from the router to where it is kept. Safe for many threads. */
final class BackgroundRun implements Asker {
    private static final Logger LOG = Logger.getLogger(BackgroundRun.class);

    private final Call call;
    private final Job job;
    private final Router router;
    private final ApiLimits limits;
    private final CallObserver.Watch watch;
    private final Runnable onEnd;
    private final Asking asking;

    // Guarded by this.
    private ResponseWriter writer;
    private @Nullable Attempt attempt;
    private @Nullable ApiException failure;
    private Status status = Status.QUEUED;

    private record Attempt(Placement placement, Choices choices, Generations generations) {}

    /**
     * Queued.
     *
     * @param onEnd run when it is kept as it ended
     */
    BackgroundRun(Call call, Job job, Router router, ApiLimits limits, CallObserver.Watch watch, Runnable onEnd) {
        this.call = call;
        this.job = job;
        this.router = router;
        this.limits = limits;
        this.watch = watch;
        this.onEnd = onEnd;
        asking = router.asking(call.model(), call.route(), this);
        writer = (ResponseWriter) job.newWriter();
        writer.keep(status, null);
    }

    /** Sends it on its way. */
    void begin() {
        asking.begin();
    }

    /** The {@code Response} as far as it has come. */
    synchronized byte[] json() {
        return writer.snapshot(status, failure);
    }

    @Override
    public void run(Placement placement) {
        if (!(placement.backend() instanceof TokenBackend backend)) {
            throw new IllegalStateException("A background run was sent elsewhere");
        }
        Choices choices = new Choices(
                1,
                Reply.PLAIN_NOTICE_BYTES,
                job.model().dialogue().reasoning() != null,
                () -> Thread.ofVirtual().name("background").start(this::take),
                // What is ready then is a failure, which ends it.
                () -> {});
        Generations generations =
                new Generations(placement, choices, failed -> failed(placement, Reply.error(failed, limits)));
        synchronized (this) {
            if (status.isLast()) {
                placement.left();
                return;
            }
            status = Status.IN_PROGRESS;
            writer = (ResponseWriter) job.newWriter();
            attempt = new Attempt(placement, choices, generations);
        }
        watch.placed(placement);
        try {
            generations.submit(backend, job.sequences());
        } catch (RuntimeException e) {
            LOG.error("A request could not be submitted", e);
            failed(placement, ApiException.internal("The model's backend failed; the log knows more."));
        }
    }

    /** The backend has failed it before it gave anything: another one is asked. */
    private void failed(Placement placement, ApiException error) {
        placement.failed();
        synchronized (this) {
            failure = error;
            attempt = null;
        }
        watch.movedOn(placement, error);
        asking.again(placement);
    }

    @Override
    public void refuse(Shed shed) {
        ApiException last;
        synchronized (this) {
            last = failure;
        }
        fail(last == null ? ShedError.of(shed, call, router, limits) : last);
    }

    private void fail(ApiException error) {
        if (settle(Status.FAILED, error)) {
            watch.failed(error);
            over();
        }
    }

    /** Takes what has come. */
    private void take() {
        Attempt current;
        Usage usage;
        synchronized (this) {
            current = attempt;
            if (current == null || status.isLast()) {
                return;
            }
            try {
                Choices choices = current.choices();
                for (Choices.Piece piece = choices.poll(); piece != null; piece = choices.poll()) {
                    writer.collect(piece, Reply.finished(piece, limits));
                }
                if (!writer.complete()) {
                    return;
                }
                usage = writer.usage();
                settle(writer.last(), null);
            } catch (ApiException e) {
                current.generations().cancel();
                fail(e);
                return;
            } catch (RuntimeException e) {
                LOG.error("A response failed", e);
                current.generations().cancel();
                fail(ApiException.internal("The server failed; its log knows more."));
                return;
            }
        }
        watch.answered(current.placement(), usage);
        over();
    }

    /** Ends it as cancelled, unless it has ended already. */
    void cancel() {
        if (!settle(Status.CANCELLED, null)) {
            return;
        }
        Attempt last;
        synchronized (this) {
            last = attempt;
        }
        asking.cancel();
        if (last != null) {
            last.generations().cancel();
            last.placement().left();
        }
        over();
    }

    /** Keeps it as it ended; false if it had ended before. */
    private synchronized boolean settle(Status how, @Nullable ApiException error) {
        if (status.isLast()) {
            return false;
        }
        status = how;
        failure = error;
        writer.keep(how, error);
        return true;
    }

    private void over() {
        onEnd.run();
        watch.over();
    }
}
