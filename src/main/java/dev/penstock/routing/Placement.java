package dev.penstock.routing;

import dev.penstock.backend.Backend;
import dev.penstock.model.Money;
import dev.penstock.model.Usage;
import dev.penstock.routing.Decision.Reason;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A request's place on a backend. Whoever has it tells of each sequence's tokens and of its end, whatever end, once; more is
 * without effect. Safe for several threads.
 */
public final class Placement {
    private final ModelRoute route;
    private final Member member;
    private final Quote quote;
    private final Reason reason;
    private final List<Reservation> reservations;
    private final AtomicInteger open;
    private final AtomicBoolean done = new AtomicBoolean();
    private final AtomicLong costNanos = new AtomicLong();

    Placement(ModelRoute route, Member member, Quote quote, Reason reason, List<Reservation> reservations) {
        this.route = route;
        this.member = member;
        this.quote = quote;
        this.reason = reason;
        this.reservations = reservations;
        open = new AtomicInteger(reservations.size());
    }

    /** Where it is. */
    public Backend backend() {
        return member.backend();
    }

    /** What was foretold. */
    public Quote quote() {
        return quote;
    }

    /** Why it is there. */
    public Reason reason() {
        return reason;
    }

    /** What that saves, by what is foretold, against the dearest backend that fits. */
    public Money saved() {
        return reservations.stream().map(Reservation::saved).reduce(Money.ZERO, Money::plus);
    }

    /** What its sequences that are done cost. */
    public Money cost() {
        return new Money(costNanos.get());
    }

    /** So many more tokens of a sequence are there. */
    public void tokens(int sequence, int count) {
        Reservation r = reservations.get(sequence);
        boolean none = r.tokens() == 0;
        route.tokens(r, count);
        if (none && r.tokens() > 0) {
            route.firstToken(r);
        }
    }

    /** A sequence came to its end with these tokens. */
    public void done(int sequence, Usage usage) {
        Reservation r = reservations.get(sequence);
        if (r.close()) {
            Money cost = r.cost(usage);
            costNanos.accumulateAndGet(
                    cost.nanoUsd(), (a, b) -> new Money(a).plus(new Money(b)).nanoUsd());
            done.set(true);
            route.done(r, usage);
            ended(r);
        }
    }

    /** Its caller has left. */
    public void left() {
        for (Reservation r : reservations) {
            if (r.close()) {
                route.left(r);
                ended(r);
            }
        }
    }

    /** The backend has failed it. */
    public void failed() {
        for (Reservation r : reservations) {
            if (r.close()) {
                route.failed(r);
                ended(r);
            }
        }
    }

    private void ended(Reservation r) {
        if (open.decrementAndGet() == 0 && done.get()) {
            route.settled(this);
        }
        route.freed();
    }
}
