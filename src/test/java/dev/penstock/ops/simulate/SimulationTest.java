package dev.penstock.ops.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SimulationTest {
    private static final List<HardwareClass> CLASSES = Fleet.builtIn(3);
    private static final Fleet FLEET = Fleet.of(CLASSES.subList(1, 4), 3);
    private static final Trace TRACE =
            new Trace("start of synthetic", Trace.synthetic(1).requests().subList(0, 2500));

    @ParameterizedTest
    @EnumSource(Policy.class)
    void theSameSeedGivesTheSameRunAndEveryRequestIsCounted(Policy policy) {
        Outcome one = Simulation.run(TRACE, FLEET, policy, Stress.NONE, 4);
        Outcome other = Simulation.run(TRACE, FLEET, policy, Stress.NONE, 4);
        assertThat(other).usingRecursiveComparison().isEqualTo(one);
        assertThat(one.requests()).isEqualTo(2500);
        assertThat(one.answered()).isBetween(policy.routes() ? 2300 : 2500, 2500);
    }

    @ParameterizedTest
    @EnumSource(Stress.class)
    void underEachStressTheRouterKeepsMoreBudgetsThanTurns(Stress stress) {
        Outcome penstock = Simulation.run(TRACE, FLEET, Policy.PENSTOCK, stress, 2);
        Outcome turns = Simulation.run(TRACE, FLEET, Policy.ROUND_ROBIN, stress, 2);
        assertThat(penstock.requests()).isEqualTo(turns.requests());
        assertThat(penstock.attainment()).isGreaterThan(turns.attainment());
    }

    @Test
    void aBurstBringsFiveTimesTheRequestsForHalfAMinute() {
        Outcome burst = Simulation.run(TRACE, FLEET, Policy.LEAST_LOADED, Stress.BURST, 2);
        assertThat(burst.requests()).isGreaterThan(2500 + 4 * 30);
    }

    @Test
    void boundsHoldInNineOfTenCases() {
        Outcome outcome = Simulation.run(TRACE, FLEET, Policy.PENSTOCK, Stress.NONE, 3);
        assertThat(outcome.coverage()).isBetween(0.88, 0.92);
        assertThat(outcome.ttftMape()).isLessThan(0.1);
    }

    @Test
    void workIsBilledAtMostAsLongAsTheFleetIsThere() {
        Outcome outcome = Simulation.run(TRACE, FLEET, Policy.LEAST_LOADED, Stress.NONE, 3);
        assertThat(outcome.busyUsd()).isPositive().isLessThanOrEqualTo(outcome.billedUsd());
    }

    @Test
    void theRouterIsCheaperThanEverySimplePolicyAtTheSmallestFleetThatServes() {
        Sweep sweep = new Sweep(List.of(TRACE), Fleet.mixes(CLASSES.subList(1, 3)), 0.99, new LongAdder());
        Sweep.Found penstock = sweep.find(Policy.PENSTOCK);
        assertThat(penstock.reached()).isTrue();
        for (Policy p : List.of(Policy.ROUND_ROBIN, Policy.LEAST_LOADED, Policy.LOWEST_LATENCY)) {
            Sweep.Found found = sweep.find(p);
            assertThat(found.reached()).isTrue();
            assertThat(penstock.cost()).as(p.label()).isLessThan(0.8 * found.cost());
        }
    }

    @Test
    void theDearestClassCostsAsManyTimesAsMuchAsWasAskedFor() {
        List<HardwareClass> classes = Fleet.builtIn(8);
        assertThat(classes.getLast().nominalUsd() / classes.getFirst().nominalUsd())
                .isBetween(7.999, 8.001);
    }

    @Test
    void aServerDecodesAllAndTakesAFewPromptTokensBesideIt() {
        SimReplica replica = new SimReplica(CLASSES.getFirst(), 1);
        SimReplica.Job first = job(100, 3);
        SimReplica.Job second = job(300, 1);
        replica.waiting.add(first);
        replica.waiting.add(second);
        List<SimReplica.Job> tokens = new ArrayList<>();
        long now = 0;
        List<Integer> prompts = new ArrayList<>();
        while (!replica.idle()) {
            replica.begin(now);
            prompts.add(replica.stepPrompt);
            now = replica.stepEndNs;
            replica.end(tokens::add);
        }
        // Steps of 128: the first prompt and a part of the second, 32 beside each of two decodes, then what is left.
        assertThat(prompts).containsExactly(128, 32, 32, 128, 80);
        assertThat(tokens).containsExactly(first, first, first, second);
    }

    @Test
    void whereTheCacheRunsOverTheYoungestIsComputedAgain() {
        HardwareClass tiny = new HardwareClass("tiny", 1, 1, 1000, 0.01, 0, 0, 0, 4, 220, 128, 32);
        SimReplica replica = new SimReplica(tiny, 1);
        replica.waiting.add(job(100, 30));
        replica.waiting.add(job(100, 30));
        int most = 0;
        long now = 0;
        int[] count = new int[1];
        while (!replica.idle()) {
            replica.begin(now);
            now = replica.stepEndNs;
            replica.end(j -> count[0]++);
            most = Math.max(
                    most,
                    replica.admitted.stream()
                            .mapToInt(SimReplica.Job::toCompute)
                            .sum());
        }
        assertThat(count[0]).isEqualTo(60);
        assertThat(most).isLessThanOrEqualTo(220);
    }

    /** None of these has been picked by a router. */
    @SuppressWarnings("NullAway")
    private static SimReplica.Job job(int prompt, int output) {
        return new SimReplica.Job(new SimRequest(0, prompt, output, SimRequest.Hurry.BATCH), null);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "T,C,G\n",
                "T,C,G\n2023-11-16 18:17:03.97,12\n",
                "T,C,G\nnow,1,1\n",
                "T,C,G\n2023-11-16 18:17:03,-1,5\n"
            })
    void aTraceThatIsNoneIsRefusedWithItsPlace(String text, @TempDir Path folder) throws IOException {
        Path file = folder.resolve("trace.csv");
        Files.writeString(file, text);
        assertThatThrownBy(() -> Trace.read(file, 1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("trace.csv");
    }

    @Test
    void aTraceIsReadInOrderOfTime(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("trace.csv");
        Files.writeString(file, "T,C,G\n2023-11-16 18:17:03.5,10,2\n2023-11-16 18:17:04.0000001,30,4\n");
        List<SimRequest> requests = Trace.read(file, 1).requests();
        assertThat(requests).extracting(SimRequest::arrivalNs).containsExactly(0L, 500_000_100L);
        assertThat(requests).extracting(SimRequest::promptTokens).containsExactly(10, 30);
    }
}
