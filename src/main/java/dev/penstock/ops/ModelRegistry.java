package dev.penstock.ops;

import dev.penstock.backend.Backend;
import dev.penstock.backend.BackendPool;
import dev.penstock.prompt.CatalogModel;
import dev.penstock.prompt.ModelCatalog;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The models that are loaded, with the backends that serve them. */
@Singleton
public class ModelRegistry implements ModelCatalog {
    private final BackendPool pool;
    private final List<CatalogModel> models = new CopyOnWriteArrayList<>();

    ModelRegistry(BackendPool pool) {
        this.pool = pool;
    }

    /** Lets a model be named, and its backends take requests. */
    public void add(CatalogModel model, List<? extends Backend> backends) {
        backends.forEach(pool::add);
        models.add(model);
    }

    @Override
    public List<CatalogModel> models() {
        return List.copyOf(models);
    }
}
