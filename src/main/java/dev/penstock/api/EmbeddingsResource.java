package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.model.EncoderTask;
import dev.penstock.model.WireRequest.Endpoint;
import dev.penstock.prompt.EncoderInput;
import dev.penstock.prompt.EncoderModel;
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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** {@code POST /v1/embeddings}. */
@Path("/v1/embeddings")
public class EmbeddingsResource {
    private final EncoderCalls calls;
    private final ApiLimits limits;

    EmbeddingsResource(EncoderCalls calls, ApiLimits limits) {
        this.calls = calls;
        this.limits = limits;
    }

    /** A vector for each input. The reply goes out from the exchange's event loop: JAX-RS, suspended, sends none. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public void create(InputStream body, @Context RoutingContext http, @Suspended AsyncResponse unused)
            throws IOException {
        byte[] bytes = WireJson.readBody(body, limits.maxBodyBytes());
        calls.answer(Endpoint.EMBEDDINGS, bytes, http, EmbeddingsResource::embed);
    }

    private static byte[] embed(EncoderModel model, EncoderCalls.Run run) {
        EncoderCalls.require(model, EncoderTask.EMBED, "gives scores, no embeddings; it is for POST /v1/rerank.");
        EmbeddingsRequest request = EmbeddingsRequest.read(run.body());
        int width = request.dimensions().orElse(model.width());
        if (width > model.width()) {
            throw ApiException.badField(
                    "dimensions", "'dimensions' must be at most the model's " + model.width() + ", not " + width + ".");
        }
        List<EncoderInput> inputs = new ArrayList<>(request.inputs().size());
        for (int i = 0; i < request.inputs().size(); i++) {
            String param = request.param(i);
            inputs.add(
                    switch (request.inputs().get(i)) {
                        case EmbeddingsRequest.Input.Text(String text) -> run.text(text, param);
                        case EmbeddingsRequest.Input.Tokens(int[] ids) -> run.checked(ids, param);
                    });
        }
        float[][] vectors = run.rows(inputs, "input");
        return WireJson.bytes(json -> {
            json.writeStartObject();
            json.writeStringField("object", "list");
            json.writeArrayFieldStart("data");
            for (int i = 0; i < vectors.length; i++) {
                json.writeStartObject();
                json.writeStringField("object", "embedding");
                json.writeNumberField("index", i);
                json.writeFieldName("embedding");
                write(json, width < model.width() ? shortened(vectors[i], width) : vectors[i], request.base64());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeStringField("model", model.id());
            json.writeObjectFieldStart("usage");
            json.writeNumberField("prompt_tokens", run.tokens());
            json.writeNumberField("total_tokens", run.tokens());
            json.writeEndObject();
            json.writeEndObject();
        });
    }

    private static void write(JsonGenerator json, float[] vector, boolean base64) throws IOException {
        if (base64) {
            ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(vector);
            json.writeString(Base64.getEncoder().encodeToString(bytes.array()));
            return;
        }
        json.writeStartArray();
        for (float x : vector) {
            json.writeNumber(x);
        }
        json.writeEndArray();
    }

    /** The first numbers of a vector at length 1, as models trained for that put the most into them (arXiv 2205.13147). */
    private static float[] shortened(float[] vector, int width) {
        float[] head = Arrays.copyOf(vector, width);
        double length = Math.sqrt(Vectors.dot(head, head));
        if (length > 0) {
            for (int i = 0; i < width; i++) {
                head[i] = (float) (head[i] / length);
            }
        }
        return head;
    }
}
