package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.prompt.CatalogModel;
import dev.penstock.prompt.EncoderModel;
import dev.penstock.prompt.ModelCatalog;
import dev.penstock.prompt.RemoteModel;
import dev.penstock.prompt.ServedModel;
import dev.penstock.prompt.Tokenizer;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * {@code POST /tokenize} and {@code POST /detokenize}: what a model reads, and what its tokens spell. Requests and replies as vLLM has
 * them, and as llama.cpp has them ({@code content} for {@code prompt}).
 */
@Path("/")
@Consumes(MediaType.APPLICATION_JSON)
@Produces(MediaType.APPLICATION_JSON)
public class TokensResource {
    private final ModelCatalog catalog;
    private final ApiLimits limits;

    TokensResource(ModelCatalog catalog, ApiLimits limits) {
        this.catalog = catalog;
        this.limits = limits;
    }

    /** The tokens of a text, or of a conversation. */
    @POST
    @Path("tokenize")
    @RunOnVirtualThread
    public byte[] tokenize(InputStream in) throws IOException {
        JsonObject body = read(in);
        CatalogModel model = model(catalog, body);
        Tokenizer tokenizer = tokenizer(model);
        int contextLength = model.maxTokens().orElseThrow();
        String text = body.text(body.get("prompt") == null ? "content" : "prompt");
        if (text == null && body.get("messages") == null) {
            throw body.missing("prompt");
        }
        boolean special = body.flag("add_special_tokens", body.flag("add_special", body.get("content") == null));
        boolean pieces = body.flag("return_token_strs", body.flag("with_pieces", false));
        int[] tokens;
        if (text == null) {
            ServedModel reader = Prompts.here(model);
            ChatRequest chat = ChatRequest.read(body, model.id());
            String rendered = new Conversation(reader, chat).render();
            tokens = tokenizer.encode(rendered, reader.template() == null || chat.addSpecialTokens());
        } else {
            Prompts.checkLength(model, text.length(), "prompt");
            tokens = tokenizer.encode(text, special);
        }
        return WireJson.bytes(json -> {
            json.writeStartObject();
            json.writeNumberField("count", tokens.length);
            json.writeNumberField("max_model_len", contextLength);
            tokens(json, tokens);
            if (pieces) {
                json.writeArrayFieldStart("token_strs");
                for (int token : tokens) {
                    json.writeString(tokenizer.decode(new int[] {token}, false));
                }
                json.writeEndArray();
            }
            json.writeEndObject();
        });
    }

    /** The text of tokens. */
    @POST
    @Path("detokenize")
    @RunOnVirtualThread
    public byte[] detokenize(InputStream in) throws IOException {
        JsonObject body = read(in);
        Tokenizer tokenizer = tokenizer(model(catalog, body));
        List<JsonNode> elements = body.array("tokens");
        if (elements == null) {
            throw body.missing("tokens");
        }
        int[] tokens = new int[elements.size()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = JsonObject.integer(elements.get(i), "tokens[" + i + "]", 0, tokenizer.vocabSize() - 1);
        }
        String text = tokenizer.decode(tokens, false);
        return WireJson.bytes(json -> {
            json.writeStartObject();
            json.writeStringField("prompt", text);
            json.writeStringField("content", text);
            json.writeEndObject();
        });
    }

    /** Writes the field of tokens. */
    static void tokens(JsonGenerator json, int[] tokens) throws IOException {
        json.writeFieldName("tokens");
        json.writeArray(tokens, 0, tokens.length);
    }

    private JsonObject read(InputStream in) throws IOException {
        return WireJson.readObject(WireJson.readBody(in, limits.maxBodyBytes()));
    }

    private static Tokenizer tokenizer(CatalogModel model) {
        return switch (model) {
            case ServedModel served -> served.tokenizer();
            case EncoderModel encoder -> encoder.tokenizer();
            case RemoteModel remote -> throw Prompts.elsewhere(remote);
        };
    }

    /** The model that is named, or the only one there is; throws {@link ApiException} if there is none. */
    static CatalogModel model(ModelCatalog catalog, JsonObject body) {
        String name = body.text("model");
        List<CatalogModel> all = catalog.models();
        if (name == null && all.size() != 1) {
            throw body.missing("model");
        }
        return name == null ? all.getFirst() : catalog.find(name).orElseThrow(() -> ApiException.unknownModel(name));
    }
}
