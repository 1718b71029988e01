package dev.penstock.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class RequestGateTest {
    @Test
    void itLetsInFromTheLoadedModelsToTheShutdown() {
        RequestGate gate = new RequestGate();
        assertThat(gate.enter()).isEqualTo(RequestGate.State.STARTING);
        gate.open();
        assertThat(gate.enter()).isEqualTo(RequestGate.State.OPEN);
        gate.close();
        assertThat(gate.enter()).isEqualTo(RequestGate.State.DRAINING);
        gate.open();
        assertThat(gate.state()).isEqualTo(RequestGate.State.DRAINING);
    }

    @Test
    void itIsIdleWhenTheLastHasLeft() throws Exception {
        RequestGate gate = new RequestGate();
        gate.open();
        gate.enter();
        gate.enter();
        gate.close();
        gate.leave();
        assertThat(gate.awaitIdle(Duration.ZERO)).isFalse();

        CompletableFuture<Boolean> idle = new CompletableFuture<>();
        Thread waiting = Thread.ofVirtual().start(() -> {
            try {
                idle.complete(gate.awaitIdle(Duration.ofMinutes(1)));
            } catch (InterruptedException e) {
                idle.completeExceptionally(e);
            }
        });
        gate.leave();

        assertThat(idle.get()).isTrue();
        waiting.join();
    }
}
