package dev.penstock.ops;

import dev.penstock.model.Budget;
import dev.penstock.prompt.CatalogModel;
import dev.penstock.prompt.EncoderModel;
import dev.penstock.prompt.ModelCatalog;
import dev.penstock.routing.Member;
import dev.penstock.routing.Router;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** The models that are served, in the order of their names. */
@Singleton
public class ModelRegistry implements ModelCatalog {
    private final Router router;
    private final Map<String, CatalogModel> models = new ConcurrentSkipListMap<>();

    ModelRegistry(Router router) {
        this.router = router;
    }

    /** Serves a model from now on, or serves it anew. */
    public void serve(CatalogModel model, Budget budget, List<Member> members) {
        router.serve(model.id(), budget, members);
        models.put(model.id(), model);
    }

    /** Serves an encoder from now on, or serves it anew; no request for it is routed. */
    public void serve(EncoderModel model) {
        router.withdraw(model.id());
        models.put(model.id(), model);
    }

    /** Serves a model no more; its requests that run go on. */
    public void withdraw(String model) {
        models.remove(model);
        router.withdraw(model);
    }

    @Override
    public List<CatalogModel> models() {
        return List.copyOf(models.values());
    }
}
