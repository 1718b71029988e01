package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.WireRequest.Endpoint;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.AsyncResponse;
import jakarta.ws.rs.container.Suspended;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code /v1/responses}: makes responses, and gives out, lists, cancels and forgets those that are kept. */
@Path("/v1/responses")
public class ResponsesResource {
    private static final int DEFAULT_LIMIT = 20;
    private static final int MAX_LIMIT = 100;

    private final Calls calls;
    private final Responder responder;
    private final BackgroundRuns background;
    private final ResponseStore store;
    private final ApiLimits limits;

    ResponsesResource(
            Calls calls, Responder responder, BackgroundRuns background, ResponseStore store, ApiLimits limits) {
        this.calls = calls;
        this.responder = responder;
        this.background = background;
        this.store = store;
        this.limits = limits;
    }

    /** Makes a response. But for those in the background it goes out from {@link Dispatch}: JAX-RS, suspended, sends none. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public void create(InputStream in, @Context RoutingContext http, @Suspended AsyncResponse reply)
            throws IOException {
        byte[] bytes = WireJson.readBody(in, limits.maxBodyBytes());
        JsonObject body = WireJson.readObject(bytes);
        Call call = calls.read(Endpoint.RESPONSES, body, bytes, http.request().headers());
        Job job = call.job();
        if (job != null && body.flag("background", false)) {
            byte[] first = background.begin(call, job, http.request()::getHeader);
            reply.resume(Response.ok(first, MediaType.APPLICATION_JSON_TYPE).build());
        } else {
            responder.answer(call, Exchange.of(http));
        }
    }

    /** The response of that id. */
    @GET
    @Path("{id}")
    @Produces(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public byte[] get(@PathParam("id") String id, @QueryParam("stream") @Nullable String stream) {
        if (stream != null && !stream.equals("false")) {
            throw ApiException.unsupported("stream", "A response that is kept can't be streamed; leave 'stream' out.");
        }
        BackgroundRun run = background.find(id);
        return run == null ? find(id).json() : run.json();
    }

    /** Its own input items, without those of responses that it goes on from. */
    @GET
    @Path("{id}/input_items")
    @Produces(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public byte[] inputItems(
            @PathParam("id") String id,
            @QueryParam("limit") @Nullable String limit,
            @QueryParam("order") @Nullable String order,
            @QueryParam("after") @Nullable String after) {
        int most = limit(limit);
        List<JsonNode> items = new ArrayList<>();
        WireJson.read(find(id).input()).forEach(items::add);
        switch (order) {
            case "asc" -> {}
            case null -> Collections.reverse(items);
            case "desc" -> Collections.reverse(items);
            default -> throw ApiException.badField("order", "'order' must be asc or desc.");
        }
        int from = after == null ? 0 : place(items, after) + 1;
        List<JsonNode> page = items.subList(from, Math.min(items.size(), from + most));
        return WireJson.bytes(json -> {
            json.writeStartObject();
            json.writeStringField("object", "list");
            json.writeArrayFieldStart("data");
            for (JsonNode item : page) {
                json.writeTree(item);
            }
            json.writeEndArray();
            json.writeStringField("first_id", page.isEmpty() ? "" : id(page.getFirst()));
            json.writeStringField("last_id", page.isEmpty() ? "" : id(page.getLast()));
            json.writeBooleanField("has_more", from + page.size() < items.size());
            json.writeEndObject();
        });
    }

    private static int limit(@Nullable String text) {
        try {
            int limit = text == null ? DEFAULT_LIMIT : Integer.parseInt(text);
            if (limit >= 1 && limit <= MAX_LIMIT) {
                return limit;
            }
        } catch (NumberFormatException e) {
            // As any other that makes no sense.
        }
        throw ApiException.badField("limit", "'limit' must be an integer from 1 to " + MAX_LIMIT + ".");
    }

    private static int place(List<JsonNode> items, String id) {
        for (int i = 0; i < items.size(); i++) {
            if (id(items.get(i)).equals(id)) {
                return i;
            }
        }
        throw ApiException.badField("after", "'after' names none of the response's input items.");
    }

    private static String id(JsonNode item) {
        return item.path("id").textValue();
    }

    /** Forgets the response of that id, and ends its making. */
    @DELETE
    @Path("{id}")
    @Produces(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public byte[] delete(@PathParam("id") String id) {
        BackgroundRun run = background.find(id);
        if (run != null) {
            run.cancel();
        }
        if (!store.remove(id) && run == null) {
            throw unknown(id);
        }
        return WireJson.bytes(json -> {
            json.writeStartObject();
            json.writeStringField("id", id);
            json.writeStringField("object", "response");
            json.writeBooleanField("deleted", true);
            json.writeEndObject();
        });
    }

    /** Ends the making of a response in the background; one that has ended stays as it is. */
    @POST
    @Path("{id}/cancel")
    @Produces(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public byte[] cancel(@PathParam("id") String id) {
        BackgroundRun run = background.find(id);
        if (run != null) {
            run.cancel();
            return run.json();
        }
        StoredResponse kept = find(id);
        if (!WireJson.read(kept.json()).path("background").booleanValue()) {
            throw ApiException.badBody("Only responses that are made in the background can be cancelled.");
        }
        return kept.json();
    }

    private StoredResponse find(String id) {
        return store.find(id).orElseThrow(() -> unknown(id));
    }

    private static ApiException unknown(String id) {
        return ApiException.ofStatus(404, "not_found", "The response '" + id + "' is not kept here.");
    }
}
