package dev.penstock.api;

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
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;

/** {@code POST /v1/rerank}, in the form that Jina, Cohere and vLLM share. */
@Path("/v1/rerank")
public class RerankResource {
    private final EncoderCalls calls;
    private final ApiLimits limits;

    RerankResource(EncoderCalls calls, ApiLimits limits) {
        this.calls = calls;
        this.limits = limits;
    }

    /** Scores documents by how well they fit a query. The reply goes out from the exchange's event loop. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public void create(InputStream body, @Context RoutingContext http, @Suspended AsyncResponse unused)
            throws IOException {
        byte[] bytes = WireJson.readBody(body, limits.maxBodyBytes());
        calls.answer(Endpoint.RERANK, bytes, http, RerankResource::rerank);
    }

    private static byte[] rerank(EncoderModel model, EncoderCalls.Run run) {
        RerankRequest request = RerankRequest.read(run.body());
        List<String> documents = request.documents();
        double[] scores = switch (model.task()) {
            case RERANK -> scores(run, request);
            case EMBED -> similarities(run, request);
        };
        List<Integer> best = IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> scores[i]).reversed())
                .limit(request.topN().orElse(scores.length))
                .toList();
        return WireJson.bytes(json -> {
            json.writeStartObject();
            json.writeStringField("id", "rerank-" + UUID.randomUUID().toString().replace("-", ""));
            json.writeStringField("model", model.id());
            json.writeObjectFieldStart("usage");
            json.writeNumberField("total_tokens", run.tokens());
            json.writeEndObject();
            json.writeArrayFieldStart("results");
            for (int i : best) {
                json.writeStartObject();
                json.writeNumberField("index", i);
                json.writeNumberField("relevance_score", scores[i]);
                if (request.returnDocuments()) {
                    json.writeObjectFieldStart("document");
                    json.writeStringField("text", documents.get(i));
                    json.writeEndObject();
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    /** Scores of a cross-encoder, which reads each document together with the query. */
    private static double[] scores(EncoderCalls.Run run, RerankRequest request) {
        List<EncoderInput> pairs = new ArrayList<>(request.documents().size());
        for (String document : request.documents()) {
            pairs.add(run.pair(request.query(), document));
        }
        float[][] rows = run.rows(pairs, "documents");
        return IntStream.range(0, rows.length).mapToDouble(i -> rows[i][0]).toArray();
    }

    /** Cosines between the query's vector and those of the documents. */
    private static double[] similarities(EncoderCalls.Run run, RerankRequest request) {
        List<EncoderInput> inputs = new ArrayList<>(request.documents().size() + 1);
        inputs.add(run.text(request.query(), "query"));
        for (int i = 0; i < request.documents().size(); i++) {
            inputs.add(run.text(request.documents().get(i), "documents[" + i + "]"));
        }
        float[][] rows = run.rows(inputs, "documents");
        return IntStream.range(1, rows.length)
                .mapToDouble(i -> Vectors.cosine(rows[0], rows[i]))
                .toArray();
    }
}
