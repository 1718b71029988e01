package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.Budget;
import dev.penstock.model.EncoderTask;
import dev.penstock.model.WireRequest;
import dev.penstock.model.WireRequest.Endpoint;
import dev.penstock.prompt.CatalogModel;
import dev.penstock.prompt.EncoderModel;
import dev.penstock.prompt.ModelCatalog;
import dev.penstock.prompt.RemoteModel;
import dev.penstock.prompt.ServedModel;
import dev.penstock.routing.Prefix;
import dev.penstock.routing.RouteRequest;
import dev.penstock.routing.RouteRequest.Size;
import io.vertx.core.MultiMap;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * Reads requests. Those for models that are here are read whole, and refused where they can't be honoured; of those for models
 * that are only elsewhere all but a few fields are for their servers to judge.
 */
@ApplicationScoped
class Calls {
    private static final int MAX_CALLER_CHARS = 256;

    /** Where nobody says how long a reply may be. */
    private static final int DEFAULT_MAX_TOKENS = 4096;

    private final ModelCatalog catalog;
    private final JobMaker jobs;
    private final ResponseJobs responses;
    private final PromptSizes sizes;

    Calls(ModelCatalog catalog, JobMaker jobs, ResponseJobs responses, PromptSizes sizes) {
        this.catalog = catalog;
        this.jobs = jobs;
        this.responses = responses;
        this.sizes = sizes;
    }

    /**
     * Reads a request.
     *
     * @param body as it was read from {@code bytes}
     * @throws ApiException a field makes no sense, or can't be honoured
     */
    Call read(Endpoint endpoint, JsonObject body, byte[] bytes, MultiMap headers) {
        String name = body.requiredText("model");
        CatalogModel model = catalog.find(name).orElseThrow(() -> ApiException.unknownModel(name));
        StreamFields streaming = StreamFields.read(body);
        WireRequest wire = new WireRequest(endpoint, bytes, streaming.stream(), streaming.includeUsage());
        Budget budget = BudgetFields.read(headers, body);
        String caller = caller(endpoint, body);
        return switch (model) {
            case ServedModel served -> {
                Job job = switch (endpoint) {
                    case CHAT ->
                        jobs.chat(served, ChatRequest.read(body), JobMaker.newId("chatcmpl-"), ChoicesWriter::ofChat);
                    case COMPLETIONS -> jobs.completion(served, CompletionRequest.read(body));
                    case RESPONSES -> responses.make(served, body);
                    case MESSAGES -> messages(served, MessagesRequest.read(body));
                    case EMBEDDINGS, RERANK ->
                        throw ApiException.badField(
                                "model", "The model '" + name + "' generates text; it is no encoder.");
                };
                List<Size> sequences = job.sequences().stream()
                        .map(s -> new Size(s.promptTokens().length, s.sampling().maxTokens()))
                        .toList();
                Prefix prefix = Prefix.ofTokens(job.sequences().getFirst().promptTokens());
                // What is kept is kept here, and not every server knows Anthropic's form.
                boolean staysHere = endpoint == Endpoint.RESPONSES || endpoint == Endpoint.MESSAGES;
                yield new Call(name, wire, job, new RouteRequest(caller, sequences, prefix, budget, 0, staysHere));
            }
            case EncoderModel encoder ->
                throw ApiException.badField(
                        "model",
                        "The model '" + name + "' generates no text; it is for POST /v1/"
                                + (encoder.task() == EncoderTask.EMBED ? "embeddings." : "rerank."));
            case RemoteModel remote -> {
                Size size = new Size(sizes.estimate(name, bytes.length), maxTokens(endpoint, body, remote));
                yield new Call(
                        name, wire, null, new RouteRequest(caller, List.of(size), Prefix.ofBytes(bytes), budget, 0));
            }
        };
    }

    private Job messages(ServedModel model, MessagesRequest request) {
        return jobs.chat(model, request.chat(), JobMaker.newId("msg_"), job -> new MessagesWriter(job, request));
    }

    /** Whether there is any model that is only elsewhere. */
    boolean haveRemoteModels() {
        return catalog.models().stream().anyMatch(RemoteModel.class::isInstance);
    }

    /** Whether a request is for such a model. */
    boolean isElsewhere(JsonObject body) {
        return catalog.find(body.requiredText("model")).orElse(null) instanceof RemoteModel;
    }

    private static String caller(Endpoint endpoint, JsonObject body) {
        JsonObject metadata = endpoint == Endpoint.MESSAGES ? body.object("metadata") : null;
        JsonNode user = metadata == null ? body.get("user") : metadata.get("user_id");
        String caller = Objects.requireNonNullElse(user, "").toString();
        return caller.length() > MAX_CALLER_CHARS ? caller.substring(0, MAX_CALLER_CHARS) : caller;
    }

    private static int maxTokens(Endpoint endpoint, JsonObject body, RemoteModel model) {
        if (!endpoint.generates()) {
            return 1;
        }
        OptionalInt newer = body.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
        OptionalInt older = newer.isPresent() ? newer : body.integer("max_tokens", 1, Integer.MAX_VALUE);
        OptionalInt limit = older.isPresent() ? older : body.integer("max_output_tokens", 1, Integer.MAX_VALUE);
        return limit.orElse(model.maxTokens().orElse(DEFAULT_MAX_TOKENS));
    }
}
