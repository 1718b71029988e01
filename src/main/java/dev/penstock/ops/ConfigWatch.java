package dev.penstock.ops;

import io.quarkus.runtime.configuration.DurationConverter;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import io.smallrye.config.ConfigValidationException;
import io.smallrye.config.SmallRyeConfigBuilder;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.spi.ConfigSource;
import org.jboss.logging.Logger;

/**
 * Looks whether the configuration's file has changed, and serves the models that it names then; other settings need a new
 * start. What makes no sense is refused as a whole, and what was before goes on. It reads the file instead of waiting for
 * events of the file system: those don't reach every mount, and a ConfigMap is changed by swapping links.
 */
@Singleton
class ConfigWatch {
    private static final Logger LOG = Logger.getLogger(ConfigWatch.class);
    private static final long PERIOD_MS = 1000;
    private static final int CONVERTER_PRIORITY = 200;

    private final ModelLoader models;
    private final ModelRegistry registry;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("penstock-config").factory());
    private byte[] last = {};

    ConfigWatch(ModelLoader models, ModelRegistry registry) {
        this.models = models;
        this.registry = registry;
    }

    /** Watches the file that the command line named, if it named one. */
    void begin() {
        String path = System.getProperty(ConfigFile.PROPERTY);
        if (path != null && !ConfigFile.modelsAreNamed()) {
            Path file = Path.of(path);
            try {
                last = Files.readAllBytes(file);
            } catch (IOException e) {
                // It was read at the start; what is there at the next look counts.
            }
            timer.scheduleWithFixedDelay(() -> look(file), PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
        }
    }

    /** Watches no more. */
    void end() {
        timer.shutdown();
    }

    private void look(Path file) {
        try {
            byte[] now = Files.readAllBytes(file);
            if (Arrays.equals(now, last)) {
                return;
            }
            last = now;
            models.reload(read(ConfigFile.read(file)), registry);
            LOG.infof("%s has changed: %s", file, String.join("; ", models.descriptions()));
        } catch (IOException e) {
            LOG.debugf("%s can't be read at present: %s", file, e);
        } catch (StartException | ConfigValidationException e) {
            LOG.errorf("%s has changed, but can't be followed; all stays as it was. %s", file, e.getMessage());
        } catch (RuntimeException e) {
            LOG.errorf(e, "%s has changed, but can't be followed; all stays as it was", file);
        }
    }

    /** The configuration with this file, as the start reads it. */
    static PenstockConfig read(ConfigSource file) {
        return new SmallRyeConfigBuilder()
                .addDefaultSources()
                .addDefaultInterceptors()
                .withSources(file)
                .withConverter(MemorySize.class, CONVERTER_PRIORITY, new MemorySizeConverter())
                .withConverter(Duration.class, CONVERTER_PRIORITY, new DurationConverter())
                .withMapping(PenstockConfig.class)
                .build()
                .getConfigMapping(PenstockConfig.class);
    }
}
