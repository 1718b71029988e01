package dev.penstock.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.Budget;
import dev.penstock.model.Money;
import dev.penstock.model.Price;
import dev.penstock.routing.Decision.Reason;
import dev.penstock.routing.Quote.Fit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class RouterCoreTest {
    private static final Budget HURRIED = Budget.ofLatency(Duration.ofSeconds(1), Duration.ofMillis(80), null);
    private static final Budget UNHURRIED = Budget.ofLatency(Duration.ofSeconds(30), null, null);

    private final RouterOptions strict = new RouterOptions(0.05, 0, 7, RouterOptions.Late.REFUSE, 1);
    private RouterCore core = new RouterCore(strict);

    /** 1,000 prompt tokens take 10 s and a token 50 ms. */
    private int slow(RouterCore core, long nanosPerHour) {
        return add(core, "slow", nanosPerHour, 0.05, 0.01, false);
    }

    /** 1,000 prompt tokens take 0.1 s and a token 10 ms. */
    private int fast(RouterCore core, long nanosPerHour) {
        return add(core, "fast", nanosPerHour, 0.01, 1e-4, false);
    }

    private static int add(
            RouterCore core, String name, long nanosPerHour, double base, double perToken, boolean spill) {
        LatencyModel model = new ReplicaLatency(new StepTimeModel(256, base, perToken, 0, 0, 0, 0));
        return core.add(
                new BackendSpec(name, 64, 1_000_000, 256, 256, spill),
                new Price.PerHour(new Money(nanosPerHour)),
                new Calibration(model),
                0);
    }

    private static Demand demand(int prompt, Budget budget) {
        return new Demand("caller", prompt, 20, Map.of(), budget, 0, 0);
    }

    private static Decision.Run run(Decision decision) {
        assertThat(decision).isInstanceOf(Decision.Run.class);
        return (Decision.Run) decision;
    }

    @Test
    void whoIsInAHurryGetsTheDearBackendAndWhoIsNotTheCheapOne() {
        slow(core, 1_000_000);
        fast(core, 1_000_000_000);
        Decision.Run hurried = run(core.decide(demand(1000, HURRIED), 0));
        Decision.Run unhurried = run(core.decide(demand(1000, UNHURRIED), 0));
        assertThat(hurried.reservation().backend()).isEqualTo("fast");
        assertThat(unhurried.reservation().backend()).isEqualTo("slow");
        assertThat(unhurried.quote().cost()).isLessThan(hurried.quote().cost());
    }

    @Test
    void noLatencyIsForetoldThatWouldLieInThePast() {
        // Prompt tokens cost nothing until they are many, so that a step that isn't full takes far less than its share.
        LatencyModel model = new ReplicaLatency(new StepTimeModel(256, 1e-4, 0, 0, 0, 0, 1e-3));
        int place = core.add(
                new BackendSpec("steep", 64, 1_000_000, 256, 128, false),
                new Price.PerHour(Money.ZERO),
                new Calibration(model),
                0);
        for (int sequences = 0; sequences < 20; sequences++) {
            for (int prompt = 1; prompt < 600; prompt++) {
                Quote quote = core.quotes(demand(prompt, Budget.NONE), 0).getFirst();
                assertThat(quote.ttft().mean())
                        .as("%d tokens beside %d sequences", prompt, sequences)
                        .isPositive();
            }
            core.token(core.place(place, demand(1, Budget.NONE), 0), 1);
        }
    }

    @Test
    void aPriceChangeReordersAtOnce() {
        int slow = slow(core, 1_000_000);
        int fast = fast(core, 1_000_000_000);
        assertThat(run(core.decide(demand(100, UNHURRIED), 0)).reservation().place())
                .isEqualTo(slow);
        core.setPrice(slow, new Price.PerHour(new Money(2_000_000_000_000L)));
        assertThat(run(core.decide(demand(100, UNHURRIED), 0)).reservation().place())
                .isEqualTo(fast);
    }

    @Test
    void aBurstAtOneMomentIsSpreadAndRefusedOnlyWhereNothingFits() {
        for (int i = 0; i < 10; i++) {
            add(core, "replica-" + i, 1_000_000_000, 0.01, 1e-4, false);
        }
        int[] picks = new int[10];
        int refused = 0;
        for (int i = 0; i < 200; i++) {
            switch (core.decide(demand(1000, HURRIED), 0)) {
                case Decision.Run r -> {
                    picks[r.reservation().place()]++;
                    assertThat(r.quote().ttft().p90()).isLessThanOrEqualTo(HURRIED.ttft());
                }
                case Decision.Shed shed -> refused++;
                case Decision.Wait wait -> refused++;
            }
        }
        // A backend computes at most ten such prompts in a second; with the bound's margin it takes four to nine.
        assertThat(Arrays.stream(picks).boxed()).allSatisfy(n -> assertThat(n).isBetween(4, 9));
        assertThat(refused).isEqualTo(200 - Arrays.stream(picks).sum());
    }

    @Test
    void aReservationCountsOnceUnderManyThreads() throws InterruptedException {
        fast(core, 1_000_000);
        fast(core, 1_000_000);
        int threads = 8;
        int each = 200;
        CountDownLatch go = new CountDownLatch(1);
        List<Thread> running = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            running.add(Thread.ofPlatform().start(() -> {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                for (int i = 0; i < each; i++) {
                    Reservation r = core.place(i % 2, demand(10, Budget.NONE), 0);
                    core.token(r, 1_000_000);
                    if (i % 4 != 0) {
                        core.end(r, true, 2_000_000);
                        core.end(r, true, 2_000_000);
                    }
                }
            }));
        }
        go.countDown();
        for (Thread t : running) {
            t.join();
        }
        assertThat(core.inFlight(0) + core.inFlight(1)).isEqualTo(threads * each / 4);
        assertThat(core.inFlight(0)).isEqualTo(threads * each / 4);
    }

    @Test
    void sumsComeBackToNothingWhateverTheOrderOfEvents() {
        BackendState state = new BackendState(
                new BackendSpec("b", 64, 1_000_000, 256, 256, false),
                new Price.PerHour(Money.ZERO),
                new Calibration(new ReplicaLatency(new StepTimeModel(256, 0.01, 1e-4, 0, 0, 0, 0))),
                0,
                0);
        SplittableRandom random = new SplittableRandom(3);
        List<Reservation> running = new ArrayList<>();
        Map<Reservation, Boolean> begun = new HashMap<>();
        for (int i = 0; i < 20_000; i++) {
            int kind = random.nextInt(4);
            if (kind == 0 && running.size() < 50) {
                Prediction p = new Prediction();
                p.expectedTokens = random.nextInt(1, 40);
                Reservation r = new Reservation(state, demand(random.nextInt(1, 3000), UNHURRIED), p, i);
                state.reserve(r, i);
                running.add(r);
            } else if (!running.isEmpty()) {
                Reservation r = running.get(random.nextInt(running.size()));
                switch (kind) {
                    case 1 -> state.token(r, 7, i);
                    case 2 -> state.step(random.nextInt(256), i);
                    default -> {
                        running.remove(r);
                        state.end(r, random.nextBoolean());
                    }
                }
            }
            long held = running.stream()
                    .mapToLong(r -> r.promptTokens() + r.tokens())
                    .sum();
            assertThat(state.kvTokens()).isEqualTo(held);
            assertThat(state.promptTokens())
                    .isEqualTo(running.stream().mapToLong(r -> r.promptLeft).sum());
            assertThat(state.inFlight()).isEqualTo(running.size());
            assertThat(state.decoding()).isEqualTo((int)
                    running.stream().filter(r -> r.tokens() > 0).count());
        }
        running.forEach(r -> state.end(r, false));
        assertThat(state.promptTokens()).isZero();
        assertThat(state.kvPromised()).isZero();
        assertThat(state.decoding()).isZero();
    }

    @Test
    void whatRunsIsNotHarmedByALongPromptBesideIt() {
        int place = add(core, "only", 1_000_000, 0.05, 1e-3, false);
        Budget tight = Budget.ofLatency(Duration.ofSeconds(5), Duration.ofMillis(90), null);
        Reservation running = run(core.decide(demand(100, tight), 0)).reservation();
        core.step(place, 100, 50, 0, 0, 0.15, 150_000_000);
        core.token(running, 150_000_000);

        Demand longPrompt = demand(20_000, Budget.ofLatency(Duration.ofMinutes(10), null, null));
        assertThat(core.quotes(longPrompt, 150_000_000).getFirst().fit()).isEqualTo(Fit.HARMS_OTHERS);
        Decision decision = core.decide(longPrompt, 150_000_000);
        assertThat(decision).isInstanceOf(Decision.Wait.class);

        core.end(running, true, 200_000_000);
        assertThat(run(core.decide(longPrompt, 200_000_000)).reason()).isEqualTo(Reason.CHEAPEST);
    }

    @Test
    void aBackendKeptForSpillingIsUsedOnlyWhenNothingElseFits() {
        slow(core, 1_000_000_000);
        add(core, "spill", 1_000, 0.01, 1e-4, true);
        assertThat(run(core.decide(demand(100, UNHURRIED), 0)).reservation().backend())
                .isEqualTo("slow");
        Decision.Run spilled = run(core.decide(demand(1000, HURRIED), 0));
        assertThat(spilled.reservation().backend()).isEqualTo("spill");
        assertThat(spilled.reason()).isEqualTo(Reason.SPILLED);
    }

    @Test
    void aPriceLimitKeepsARequestFromDearBackends() {
        fast(core, 1_000_000_000_000L);
        Price.PerToken limit = new Price.PerToken(1, 1, 1);
        Budget budget = new Budget(Duration.ofSeconds(1), null, null, limit, Budget.Sort.PRICE);
        assertThat(core.quotes(demand(1000, budget), 0).getFirst().fit()).isEqualTo(Fit.TOO_DEAR);
        assertThat(core.decide(demand(1000, budget), 0).reason()).isEqualTo(Reason.NO_BACKEND);
    }

    @Test
    void aRefusedRequestIsToldWhenItWouldFit() {
        fast(core, 1_000_000);
        Decision last = core.decide(demand(1000, HURRIED), 0);
        while (last instanceof Decision.Run) {
            last = core.decide(demand(1000, HURRIED), 0);
        }
        assertThat(last).isInstanceOf(Decision.Shed.class);
        Duration retryAfter = ((Decision.Shed) last).retryAfter();
        assertThat(last.reason()).isEqualTo(Reason.SATURATED);
        assertThat(retryAfter).isBetween(Duration.ofMillis(1), Duration.ofSeconds(1));
        assertThat(core.decide(demand(60_000, HURRIED), 0).reason()).isEqualTo(Reason.NO_BACKEND);
    }

    @Test
    void byPolicyARequestMayBeLateUnlessItsPriorityIsLow() {
        core = new RouterCore(new RouterOptions(0.05, 0, 7, RouterOptions.Late.BEST_EFFORT, 1));
        fast(core, 1_000_000);
        assertThat(core.decide(demand(60_000, HURRIED), 0).reason()).isEqualTo(Reason.BEST_EFFORT);
        Demand low = new Demand("caller", 60_000, 20, Map.of(), HURRIED, -1, 0);
        assertThat(core.decide(low, 0)).isInstanceOf(Decision.Shed.class);
    }

    @Test
    void amongEqualsTheWarmOneIsPreferredThenTheFullest() {
        for (int i = 0; i < 3; i++) {
            add(core, "replica-" + i, 1_000_000_000, 0.01, 1e-4, false);
        }
        core.place(1, demand(10, UNHURRIED), 0);
        Decision.Run fullest = run(core.decide(demand(1000, UNHURRIED), 0));
        assertThat(fullest.reservation().place()).isEqualTo(1);

        core.place(2, demand(10, UNHURRIED), 0);
        Demand known = new Demand("caller", 1000, 20, Map.of("replica-2", 990), UNHURRIED, 0, 0);
        assertThat(run(core.decide(known, 0)).reservation().place()).isEqualTo(2);
    }

    @Test
    void anIdleBackendBearsItsBaseStepAndABusyOneDoesNot() {
        fast(core, 1_000_000_000);
        Money alone = core.quotes(demand(100, UNHURRIED), 0).getFirst().cost();
        core.place(0, demand(100, UNHURRIED), 0);
        Money inCompany = core.quotes(demand(100, UNHURRIED), 0).getFirst().cost();
        // Beside one other, for whom as many tokens are expected, half of the time it would be there anyway.
        assertThat(inCompany.nanoUsd()).isLessThan(alone.nanoUsd() * 6 / 10);
    }

    @Test
    void aBackendThatIsDownIsNotPickedAndReportsOfOthersFillIt() {
        int slow = slow(core, 1_000_000);
        int fast = fast(core, 2_000_000);
        core.setUp(fast, false);
        assertThat(core.decide(demand(1000, HURRIED), 0)).isInstanceOf(Decision.Shed.class);
        assertThat(run(core.decide(demand(1000, UNHURRIED), 0)).reservation().place())
                .isEqualTo(slow);
        core.setUp(fast, true);
        Duration before = core.quotes(demand(1000, HURRIED), 0).get(fast).ttft().mean();
        core.report(fast, 300, 0);
        assertThat(core.quotes(demand(1000, HURRIED), 0).get(fast).ttft().mean())
                .isGreaterThan(before);
    }

    @Test
    @SuppressWarnings("NullAway") // it overlooks a @Nullable on a nested type of another compilation
    void theFastestIsPickedForWhoSortsByLatency() {
        slow(core, 1_000);
        fast(core, 1_000_000_000);
        Budget budget = new Budget(null, null, null, null, Budget.Sort.LATENCY);
        Decision.Run fastest = run(core.decide(demand(1000, budget), 0));
        assertThat(fastest.reservation().backend()).isEqualTo("fast");
        assertThat(fastest.reason()).isEqualTo(Reason.FASTEST);
    }

    @Test
    void meteredTokensAreTheCostOfAnUpstream() {
        core.add(
                new BackendSpec("upstream", 1000, 100_000, 1, 1, false),
                new Price.PerToken(200, 20, 400),
                new Calibration(new UpstreamLatency(0.3, 0.02)),
                0);
        Demand known = new Demand("caller", 1000, 20, Map.of("upstream", 400), UNHURRIED, 0, 0);
        Quote quote = core.quotes(known, 0).getFirst();
        assertThat(quote.cost().nanoUsd()).isEqualTo(600 * 200 + 400 * 20 + 20 * 400);
        assertThat(quote.fit()).isEqualTo(Fit.FEASIBLE);
    }

    @Test
    void anUpstreamIsForetoldByWhatWasSeenOfIt() {
        int place = core.add(
                new BackendSpec("upstream", 1000, 100_000, 1, 1, false),
                new Price.PerToken(200, 20, 400),
                new Calibration(new UpstreamLatency(0.3, 0.02)),
                0);
        long now = 0;
        for (int i = 0; i < 100; i++) {
            Reservation r = core.place(place, demand(1000, UNHURRIED), now);
            core.token(r, now + 2_000_000_000L);
            core.token(r, now + 2_050_000_000L);
            core.end(r, true, now + 2_050_000_000L);
            now += 3_000_000_000L;
        }
        Quote quote = core.quotes(demand(1000, UNHURRIED), now).getFirst();
        assertThat(quote.ttft().mean().toMillis()).isBetween(1800L, 2200L);
        assertThat(quote.tpot().mean().toMillis()).isBetween(45L, 55L);
    }

    @Test
    void aReplicaWhoseStepsGetSlowerIsFollowedWithinSeconds() {
        Calibration kind = new Calibration(new ReplicaLatency(new StepTimeModel(256, 0.01, 1e-4, 0, 0, 0, 0)));
        BackendSpec spec = new BackendSpec("replica", 64, 1_000_000, 256, 256, false);
        int same = core.add(spec, new Price.PerHour(new Money(1_000_000)), kind, 0);
        int slower = core.add(spec, new Price.PerHour(new Money(1_000_000)), kind, 0);
        for (int i = 0; i < 60; i++) {
            core.step(same, 0, 0, 1, 100, 0.01, i);
            core.step(slower, 0, 0, 1, 100, 0.02, i);
        }
        List<Quote> quotes = core.quotes(demand(1000, HURRIED), 60);
        double ratio = quotes.get(slower).ttft().mean().toNanos()
                / (double) quotes.get(same).ttft().mean().toNanos();
        assertThat(ratio).isBetween(1.8, 2.1);
        assertThat(quotes.get(slower).cost()).isGreaterThan(quotes.get(same).cost());
    }

    @Test
    void aPauseOfOneStepIsNoChangeOfPace() {
        int place = fast(core, 1_000_000);
        Duration before =
                core.quotes(demand(1000, HURRIED), 0).getFirst().ttft().mean();
        core.step(place, 0, 0, 1, 100, 3, 0);
        Duration after = core.quotes(demand(1000, HURRIED), 0).getFirst().ttft().mean();
        assertThat(after.toNanos()).isLessThan(before.toNanos() * 103 / 100);
    }

    @Test
    void aPromptTakesLongerBesideSequencesThatDecode() {
        LatencyModel model = new ReplicaLatency(new StepTimeModel(256, 0.05, 1e-4, 0, 0, 0, 0));
        int place = core.add(
                new BackendSpec("chunked", 64, 1_000_000, 256, 32, false),
                new Price.PerHour(new Money(1_000_000)),
                new Calibration(model),
                0);
        Duration alone =
                core.quotes(demand(640, UNHURRIED), 0).getFirst().ttft().mean();
        Reservation other = core.place(place, demand(10, UNHURRIED), 0);
        core.step(place, 10, 5, 0, 0, 0.051, 51_000_000);
        core.token(other, 51_000_000);
        Duration beside = core.quotes(demand(640, UNHURRIED), 51_000_000)
                .getFirst()
                .ttft()
                .mean();
        // Three steps alone; beside the other one twenty, and one that runs.
        assertThat(alone).isBetween(Duration.ofMillis(200), Duration.ofMillis(220));
        assertThat(beside).isBetween(Duration.ofMillis(700), Duration.ofMillis(1200));
    }

    @Test
    void whatIsNotKnownYetIsTriedBeforeARequestIsRefused() {
        core = new RouterCore(new RouterOptions(0.05, 0, 7, RouterOptions.Late.LIKELY, 1));
        slow(core, 1_000_000);
        assertThat(core.decide(demand(60_000, HURRIED), 0).reason()).isEqualTo(Reason.NO_BACKEND);
        Decision.Run tried = run(core.decide(demand(500, HURRIED), 0));
        assertThat(tried.reason()).isEqualTo(Reason.EXPLORED);
        assertThat(core.decide(demand(500, HURRIED), 0)).isInstanceOf(Decision.Shed.class);
        core.end(tried.reservation(), false, 0);
        for (int i = 0; i < 20; i++) {
            Reservation r = core.place(0, demand(500, HURRIED), i);
            core.token(r, i + 5_000_000_000L);
            core.end(r, true, i + 5_000_000_000L);
        }
        assertThat(core.decide(demand(500, HURRIED), 30_000_000_000L)).isInstanceOf(Decision.Shed.class);
    }
}
