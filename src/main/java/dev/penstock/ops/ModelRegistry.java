package dev.penstock.ops;

import dev.penstock.backend.Backend;
import dev.penstock.backend.BackendPool;
import dev.penstock.prompt.ModelCatalog;
import dev.penstock.prompt.ServedModel;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The models that are loaded, with the backends that serve them. */
@Singleton
public class ModelRegistry implements ModelCatalog {
    private final BackendPool pool;
    private final List<ServedModel> models = new CopyOnWriteArrayList<>();

    ModelRegistry(BackendPool pool) {
        this.pool = pool;
    }

    /** Lets a model be named, and its backend take requests. */
    public void add(ServedModel model, Backend backend) {
        pool.add(backend);
        models.add(model);
    }

    @Override
    public List<ServedModel> models() {
        return List.copyOf(models);
    }
}
