package dev.penstock.api;

import dev.penstock.prompt.ModelCatalog;
import dev.penstock.prompt.ServedModel;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;

/** {@code POST /v1/chat/completions/render}. */
@Path("/v1/chat/completions/render")
@Consumes(MediaType.APPLICATION_JSON)
@Produces(MediaType.APPLICATION_JSON)
public class RenderResource {
    private final ModelCatalog catalog;
    private final ApiLimits limits;

    RenderResource(ModelCatalog catalog, ApiLimits limits) {
        this.catalog = catalog;
        this.limits = limits;
    }

    /** The prompt that a chat request becomes, as text and as tokens; nothing is generated. */
    @POST
    @RunOnVirtualThread
    public byte[] render(InputStream in) throws IOException {
        JsonObject body = WireJson.readObject(WireJson.readBody(in, limits.maxBodyBytes()));
        ServedModel model = Prompts.here(TokensResource.model(catalog, body));
        ChatRequest request = ChatRequest.read(body, model.id());
        String prompt = new Conversation(model, request).render();
        boolean special = model.template() == null || request.addSpecialTokens();
        int[] tokens = Prompts.encode(
                model, prompt, special, "messages", request.sampling().promptTokens());
        return WireJson.bytes(json -> {
            json.writeStartObject();
            json.writeStringField("model", request.model());
            json.writeStringField("prompt", prompt);
            json.writeNumberField("count", tokens.length);
            json.writeNumberField("max_model_len", model.contextLength());
            TokensResource.tokens(json, tokens);
            json.writeEndObject();
        });
    }
}
