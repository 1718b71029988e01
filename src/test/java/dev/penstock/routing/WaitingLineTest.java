package dev.penstock.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.Budget;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WaitingLineTest {
    private final WaitingLine<String> line = new WaitingLine<>(3);

    private static Demand due(int seconds, int priority) {
        Budget budget = Budget.ofLatency(Duration.ofSeconds(seconds), null, null);
        return new Demand("caller", 10, 10, Map.of(), budget, priority, 0);
    }

    @Test
    void theNearestDeadlineComesFirstOnceItsTimeHasCome() {
        line.add("late", due(9, 0), 100);
        line.add("near", due(1, 0), 200);
        assertThat(line.nextNs()).hasValue(100);
        assertThat(line.poll(50)).isEmpty();
        assertThat(line.poll(200)).contains("near");
        assertThat(line.poll(200)).contains("late");
        assertThat(line.nextNs()).isEmpty();
    }

    @Test
    void whereItIsFullTheLowestPriorityGoesThenWhoHasMostTime() {
        line.add("batch", due(60, -1), 0);
        line.add("soon", due(1, 0), 0);
        line.add("later", due(5, 0), 0);
        assertThat(line.add("urgent", due(1, 5), 0)).contains("batch");
        assertThat(line.add("other", due(2, 0), 0)).contains("later");
        assertThat(line.add("low", due(1, -3), 0)).contains("low");
        assertThat(line.size()).isEqualTo(3);
    }
}
