package dev.penstock.prompt;

import java.util.List;
import java.util.Optional;

/** The models that this server answers for; safe for many threads. */
public interface ModelCatalog {
    /** All models that can be named at present, in the order of their names. */
    List<CatalogModel> models();

    /** The model of that name, if it is served. */
    default Optional<CatalogModel> find(String id) {
        return models().stream().filter(m -> m.id().equals(id)).findFirst();
    }
}
