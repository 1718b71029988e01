package dev.penstock.routing;

import dev.penstock.backend.Backend;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A request on its way through a router. */
public final class Asking {
    private final Router router;
    private final String model;
    private final RouteRequest request;
    private final Asker asker;
    private final long arrivedNs;
    private @Nullable ModelRoute route;
    private Set<Backend> tried = Set.of();
    private boolean over;

    Asking(Router router, String model, RouteRequest request, Asker asker, long arrivedNs) {
        this.router = router;
        this.model = model;
        this.request = request;
        this.asker = asker;
        this.arrivedNs = arrivedNs;
    }

    /** Asks; who asks is answered before this returns, or later where the request has to wait. */
    public void begin() {
        ModelRoute at = router.route(model);
        synchronized (this) {
            if (over) {
                return;
            }
            route = at;
        }
        if (at == null) {
            refuse(Decision.Shed.NOWHERE);
        } else {
            at.ask(this);
        }
    }

    /** Asks anew: the backend of this placement has failed the request, which has given nothing yet, and is not tried again. */
    public void again(Placement failed) {
        synchronized (this) {
            Set<Backend> more = new HashSet<>(tried);
            more.add(failed.backend());
            tried = Set.copyOf(more);
        }
        begin();
    }

    /** It waits no more; who asks hears nothing from now on. */
    public void cancel() {
        ModelRoute at;
        synchronized (this) {
            over = true;
            at = route;
        }
        if (at != null) {
            at.leave(this);
        }
    }

    void run(Placement placement) {
        if (isOver()) {
            placement.left();
        } else {
            asker.run(placement);
        }
    }

    void refuse(Decision.Shed shed) {
        if (!isOver()) {
            asker.refuse(shed);
        }
    }

    private synchronized boolean isOver() {
        return over;
    }

    RouteRequest request() {
        return request;
    }

    long arrivedNs() {
        return arrivedNs;
    }

    /** Backends that have failed it: another one of the same name may have come since. */
    synchronized Set<Backend> tried() {
        return tried;
    }
}
