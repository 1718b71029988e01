package dev.penstock.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.awaitility.Awaitility.await;

import dev.penstock.backend.TokenBackend;
import dev.penstock.model.Budget;
import dev.penstock.model.Generation;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.Money;
import dev.penstock.model.Price;
import dev.penstock.model.Usage;
import dev.penstock.routing.Decision.Reason;
import dev.penstock.routing.Decision.Shed;
import dev.penstock.routing.Quote.Fit;
import dev.penstock.routing.RouteRequest.Size;
import dev.penstock.routing.RouterOptions.Late;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RouterTest {
    private static final Budget HURRIED = Budget.ofLatency(Duration.ofMillis(300), null, null);
    private static final RouterOptions OPTIONS = new RouterOptions(0.05, 0, 7, Late.REFUSE, 1);

    /** A prompt token takes 1 ms on the slow one and 0.1 ms on the fast one; a step 1 ms more. */
    private final Fake slow = new Fake("slow", 1e-3, 0.5, 4);

    private final Fake fast = new Fake("fast", 1e-4, 20, 4);
    private final AtomicLong nowNs = new AtomicLong(1_000_000_000L);
    private final Watch watch = new Watch();
    private final Router router = new Router(OPTIONS, watch, nowNs::get);

    @AfterEach
    void close() {
        router.close();
    }

    private void serve(Fake... backends) {
        router.serve(
                "m", Budget.NONE, List.of(backends).stream().map(Fake::member).toList());
    }

    private Asked ask(int promptTokens, Budget budget) {
        Asked asked = new Asked();
        Asking asking = router.asking(
                "m", new RouteRequest("", List.of(new Size(promptTokens, 10)), Prefix.NONE, budget, 0), asked);
        asked.asking = asking;
        asking.begin();
        return asked;
    }

    @Test
    void aBudgetThatOnlyTheDearBackendMeetsGoesThereAndTheSameWithoutHurryToTheCheapOne() {
        serve(slow, fast);

        assertThat(ask(500, HURRIED).backend()).isEqualTo("fast");
        assertThat(ask(500, Budget.NONE).backend()).isEqualTo("slow");
    }

    @Test
    void whatIsSavedIsTheDifferenceToTheDearestThatFits() {
        serve(slow, fast);

        Asked asked = ask(500, Budget.NONE);

        assertThat(asked.placement().saved()).isGreaterThan(Money.ZERO);
        asked.placement().tokens(0, 1);
        asked.placement().done(0, new Usage(500, 0, 10));
        assertThat(asked.placement().cost()).isGreaterThan(Money.ZERO);
        assertThat(watch.settled).hasSize(1);
    }

    @Test
    void aChangeOfPriceReordersAtOnce() {
        serve(slow, fast);
        assertThat(ask(500, Budget.NONE).backend()).isEqualTo("slow");

        slow.usdPerHour = 1000;
        serve(slow, fast);

        assertThat(ask(500, Budget.NONE).backend()).isEqualTo("fast");
    }

    @Test
    void aBackendThatFailsBeforeItGaveAnythingIsNotTriedAgain() {
        serve(slow, fast);
        Asked asked = ask(500, Budget.NONE);

        asked.placement().failed();
        asked.again();
        assertThat(asked.backend()).isEqualTo("fast");

        asked.placement().failed();
        asked.again();
        assertThat(asked.shed().reason()).isEqualTo(Reason.NO_BACKEND);
    }

    @Test
    void aBackendThatCameSinceUnderTheNameOfOneThatFailedIsTried() {
        serve(slow);
        Asked asked = ask(500, Budget.NONE);
        Fake anew = new Fake("slow", 1e-3, 0.5, 4);
        serve(anew);

        asked.placement().failed();
        asked.again();

        assertThat(asked.placement().backend()).isSameAs(anew);
    }

    @Test
    void whatComesAfterTheEndCountsNothing() {
        serve(slow);
        Asked asked = ask(500, Budget.NONE);
        asked.placement().left();

        asked.placement().tokens(0, 3);
        asked.placement().done(0, new Usage(500, 0, 3));

        assertThat(watch.latencies).isEmpty();
        assertThat(watch.settled).isEmpty();
        assertThat(asked.placement().cost()).isEqualTo(Money.ZERO);
        assertThat(Places.taken(router, "m")).isZero();
    }

    @Test
    void aBackendThatTakesNoneGetsNone() {
        serve(slow, fast);
        slow.up = false;

        assertThat(ask(500, Budget.NONE).backend()).isEqualTo("fast");
        assertThat(router.quotes("m", new RouteRequest("", List.of(new Size(9, 9)), Prefix.NONE, Budget.NONE, 0)))
                .extracting(Quote::fit)
                .containsExactly(Fit.DOWN, Fit.FEASIBLE);
    }

    @Test
    void withTheCheapOneFullAHurriedRequestSpillsToTheOneThatIsKeptForThat() {
        fast.spill = true;
        serve(slow, fast);
        Budget budget = Budget.ofLatency(Duration.ofMillis(950), null, null);

        assertThat(ask(500, budget).placement().reason()).isEqualTo(Reason.CHEAPEST);
        Asked second = ask(500, budget);
        assertThat(second.backend()).isEqualTo("fast");
        assertThat(second.placement().reason()).isEqualTo(Reason.SPILLED);
    }

    @Test
    void whatDoesNotFitIsRefusedWithTheTimeAfterWhichItWould() {
        serve(slow);
        Budget budget = Budget.ofLatency(Duration.ofMillis(950), null, null);
        ask(500, budget);
        ask(500, Budget.NONE);

        Asked refused = ask(500, budget);

        assertThat(refused.shed().reason()).isEqualTo(Reason.SATURATED);
        assertThat(refused.shed().retryAfter()).isBetween(Duration.ofMillis(300), Duration.ofSeconds(3));
    }

    @Test
    void whatNoBackendCanEverMeetIsRefusedAsSuch() {
        serve(slow, fast);

        Asked refused = ask(500, Budget.ofLatency(Duration.ofMillis(1), null, null));

        assertThat(refused.shed().reason()).isEqualTo(Reason.NO_BACKEND);
    }

    @Test
    void aModelThatIsNotServedHasNoBackend() {
        assertThat(ask(5, Budget.NONE).shed).isEqualTo(Shed.NOWHERE);
    }

    @Test
    void aBurstDoesNotHerd() {
        List<Fake> fleet = IntStream.range(0, 4)
                .mapToObj(i -> new Fake("r" + i, 1e-4, 1, 64))
                .toList();
        serve(fleet.toArray(Fake[]::new));
        Budget budget = Budget.ofLatency(Duration.ofSeconds(3), null, null);

        List<String> picks = IntStream.range(0, 200)
                .mapToObj(i -> ask(400, budget))
                .filter(a -> a.shed == null)
                .map(Asked::backend)
                .toList();

        // 3 s hold about 73 such prompts on one: all four have to help, and all at once can't go to one.
        assertThat(picks).contains("r0", "r1", "r2", "r3").hasSizeGreaterThan(150);
        for (Fake fake : fleet) {
            assertThat(picks.stream().filter(fake.name()::equals).count()).isLessThanOrEqualTo(76);
        }
    }

    @Test
    void aRequestThatWouldHarmOthersWaitsUntilTheyAreDone() {
        serve(slow);
        Asked first = ask(10, Budget.ofLatency(null, Duration.ofMillis(8), null));
        first.placement().tokens(0, 1);
        nowNs.addAndGet(2_000_000);
        Asked second = ask(400, Budget.ofLatency(Duration.ofSeconds(20), null, null));

        assertThat(second.placements).isEmpty();
        assertThat(second.shed).isNull();
        assertThat(watch.reasons).contains(Reason.WAITING);

        first.placement().tokens(0, 8);
        first.placement().done(0, new Usage(10, 0, 10));
        await().until(() -> !second.placements.isEmpty());
        assertThat(second.backend()).isEqualTo("slow");
    }

    @Test
    void whoLeavesWaitsNoMore() {
        serve(slow);
        Asked first = ask(10, Budget.ofLatency(null, Duration.ofMillis(8), null));
        first.placement().tokens(0, 1);
        nowNs.addAndGet(2_000_000);
        Asked leaving = ask(400, Budget.ofLatency(Duration.ofSeconds(20), null, null));
        Asked staying = ask(400, Budget.ofLatency(Duration.ofSeconds(30), null, null));

        leaving.cancel();
        first.placement().done(0, new Usage(10, 0, 2));

        await().until(() -> !staying.placements.isEmpty());
        assertThat(leaving.placements).isEmpty();
    }

    @Test
    void whoWaitsIsAskedForAgainWhenBackendsChange() {
        serve(slow);
        Asked first = ask(10, Budget.ofLatency(null, Duration.ofMillis(8), null));
        first.placement().tokens(0, 1);
        nowNs.addAndGet(2_000_000);
        Asked second = ask(400, Budget.ofLatency(Duration.ofSeconds(20), null, null));
        assertThat(second.placements).isEmpty();

        serve(slow, fast);

        assertThat(second.placements).hasSize(1);
    }

    @Test
    void promptsThatBeginAlikeGoWhereTheFirstWent() {
        Fake other = new Fake("other", 1e-3, 0.5, 4);
        serve(slow, other);
        int[] prompt = IntStream.range(0, 256).toArray();
        RouteRequest request =
                new RouteRequest("", List.of(new Size(256, 10)), Prefix.ofTokens(prompt), Budget.NONE, 0);
        Asked first = new Asked();
        router.asking("m", request, first).begin();
        first.placement().done(0, new Usage(256, 0, 1));
        // The other one is fuller now, which is what decides between equals.
        String elsewhere = first.backend().equals("slow") ? "other" : "slow";
        IntStream.range(0, 20)
                .mapToObj(i -> ask(10, Budget.NONE))
                .filter(a -> a.backend().equals(first.backend()))
                .forEach(a -> a.placement().left());

        Asked second = new Asked();
        router.asking("m", request, second).begin();

        assertThat(second.backend()).isEqualTo(first.backend()).isNotEqualTo(elsewhere);
        assertThat(second.placement().reason()).isIn(Reason.PREFIX_WARM, Reason.CHEAPEST);
    }

    @Test
    void predictedAndActualAreKeptTogether() {
        serve(fast);
        Asked asked = ask(100, Budget.NONE);

        nowNs.addAndGet(30_000_000);
        asked.placement().tokens(0, 1);
        nowNs.addAndGet(90_000_000);
        asked.placement().done(0, new Usage(100, 0, 10));

        assertThat(watch.latencies).hasSize(2);
        assertThat(watch.latencies.get(0).actual()).isCloseTo(0.03, offset(1e-9));
        assertThat(watch.latencies.get(1).actual()).isCloseTo(0.01, offset(1e-9));
        assertThat(watch.latencies.get(0).predicted()).isBetween(0.005, 0.03);
        assertThat(watch.latencies.get(0).bound())
                .isGreaterThanOrEqualTo(watch.latencies.get(0).predicted());
    }

    /** Who asked, and what was answered. */
    private static final class Asked implements Asker {
        private final List<Placement> placements = new CopyOnWriteArrayList<>();
        private @Nullable Shed shed;
        private @Nullable Asking asking;

        void again() {
            Objects.requireNonNull(asking).again(placement());
        }

        void cancel() {
            Objects.requireNonNull(asking).cancel();
        }

        Shed shed() {
            return Objects.requireNonNull(shed, "it was not refused");
        }

        Placement placement() {
            return placements.getLast();
        }

        String backend() {
            return placement().backend().name();
        }

        @Override
        public void run(Placement placement) {
            placements.add(placement);
        }

        @Override
        public void refuse(Shed refusal) {
            shed = refusal;
        }
    }

    private static final class Watch implements RoutingObserver {
        private final List<Reason> reasons = new CopyOnWriteArrayList<>();
        private final List<Latency> latencies = new ArrayList<>();
        private final List<Money> settled = new ArrayList<>();

        @Override
        public void notPlaced(String model, Reason reason) {
            reasons.add(reason);
        }

        @Override
        public void measured(String model, String backend, Latency latency) {
            latencies.add(latency);
        }

        @Override
        public void settled(String model, String backend, Money cost, Money saved) {
            settled.add(cost);
        }
    }

    private static final class Fake implements TokenBackend {
        private final String name;
        private final double secondsPerPromptToken;
        private final int maxSequences;
        private double usdPerHour;
        private boolean spill;
        private boolean up = true;

        Fake(String name, double secondsPerPromptToken, double usdPerHour, int maxSequences) {
            this.name = name;
            this.secondsPerPromptToken = secondsPerPromptToken;
            this.usdPerHour = usdPerHour;
            this.maxSequences = maxSequences;
        }

        Member member() {
            StepTimeModel steps = new StepTimeModel(256, 1e-3, secondsPerPromptToken, 0, 1e-4, 0, 0);
            return new Member(
                    this,
                    new BackendSpec(name, maxSequences, 1 << 20, 256, 256, spill),
                    new Price.PerHour(Money.ofNanoUsd(usdPerHour * 1e9)),
                    new Calibration(new ReplicaLatency(steps)),
                    true,
                    null);
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String model() {
            return "m";
        }

        @Override
        public boolean available() {
            return up;
        }

        @Override
        public Generation submit(GenerationRequest request, GenerationListener listener) {
            throw new AssertionError("routers send nothing themselves");
        }

        @Override
        public Load load() {
            return new Load(0, 0, 0);
        }
    }
}
