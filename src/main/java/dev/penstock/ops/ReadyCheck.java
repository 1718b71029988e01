package dev.penstock.ops;

import dev.penstock.api.RequestGate;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Ready when a model can answer, and no longer when the server goes down. */
@Readiness
class ReadyCheck implements HealthCheck {
    private final RequestGate gate;

    ReadyCheck(RequestGate gate) {
        this.gate = gate;
    }

    @Override
    public HealthCheckResponse call() {
        RequestGate.State state = gate.state();
        return HealthCheckResponse.named("models")
                .status(state == RequestGate.State.OPEN)
                .withData("state", state.name())
                .build();
    }
}
