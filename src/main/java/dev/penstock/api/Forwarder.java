package dev.penstock.api;

import dev.penstock.model.WireRequest;
import dev.penstock.prompt.ModelCatalog;
import dev.penstock.prompt.RemoteModel;
import dev.penstock.routing.Router;
import jakarta.enterprise.context.ApplicationScoped;

/** Sends requests for models that are elsewhere on as they came; all but a few fields are for their servers to judge. */
@ApplicationScoped
class Forwarder {
    private final ModelCatalog catalog;
    private final Router router;
    private final ApiLimits limits;

    Forwarder(ModelCatalog catalog, Router router, ApiLimits limits) {
        this.catalog = catalog;
        this.router = router;
        this.limits = limits;
    }

    /** Whether there is any model that is elsewhere. */
    boolean hasModels() {
        return catalog.models().stream().anyMatch(RemoteModel.class::isInstance);
    }

    /**
     * Sends a request on if its model is elsewhere, and returns; its reply, or its error, goes out from the exchange's event
     * loop.
     *
     * @param body as it was read from {@code bytes}
     * @return false if the model is not elsewhere, where nothing was done
     * @throws ApiException a field that has to be known here makes no sense
     */
    boolean forwards(WireRequest.Endpoint endpoint, JsonObject body, byte[] bytes, Exchange exchange) {
        String model = body.requiredText("model");
        if (catalog.find(model).filter(RemoteModel.class::isInstance).isEmpty()) {
            return false;
        }
        StreamFields streaming = StreamFields.read(body);
        WireRequest request = new WireRequest(endpoint, bytes, streaming.stream(), streaming.includeUsage());
        new ForwardedReply(exchange, limits, streaming.stream()).begin(router, model, request);
        return true;
    }
}
