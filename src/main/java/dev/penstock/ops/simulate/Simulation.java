package dev.penstock.ops.simulate;

import dev.penstock.model.Money;
import dev.penstock.model.Price;
import dev.penstock.ops.simulate.SimReplica.Job;
import dev.penstock.routing.BackendSpec;
import dev.penstock.routing.Calibration;
import dev.penstock.routing.Decision;
import dev.penstock.routing.Demand;
import dev.penstock.routing.OutputLengths;
import dev.penstock.routing.Quote;
import dev.penstock.routing.ReplicaLatency;
import dev.penstock.routing.Reservation;
import dev.penstock.routing.RouterCore;
import dev.penstock.routing.RouterOptions;
import dev.penstock.routing.StepTimeModel;
import dev.penstock.routing.WaitingLine;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** One run of a trace over a fleet under a policy; the same seed gives the same run. */
final class Simulation {
    private static final double IDLE_LIMIT_SECONDS = 60;
    private static final int MAX_TOKENS = 2048;

    /** Requests that may wait. */
    private static final int LINE = 1000;

    /** Requests in whose time predictions are not judged. */
    private static final int WARM_UP = 500;

    /** The usual start of a step model that was never measured: 50 ms and 1 ms a prompt token. */
    private static final double[] UNMEASURED = {0.05, 0.001, 0, 0, 0, 0};

    private final List<SimRequest> requests;
    private final Fleet fleet;
    private final Policy policy;
    private final Stress stress;
    private final RouterCore core;
    private final SimReplica[] replicas;
    private final Policy.View view;
    private final SplittableRandom random;
    private final WaitingLine<SimRequest> line = new WaitingLine<>(LINE);
    private final Tally tally;
    private final Tariff[] tariffs;
    private final long endOfTraceNs;
    private long reportNs;
    private boolean middlePassed;
    private boolean deathPassed;

    private Simulation(Trace trace, Fleet fleet, Policy policy, Stress stress, long seed) {
        this.fleet = fleet;
        this.policy = policy;
        this.stress = stress;
        random = new SplittableRandom(seed);
        requests = stressed(trace.requests(), stress, random);
        endOfTraceNs = requests.getLast().arrivalNs();
        core = policy == Policy.CLAIRVOYANT
                ? new RouterCore(RouterOptions.DEFAULT, Foresight.TRUE_LENGTHS)
                : new RouterCore(RouterOptions.DEFAULT, new OutputLengths());
        replicas = fleet.replicas().stream()
                .map(c -> new SimReplica(c, random.nextLong()))
                .toArray(SimReplica[]::new);
        Map<String, Calibration> calibrations = new HashMap<>();
        tariffs = new Tariff[replicas.length];
        for (int i = 0; i < replicas.length; i++) {
            HardwareClass c = replicas[i].hardware;
            SimReplica replica = replicas[i];
            Calibration calibration = calibrations.computeIfAbsent(
                    policy == Policy.CLAIRVOYANT ? "replica " + i : c.name(),
                    name -> new Calibration(
                            policy == Policy.CLAIRVOYANT ? new Foresight(replica) : new ReplicaLatency(measured(c))));
            BackendSpec spec = new BackendSpec(
                    c.name() + "-" + i,
                    c.maxSequences(),
                    c.kvTokens(),
                    c.stepTokens(),
                    c.promptTokensBesideDecodes(),
                    false);
            core.add(spec, perHour(c.usdPerHour()), calibration, 0);
            tariffs[i] = new Tariff(c.usdPerHour());
        }
        tally = new Tally(requests.size(), List.copyOf(calibrations.values()));
        view = new Policy.View(core, replicas, random.nextLong());
    }

    /** Runs it. */
    static Outcome run(Trace trace, Fleet fleet, Policy policy, Stress stress, long seed) {
        return new Simulation(trace, fleet, policy, stress, seed).run();
    }

