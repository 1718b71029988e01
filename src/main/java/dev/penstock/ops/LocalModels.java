package dev.penstock.ops;

import jakarta.inject.Singleton;
import java.time.Duration;

/** Loads the configured models from their folders into this process. */
@Singleton
class LocalModels implements ModelLoader {
    @Override
    public void load(ModelRegistry registry) {
        throw new StartException("No models can be loaded yet.");
    }

    @Override
    public void close(Duration drainLimit) {}
}
