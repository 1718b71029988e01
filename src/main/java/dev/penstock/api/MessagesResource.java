package dev.penstock.api;

import dev.penstock.model.WireRequest.Endpoint;
import dev.penstock.prompt.CatalogModel;
import dev.penstock.prompt.ModelCatalog;
import dev.penstock.prompt.ServedModel;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.container.AsyncResponse;
import jakarta.ws.rs.container.Suspended;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;

/** {@code POST /v1/messages} and {@code POST /v1/messages/count_tokens}, in Anthropic's form. */
@Path("/v1/messages")
@Consumes(MediaType.APPLICATION_JSON)
public class MessagesResource {
    private final Calls calls;
    private final Responder responder;
    private final ModelCatalog catalog;
    private final ApiLimits limits;

    MessagesResource(Calls calls, Responder responder, ModelCatalog catalog, ApiLimits limits) {
        this.calls = calls;
        this.responder = responder;
        this.catalog = catalog;
        this.limits = limits;
    }

    /** Answers a conversation. The reply goes out from {@link Dispatch}: JAX-RS, suspended, sends none. */
    @POST
    @RunOnVirtualThread
    public void create(InputStream in, @Context RoutingContext http, @Suspended AsyncResponse unused)
            throws IOException {
        byte[] bytes = WireJson.readBody(in, limits.maxBodyBytes());
        JsonObject body = WireJson.readObject(bytes);
        responder.answer(
                calls.read(Endpoint.MESSAGES, body, bytes, http.request().headers()), Exchange.of(http));
    }

    /** The tokens of a conversation's prompt; nothing is generated. */
    @POST
    @Path("count_tokens")
    @Produces(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public byte[] count(InputStream in) throws IOException {
        JsonObject body = WireJson.readObject(WireJson.readBody(in, limits.maxBodyBytes()));
        String name = body.requiredText("model");
        CatalogModel named = catalog.find(name).orElseThrow(() -> ApiException.unknownModel(name));
        ServedModel model = Prompts.here(named);
        String prompt = new Conversation(model, MessagesRequest.readPrompt(body).chat()).render();
        int tokens = model.tokenizer().encode(prompt, model.template() == null).length;
        return WireJson.bytes(json -> {
            json.writeStartObject();
            json.writeNumberField("input_tokens", tokens);
            json.writeEndObject();
        });
    }
}