    private Outcome run() {
        int next = 0;
        long now = 0;
        while (true) {
            int replica = -1;
            long stepEnd = Long.MAX_VALUE;
            for (int i = 0; i < replicas.length; i++) {
                if (replicas[i].stepEndNs < stepEnd) {
                    stepEnd = replicas[i].stepEndNs;
                    replica = i;
                }
            }
            long arrival = next < requests.size() ? requests.get(next).arrivalNs() : Long.MAX_VALUE;
            long retry = line.nextNs().orElse(Long.MAX_VALUE);
            long event = Math.min(stepEnd, Math.min(arrival, retry));
            if (event == Long.MAX_VALUE) {
                break;
            }
            now = Math.max(now, event);
            disturb(now);
            if (stepEnd == event && replicas[replica].stepEndNs == event) {
                endStep(replica, now);
            } else if (arrival == event) {
                ask(requests.get(next++), now);
            } else if (retry == event) {
                long at = now;
                line.poll(at).ifPresent(r -> ask(r, at));
            }
        }
        for (Tariff t : tariffs) {
            t.close();
        }
        return tally.outcome(tariffs, Math.max(now, endOfTraceNs) * 1e-9, fleet);
    }

    private void ask(SimRequest request, long now) {
        Demand demand = new Demand(
                request.hurry().name(),
                request.promptTokens(),
                policy == Policy.CLAIRVOYANT ? request.outputTokens() : MAX_TOKENS,
                Map.of(),
                request.hurry().budget,
                0,
                request.arrivalNs());
        if (!policy.routes()) {
            refreshView(now);
            int pick = policy.pick(view, demand, now);
            if (pick < 0) {
                tally.refused(request);
            } else {
                view.inFlight[pick]++;
                send(request, core.place(pick, demand, now), now);
            }
            return;
        }
        switch (core.decide(demand, now)) {
            case Decision.Run(var reservation, Quote quote, var reason) -> send(request, reservation, now);
            case Decision.Wait(long untilNs, var reason) ->
                line.add(request, demand, untilNs).ifPresent(tally::refused);
            case Decision.Shed shed -> tally.refused(request);
        }
    }

    private void send(SimRequest request, Reservation reservation, long now) {
        int place = reservation.place();
        replicas[place].waiting.add(new Job(request, reservation));
        begin(place, now);
    }

    private void begin(int place, long now) {
        replicas[place].begin(now);
    }

    private void endStep(int place, long now) {
        SimReplica r = replicas[place];
        tariffs[place].worked(r.stepBeganNs * 1e-9, now * 1e-9);
        core.step(place, r.stepPrompt, r.stepContext, r.stepSequences, r.stepKv, r.stepSeconds, now);
        r.end(job -> {
            if (job.tokens == 1) {
                job.firstTokenNs = now;
            }
            core.token(job.reservation, now);
            if (job.tokens == job.request.outputTokens()) {
                core.end(job.reservation, true, now);
                tally.answered(job, now);
                view.inFlight[place] -= stress == Stress.STALE_REPORTS ? 0 : 1;
            }
        });
        begin(place, now);
    }

    /** Old reports: what was in flight is told at intervals of 1 to 15 s; between them a policy knows nothing. */
    private void refreshView(long now) {
        if (stress == Stress.STALE_REPORTS && now >= reportNs) {
            for (int i = 0; i < replicas.length; i++) {
                view.inFlight[i] = core.inFlight(i);
            }
            reportNs = now + random.nextLong(1_000_000_000L, 15_000_000_000L);
        }
    }

    private void disturb(long now) {
        if (stress == Stress.DEATH && !deathPassed && now > endOfTraceNs / 3) {
            deathPassed = true;
            die(now);
        }
        if (stress == Stress.STALE_REPORTS && policy.routes() && now >= reportNs) {
            for (int i = 0; i < replicas.length; i++) {
                core.report(i, view.inFlight[i], now);
                view.inFlight[i] = core.inFlight(i);
            }
            reportNs = now + random.nextLong(1_000_000_000L, 15_000_000_000L);
        }
        if (middlePassed || now <= endOfTraceNs / 2) {
            return;
        }
        middlePassed = true;
        if (stress == Stress.SLOWDOWN) {
            for (int i = 0; i < replicas.length; i += 2) {
                replicas[i].slowdown = 1.5;
            }
        }
        if (stress == Stress.PRICE_FLIP) {
            flipPrices();
        }
    }

