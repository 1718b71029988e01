import com.sun.management.ThreadMXBean;
import dev.penstock.model.Budget;
import dev.penstock.model.Money;
import dev.penstock.model.Price;
import dev.penstock.routing.BackendSpec;
import dev.penstock.routing.Calibration;
import dev.penstock.routing.Decision;
import dev.penstock.routing.Demand;
import dev.penstock.routing.ReplicaLatency;
import dev.penstock.routing.Reservation;
import dev.penstock.routing.RouterCore;
import dev.penstock.routing.RouterOptions;
import dev.penstock.routing.StepTimeModel;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/** Times decisions of the router over backends of four kinds, one at a time, with so many requests in flight on each. */
void main() {
    IO.println("backends  in flight each  picked   median us      p99 us    p99.9 us  bytes a decision");
    for (int backends : new int[] {32, 1000}) {
        for (int each : new int[] {4, 16, 64}) {
            measure(backends, each);
        }
    }
}

void measure(int backends, int each) {
    RouterCore core = new RouterCore(RouterOptions.DEFAULT);
    Calibration[] kinds = new Calibration[4];
    for (int kind = 0; kind < kinds.length; kind++) {
        StepTimeModel steps =
                new StepTimeModel(512, 0.01 * (1 + kind), 1e-4 * (1 + kind), 1e-9, 1e-5, 1e-8, 0);
        kinds[kind] = new Calibration(new ReplicaLatency(steps));
    }
    for (int i = 0; i < backends; i++) {
        core.add(
                new BackendSpec("backend-" + i, 256, 10_000_000, 512, 128, false),
                new Price.PerHour(new Money(1_000_000_000L * (1 + (3 - i % 4)))),
                kinds[i % kinds.length],
                0);
    }
    Budget[] budgets = {
        Budget.ofLatency(Duration.ofSeconds(2), Duration.ofMillis(120), null),
        Budget.ofLatency(Duration.ofSeconds(10), Duration.ofMillis(250), null),
        Budget.ofLatency(null, null, Duration.ofMinutes(2))
    };
    long now = 0;
    ArrayDeque<Reservation> running = new ArrayDeque<>();
    for (int i = 0; i < backends * each; i++) {
        Reservation r = core.place(i % backends, demand(i, budgets, now), now);
        core.token(r, now + 1_000_000);
        running.add(r);
    }
    int warmUp = backends > 100 ? 10_000 : 100_000;
    int timed = backends > 100 ? 10_000 : 100_000;
    long[] nanos = new long[timed];
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long bytes = 0;
    int picked = 0;
    for (int i = 0; i < warmUp + timed; i++) {
        now += 10_000_000;
        Demand demand = demand(i, budgets, now);
        long allocated = threads.getCurrentThreadAllocatedBytes();
        long from = System.nanoTime();
        Decision decision = core.decide(demand, now);
        long to = System.nanoTime();
        if (i >= warmUp) {
            nanos[i - warmUp] = to - from;
            bytes += threads.getCurrentThreadAllocatedBytes() - allocated;
            picked += decision instanceof Decision.Run ? 1 : 0;
        }
        if (decision instanceof Decision.Run(Reservation reservation, var quote, var reason)) {
            core.token(reservation, now + 1_000_000);
            running.add(reservation);
            core.end(running.poll(), true, now + 2_000_000);
        }
    }
    Arrays.sort(nanos);
    IO.println(String.format(
            Locale.ROOT,
            "%8d  %14d  %5.1f%%  %10.1f  %10.1f  %10.1f  %16d",
            backends,
            each,
            100.0 * picked / timed,
            nanos[timed / 2] / 1e3,
            nanos[timed * 99 / 100] / 1e3,
            nanos[timed * 999 / 1000] / 1e3,
            bytes / timed));
}

Demand demand(int i, Budget[] budgets, long now) {
    return new Demand("caller-" + i % 50, 100 + i * 37 % 4000, 64, Map.of(), budgets[i % 3], 0, now);
}
