package dev.penstock.ops;

import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;
import org.jboss.logging.Logger;

/** Loads the configured models, or else the embedded one, from their folders into this process. */
@Singleton
class LocalModels implements ModelLoader {
    private static final Logger LOG = Logger.getLogger(LocalModels.class);

    private final PenstockConfig config;
    private final EngineMetrics metrics;
    private final List<LocalModel> loaded = new ArrayList<>();
    private boolean closed;

    LocalModels(PenstockConfig config, EngineMetrics metrics) {
        this.config = config;
        this.metrics = metrics;
    }

    @Override
    public void load(ModelRegistry registry) {
        List<ModelSettings> all = ModelSettings.of(config);
        for (ModelSettings settings : all) {
            LocalModel model = LocalModel.load(settings, config.engine(), all.size(), metrics);
            if (!keep(model)) {
                return;
            }
            metrics.watch(model.replica());
            registry.add(model.served(), model.replica());
            LOG.debugf("Loaded %s", model.description());
        }
    }

    @Override
    public List<String> descriptions() {
        synchronized (loaded) {
            return loaded.stream().map(LocalModel::description).toList();
        }
    }

    @Override
    public void close() {
        List<LocalModel> models;
        synchronized (loaded) {
            closed = true;
            models = List.copyOf(loaded);
            loaded.clear();
        }
        models.forEach(LocalModel::close);
    }

    /** Keeps a model to be freed by {@link #close}; frees it at once if that was called while it was loaded. */
    private boolean keep(LocalModel model) {
        synchronized (loaded) {
            if (!closed) {
                loaded.add(model);
                return true;
            }
        }
        model.close();
        return false;
    }
}