    private void die(long now) {
        int place = replicas.length - 1;
        SimReplica dead = replicas[place];
        dead.alive = false;
        core.setUp(place, false);
        for (Job job : dead.clear()) {
            core.end(job.reservation, false, now);
            view.inFlight[place]--;
            if (job.tokens == 0) {
                ask(job.request, now);
            } else {
                tally.refused(job.request);
            }
        }
    }

    /** The class that was cheapest for a nominal request costs what the dearest did, and so on. */
    private void flipPrices() {
        List<HardwareClass> byPrice = fleet.replicas().stream()
                .distinct()
                .sorted(Comparator.comparingDouble(HardwareClass::nominalUsd))
                .toList();
        for (int i = 0; i < replicas.length; i++) {
            int rank = byPrice.indexOf(replicas[i].hardware);
            HardwareClass c = replicas[i].hardware.withNominalUsd(
                    byPrice.get(byPrice.size() - 1 - rank).nominalUsd());
            tariffs[i].usdPerHour = c.usdPerHour();
            view.nominalUsd[i] = c.nominalUsd();
            core.setPrice(i, perHour(c.usdPerHour()));
        }
    }

    private static Price perHour(double usd) {
        return new Price.PerHour(Money.ofUsd(BigDecimal.valueOf(usd)));
    }

    /** A step model after the short measurement at a start: each kind of step a few times. */
    private StepTimeModel measured(HardwareClass c) {
        StepTimeModel model = new StepTimeModel(c.stepTokens(), UNMEASURED);
        if (stress == Stress.COLD_START) {
            return model;
        }
        for (int round = 0; round < 12; round++) {
            for (int prompt : new int[] {0, c.promptTokensBesideDecodes(), c.stepTokens()}) {
                for (int sequences : new int[] {0, 1, Math.max(2, c.maxSequences() / 4)}) {
                    boolean planned = prompt <= c.promptRoom(sequences);
                    if (planned && prompt + sequences > 0) {
                        double context = round % 2 == 0 ? 500 : 3000;
                        double kv = sequences * (round % 3 + 1) * 800.0;
                        double seconds =
                                c.noisy(c.stepSeconds(prompt, prompt == 0 ? 0 : context, sequences, kv), random);
                        model.observe(prompt, prompt == 0 ? 0 : context, sequences, kv, seconds);
                    }
                }
            }
        }
        return model;
    }

    private static List<SimRequest> stressed(List<SimRequest> requests, Stress stress, SplittableRandom random) {
        long end = requests.getLast().arrivalNs();
        List<SimRequest> changed = new ArrayList<>();
        for (SimRequest r : requests) {
            boolean late = r.arrivalNs() > end / 2;
            boolean rush = late && r.arrivalNs() < end / 2 + 30_000_000_000L;
            int factor = stress == Stress.WRONG_LENGTHS && late ? 3 : 1;
            int output = Math.min(MAX_TOKENS, r.outputTokens() * factor);
            changed.add(new SimRequest(r.arrivalNs(), r.promptTokens(), output, r.hurry()));
            for (int copy = 1; stress == Stress.BURST && rush && copy < 5; copy++) {
                long at = r.arrivalNs() + random.nextLong(1_000_000_000L);
                changed.add(new SimRequest(at, r.promptTokens(), r.outputTokens(), r.hurry()));
            }
        }
        changed.sort(Comparator.comparingLong(SimRequest::arrivalNs));
        return changed;
    }

    /** What a server costs. */
    static final class Tariff {
        private double usdPerHour;
        private double busyUsd;
        private double billedUsd;
        private double untilSeconds = Double.NEGATIVE_INFINITY;

