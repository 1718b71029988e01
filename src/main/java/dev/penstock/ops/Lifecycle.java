package dev.penstock.ops;

import dev.penstock.api.RequestGate;
import dev.penstock.routing.Router;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.vertx.http.HttpServerStart;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.ObservesAsync;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import org.eclipse.microprofile.config.Config;
import org.jboss.logging.Logger;

/**
 * Loads the models beside the start of the HTTP server, which meanwhile says that it is not ready; at the end lets
 * requests under way come to theirs.
 */
@ApplicationScoped
class Lifecycle {
    private static final Logger LOG = Logger.getLogger(Lifecycle.class);

    /** For the errors of requests that were cut to reach their clients. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private static final double MS_PER_S = 1000;

    private final PenstockConfig config;
    private final Config properties;
    private final ModelRegistry registry;
    private final ModelLoader loader;
    private final RequestGate gate;
    private final Router router;
    private final ConfigWatch watch;
    private final Event<ServerReady> ready;
    private final CountDownLatch listening = new CountDownLatch(1);

    Lifecycle(
            PenstockConfig config,
            Config properties,
            ModelRegistry registry,
            ModelLoader loader,
            RequestGate gate,
            Router router,
            ConfigWatch watch,
            Event<ServerReady> ready) {
        this.config = config;
        this.properties = properties;
        this.registry = registry;
        this.loader = loader;
        this.gate = gate;
        this.router = router;
        this.watch = watch;
        this.ready = ready;
    }

    void start(@Observes StartupEvent event) {
        Thread.ofPlatform().name("penstock-load").daemon().start(this::load);
    }

    void listening(@ObservesAsync HttpServerStart event) {
        listening.countDown();
    }

    /**
     * Lets no more requests in, and those under way come to their end; cuts what is left when the configured time is
     * over. Returns when nothing is left; the HTTP server still runs.
     */
    void drain() {
        gate.close();
        watch.end();
        Duration limit = config.drainTimeout();
        try {
            boolean idle = gate.awaitIdle(limit);
            if (!idle) {
                LOG.warnf("Requests that were not done within %d s are cut", limit.toSeconds());
            }
            router.close();
            loader.close();
            if (!idle) {
                gate.awaitIdle(LAST_WORDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Frees the models, where no {@link #drain()} has done so before. */
    void stop(@Observes ShutdownEvent event) {
        gate.close();
        watch.end();
        router.close();
        loader.close();
    }

    private void load() {
        try {
            loader.load(registry);
            gate.open();
            listening.await();
            watch.begin();
            ready.fire(new ServerReady(URI.create(url())));
            LOG.infof("Ready at %s after %.1f s: %s", url(), upS(), String.join("; ", loader.descriptions()));
        } catch (StartException e) {
            LOG.error(e.getMessage());
            LOG.debug("The cause", e);
            Quarkus.asyncExit(1);
        } catch (RuntimeException | Error e) {
            LOG.error("The models can't be loaded", e);
            Quarkus.asyncExit(1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private String url() {
        return String.format(
                Locale.ROOT,
                "http://%s:%s",
                properties.getValue("quarkus.http.host", String.class),
                properties.getValue("quarkus.http.port", String.class));
    }

    private static double upS() {
        return ManagementFactory.getRuntimeMXBean().getUptime() / MS_PER_S;
    }
}
