package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.prompt.CatalogModel;
import dev.penstock.prompt.ModelCatalog;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;

/** {@code GET /v1/models} and {@code GET /v1/models/{id}}. */
@Path("/v1/models")
@Produces(MediaType.APPLICATION_JSON)
public class ModelsResource {
    private final ModelCatalog catalog;

    ModelsResource(ModelCatalog catalog) {
        this.catalog = catalog;
    }

    /** All models that can be named. */
    @GET
    public byte[] list() {
        return WireJson.bytes(json -> {
            json.writeStartObject();
            json.writeStringField("object", "list");
            json.writeArrayFieldStart("data");
            for (CatalogModel model : catalog.models()) {
                write(json, model);
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    /** One model; names may contain slashes. */
    @GET
    @Path("{id:.+}")
    public byte[] find(@PathParam("id") String id) {
        CatalogModel model = catalog.find(id).orElseThrow(() -> ApiException.unknownModel(id));
        return WireJson.bytes(json -> write(json, model));
    }

    private static void write(JsonGenerator json, CatalogModel model) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", model.id());
        json.writeStringField("object", "model");
        json.writeNumberField("created", model.created().getEpochSecond());
        json.writeStringField("owned_by", "penstock");
        // As vLLM names it: clients size their prompts by it.
        if (model.maxTokens().isPresent()) {
            json.writeNumberField("max_model_len", model.maxTokens().getAsInt());
        }
        json.writeEndObject();
    }
}