        private Tariff(double usdPerHour) {
            this.usdPerHour = usdPerHour;
        }

        /** Idle for less than the limit it is kept, and paid for; else it was given back after the limit. */
        private void worked(double from, double to) {
            double rate = usdPerHour / 3600;
            busyUsd += rate * (to - from);
            billedUsd += rate * (Math.min(from - untilSeconds, IDLE_LIMIT_SECONDS) + to - from);
            untilSeconds = to;
        }

        private void close() {
            billedUsd += busyUsd == 0 ? 0 : usdPerHour / 3600 * IDLE_LIMIT_SECONDS;
        }

        double busyUsd() {
            return busyUsd;
        }

        double billedUsd() {
            return billedUsd;
        }
    }

    /** Counts what becomes of requests. */
    private static final class Tally {
        private final int[] came = new int[SimRequest.Hurry.values().length];
        private final int[] kept = new int[came.length];
        private final double[] ttft;
        private final double[] tpot;
        private final List<Calibration> calibrations;
        private int answered;
        private int timed;
        private double ttftError;
        private double tpotError;
        private int ttftJudged;
        private int tpotJudged;

        private Tally(int requests, List<Calibration> calibrations) {
            ttft = new double[requests];
            tpot = new double[requests];
            this.calibrations = calibrations;
        }

        private void refused(SimRequest request) {
            came[request.hurry().ordinal()]++;
        }

        private void answered(Job job, long now) {
            SimRequest r = job.request;
            double first = (job.firstTokenNs - r.arrivalNs()) * 1e-9;
            double whole = (now - r.arrivalNs()) * 1e-9;
            double each = job.tokens > 1 ? (now - job.firstTokenNs) * 1e-9 / (job.tokens - 1) : 0;
            came[r.hurry().ordinal()]++;
            kept[r.hurry().ordinal()] += r.hurry().keeps(first, each, whole) ? 1 : 0;
            ttft[answered++] = first;
            if (job.tokens > 1) {
                tpot[timed++] = each;
            }
            if (answered > WARM_UP) {
                double sincePick = job.reservation.ttftSeconds();
                ttftError += Math.abs(job.reservation.ttftPredicted() - sincePick) / sincePick;
                ttftJudged++;
                if (job.tokens > 1) {
                    tpotError += Math.abs(job.reservation.tpotPredicted() - each) / each;
                    tpotJudged++;
                }
            }
        }

        private Outcome outcome(Tariff[] tariffs, double seconds, Fleet fleet) {
            int all = 0;
            int good = 0;
            double[] byHurry = new double[came.length];
            for (int i = 0; i < came.length; i++) {
                all += came[i];
                good += kept[i];
                byHurry[i] = came[i] == 0 ? 1 : kept[i] / (double) came[i];
            }
            double busy = 0;
            double billed = 0;
            for (Tariff t : tariffs) {
                busy += t.busyUsd();
                billed += t.billedUsd();
            }
            double held = 0;
            long seen = 0;
            for (Calibration c : calibrations) {
                for (var bound : List.of(c.ttft(), c.tpot())) {
                    held += bound.seen() == 0 ? 0 : bound.coverage() * bound.seen();
                    seen += bound.seen();
                }
            }
            return new Outcome(
                    all,
                    answered,
                    good / (double) all,
                    byHurry,
                    busy,
                    billed,
                    fleet.usdPerHour() * seconds / 3600,
                    quantiles(ttft, answered),
                    quantiles(tpot, timed),
                    ttftError / Math.max(1, ttftJudged),
                    tpotError / Math.max(1, tpotJudged),
                    held / Math.max(1, seen));
        }

        private static double[] quantiles(double[] values, int count) {
            double[] sorted = java.util.Arrays.copyOf(values, count);
            java.util.Arrays.sort(sorted);
            return java.util.stream.DoubleStream.of(0.5, 0.9, 0.99)
                    .map(q -> count == 0 ? Double.NaN : sorted[(int) Math.min(count - 1, q * count)])
                    .toArray();
        }
    }
}
