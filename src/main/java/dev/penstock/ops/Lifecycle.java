package dev.penstock.ops;

import dev.penstock.api.RequestGate;
import dev.penstock.prompt.ServedModel;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * Loads the models beside the start of the HTTP server, which meanwhile says that it is not ready; at the end lets
 * requests under way come to theirs.
 */
@ApplicationScoped
class Lifecycle {
    private static final Logger LOG = Logger.getLogger(Lifecycle.class);

    private final PenstockConfig config;
    private final ModelRegistry registry;
    private final ModelLoader loader;
    private final RequestGate gate;

    Lifecycle(PenstockConfig config, ModelRegistry registry, ModelLoader loader, RequestGate gate) {
        this.config = config;
        this.registry = registry;
        this.loader = loader;
        this.gate = gate;
    }

    void start(@Observes StartupEvent event) {
        Thread.ofPlatform().name("penstock-load").start(this::load);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        gate.close();
        Duration limit = config.drainTimeout();
        if (!gate.awaitIdle(limit)) {
            LOG.warnf("Requests that were not done within %s are cut", limit);
        }
        loader.close(Duration.ZERO);
    }

    private void load() {
        try {
            loader.load(registry);
        } catch (StartException e) {
            LOG.error(e.getMessage());
            LOG.debug("The cause", e);
            Quarkus.asyncExit(1);
            return;
        } catch (RuntimeException | Error e) {
            LOG.error("The models can't be loaded", e);
            Quarkus.asyncExit(1);
            return;
        }
        gate.open();
        LOG.infof("Ready: %s", registry.models().stream().map(ServedModel::id).collect(Collectors.joining(", ")));
    }
}
