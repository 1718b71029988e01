package dev.penstock.api;

import dev.penstock.model.WireRequest.Endpoint;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.container.AsyncResponse;
import jakarta.ws.rs.container.Suspended;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;

/** {@code POST /v1/completions}. */
@Path("/v1/completions")
public class CompletionResource {
    private final Calls calls;
    private final Responder responder;
    private final ApiLimits limits;

    CompletionResource(Calls calls, Responder responder, ApiLimits limits) {
        this.calls = calls;
        this.responder = responder;
        this.limits = limits;
    }

    /** Goes on from one prompt or several. The reply goes out from {@link Dispatch}: JAX-RS, suspended, sends none. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public void create(InputStream body, @Context RoutingContext http, @Suspended AsyncResponse unused)
            throws IOException {
        byte[] bytes = WireJson.readBody(body, limits.maxBodyBytes());
        JsonObject object = WireJson.readObject(bytes);
        responder.answer(
                calls.read(Endpoint.COMPLETIONS, object, bytes, http.request().headers()), Exchange.of(http));
    }
}
