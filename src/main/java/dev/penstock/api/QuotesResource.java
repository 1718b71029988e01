package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.model.WireRequest.Endpoint;
import dev.penstock.routing.Quote;
import dev.penstock.routing.Quote.Fit;
import dev.penstock.routing.Quote.Latency;
import dev.penstock.routing.Router;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Locale;

/** {@code POST /v1/quotes}: what each backend would answer to a request, without running it. */
@Path("/v1/quotes")
@Produces(MediaType.APPLICATION_JSON)
public class QuotesResource {
    private final Calls calls;
    private final Router router;
    private final ApiLimits limits;

    QuotesResource(Calls calls, Router router, ApiLimits limits) {
        this.calls = calls;
        this.router = router;
        this.limits = limits;
    }

    /** Quotes for a conversation, or for a completion where the body has a {@code prompt} and no {@code messages}. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public byte[] create(InputStream body, @Context RoutingContext http) throws IOException {
        byte[] bytes = WireJson.readBody(body, limits.maxBodyBytes());
        JsonObject object = WireJson.readObject(bytes);
        boolean completion = object.get("messages") == null && object.get("prompt") != null;
        Call call = calls.read(
                completion ? Endpoint.COMPLETIONS : Endpoint.CHAT,
                object,
                bytes,
                http.request().headers());
        List<Quote> quotes = router.quotes(call.model(), call.route());
        return WireJson.bytes(json -> write(json, call, quotes));
    }

    private static void write(JsonGenerator json, Call call, List<Quote> quotes) throws IOException {
        json.writeStartObject();
        json.writeStringField("object", "list");
        json.writeStringField("model", call.model());
        json.writeNumberField(
                "prompt_tokens", call.route().sequences().getFirst().promptTokens());
        json.writeArrayFieldStart("data");
        for (Quote quote : quotes) {
            json.writeStartObject();
            json.writeStringField("object", "quote");
            json.writeStringField("backend", quote.backend());
            latency(json, "ttft_ms", quote.ttft());
            latency(json, "tpot_ms", quote.tpot());
            latency(json, "end_to_end_ms", quote.endToEnd());
            json.writeFieldName("cost_usd");
            json.writeNumber(quote.cost().usd().toPlainString());
            json.writeBooleanField("feasible", quote.fit() == Fit.FEASIBLE);
            json.writeStringField(
                    "reason",
                    quote.fit() == Fit.FEASIBLE ? null : quote.fit().name().toLowerCase(Locale.ROOT));
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void latency(JsonGenerator json, String name, Latency latency) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("mean", latency.mean().toNanos() / 1e6);
        json.writeNumberField("p90", latency.p90().toNanos() / 1e6);
        json.writeEndObject();
    }
}
