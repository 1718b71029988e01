package dev.penstock.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.backend.Backend;
import dev.penstock.backend.BackendPool;
import dev.penstock.backend.TokenBackend;
import dev.penstock.model.Generation;
import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationEvent.Failed;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import dev.penstock.routing.Choice.Candidate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RouterTest {
    private static final GenerationRequest REQUEST =
            new GenerationRequest("r", new int[] {1}, SamplingParams.greedy(1, Set.of()));

    private final BackendPool pool = new BackendPool();
    private final Router router = new Router(pool);
    private final List<String> asked = new ArrayList<>();
    private final List<GenerationEvent> events = new ArrayList<>();

    @Test
    void theLeastLoadedBackendOfTheModelGetsTheRequest() {
        pool.add(new Fake("a", "m", new Backend.Load(2, 3, 0.1)));
        pool.add(new Fake("b", "m", new Backend.Load(5, 0, 0.9)));
        pool.add(new Fake("c", "other", new Backend.Load(0, 0, 0)));
        router.submit("m", REQUEST, events::add);
        router.submit("other", REQUEST, events::add);
        assertThat(asked).containsExactly("b", "c");
    }

    @Test
    void aBackendThatLeftGetsNothingMore() {
        Fake first = new Fake("a", "m", new Backend.Load(0, 0, 0));
        pool.add(first);
        pool.add(new Fake("b", "m", new Backend.Load(1, 0, 0)));
        pool.remove(first);
        router.submit("m", REQUEST, events::add);
        assertThat(asked).containsExactly("b");
    }

    @Test
    void withoutABackendTheListenerHearsThatThereIsNoRoom() {
        Generation generation = router.submit("m", REQUEST, events::add);
        generation.cancel();
        assertThat(events).singleElement().isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.cause()).isEqualTo(Cause.OVERLOADED);
            assertThat(failed.message()).contains("the model m");
        });
    }

    @Test
    void fewestWaitingThenFewestRunningThenMostRoomAndTheFirstOfEquals() {
        assertThat(choice(new Backend.Load(0, 1, 0), new Backend.Load(9, 0, 1))).isEqualTo(1);
        assertThat(choice(new Backend.Load(3, 0, 0), new Backend.Load(2, 0, 1))).isEqualTo(1);
        assertThat(choice(new Backend.Load(2, 0, 0.5), new Backend.Load(2, 0, 0.4)))
                .isEqualTo(1);
        assertThat(choice(new Backend.Load(2, 0, 0.5), new Backend.Load(2, 0, 0.5)))
                .isZero();
        assertThat(Choice.leastLoaded(List.of())).isEmpty();
    }

    private static int choice(Backend.Load first, Backend.Load second) {
        return Choice.leastLoaded(List.of(new Candidate(0, first), new Candidate(1, second)))
                .orElseThrow()
                .backend();
    }

    private final class Fake implements TokenBackend {
        private final String name;
        private final String model;
        private final Load load;

        Fake(String name, String model, Load load) {
            this.name = name;
            this.model = model;
            this.load = load;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String model() {
            return model;
        }

        @Override
        public Generation submit(GenerationRequest request, GenerationListener listener) {
            asked.add(name);
            return () -> {};
        }

        @Override
        public Load load() {
            return load;
        }
    }
}
