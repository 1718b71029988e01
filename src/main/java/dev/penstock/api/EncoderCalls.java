package dev.penstock.api;

import dev.penstock.model.EncoderTask;
import dev.penstock.model.WireRequest.Endpoint;
import dev.penstock.prompt.EncoderException;
import dev.penstock.prompt.EncoderInput;
import dev.penstock.prompt.EncoderModel;
import dev.penstock.prompt.ModelCatalog;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiFunction;

/**
 * Has requests for encoders answered: by the model's encoder where it is here, else by a server elsewhere. Everything runs on
 * the request's virtual thread, which waits for the encoder; only the reply is written on the event loop.
 */
@ApplicationScoped
class EncoderCalls {
    /** Tokens of a request: a full request of texts of 512 tokens. */
    static final int MAX_TOKENS = 1 << 20;

    /** No tokenizer takes more characters into one token: a text above this many times the context need not be encoded. */
    private static final int MAX_CHARS_PER_TOKEN = 256;

    private final ModelCatalog catalog;
    private final Calls calls;
    private final Responder responder;
    private final CallObserver observer;
    private final ApiLimits limits;

    EncoderCalls(ModelCatalog catalog, Calls calls, Responder responder, CallObserver observer, ApiLimits limits) {
        this.catalog = catalog;
        this.calls = calls;
        this.responder = responder;
        this.observer = observer;
        this.limits = limits;
    }

    /** Answers a request, by {@code local} where its model is an encoder of this process. Throws ApiException. */
    void answer(Endpoint endpoint, byte[] bytes, RoutingContext http, BiFunction<EncoderModel, Run, byte[]> local) {
        JsonObject body = WireJson.readObject(bytes);
        String name = body.requiredText("model");
        if (body.flag("stream", false)) {
            throw ApiException.unsupported("stream", "What an encoder gives is not streamed.");
        }
        Exchange exchange = Exchange.of(http);
        if (!(catalog.find(name).orElse(null) instanceof EncoderModel model)) {
            responder.answer(calls.read(endpoint, body, bytes, http.request().headers()), exchange);
            return;
        }
        CallObserver.Watch watch = observer.begin(endpoint, name, exchange::header);
        try {
            Run run = new Run(body, model, exchange);
            byte[] json = local.apply(model, run);
            watch.answered(run.tokens);
            exchange.execute(() -> send(exchange.response(), json));
        } catch (ApiException e) {
            watch.failed(e);
            exchange.execute(() -> exchange.send(e));
        } catch (CancellationException e) {
            // Its caller has gone.
        } finally {
            watch.over();
        }
    }

    private static void send(HttpServerResponse response, byte[] json) {
        if (!response.ended() && !response.closed()) {
            response.putHeader("Content-Type", "application/json");
            response.end(Buffer.buffer(json));
        }
    }

    /** One request at an encoder. */
    final class Run {
        private final JsonObject body;
        private final EncoderModel model;
        private final Exchange exchange;
        private int tokens;

        private Run(JsonObject body, EncoderModel model, Exchange exchange) {
            this.body = body;
            this.model = model;
            this.exchange = exchange;
        }

        JsonObject body() {
            return body;
        }

        /** Tokens of what has been encoded. */
        int tokens() {
            return tokens;
        }

        /** A text's tokens, with the special ones. Throws ApiException. */
        EncoderInput text(String text, String param) {
            checkLength(text, param);
            return checked(model.tokenizer().encode(text, true), param);
        }

        /** A query with a document, which is cut where it is too long. Throws ApiException. */
        EncoderInput pair(String query, String document) {
            checkLength(query, "query");
            try {
                return model.tokenizer().encodePair(query, head(document), model.contextLength());
            } catch (IllegalArgumentException e) {
                throw ApiException.badField(
                        "query",
                        "'query' leaves documents no room in the model's context of " + model.contextLength()
                                + " tokens. Shorten it.");
            }
        }

        private void checkLength(String text, String param) {
            if (text.length() > maxChars()) {
                throw tooLong(param, "at least " + text.length() / MAX_CHARS_PER_TOKEN);
            }
        }

        /** As much of a document as there can be room for. */
        private String head(String document) {
            return document.length() > maxChars() ? document.substring(0, (int) maxChars()) : document;
        }

        private long maxChars() {
            return (long) model.contextLength() * MAX_CHARS_PER_TOKEN;
        }

        /** Tokens as an input. Throws ApiException where the model can't take them. */
        EncoderInput checked(int[] ids, String param) {
            if (ids.length == 0) {
                throw ApiException.badField(param, "'" + param + "' must have at least one token.");
            }
            if (ids.length > model.contextLength()) {
                throw tooLong(param, Integer.toString(ids.length));
            }
            int vocabSize = model.tokenizer().vocabSize();
            for (int id : ids) {
                if (id >= vocabSize) {
                    throw ApiException.badField(
                            param,
                            "'" + param + "' has token " + id + ", but the model's tokens are 0 to " + (vocabSize - 1)
                                    + ".");
                }
            }
            return new EncoderInput(ids);
        }

        private ApiException tooLong(String param, String found) {
            return ApiException.inputTooLong(param, found, model.contextLength());
        }

        /**
         * Rows of these inputs; waits for them.
         *
         * @param param what to name where there are too many tokens in all
         * @throws ApiException they can't be had
         * @throws CancellationException the caller has gone
         */
        float[][] rows(List<EncoderInput> inputs, String param) {
            long total = inputs.stream().mapToLong(EncoderInput::length).sum();
            if (total > MAX_TOKENS) {
                throw ApiException.badField(
                        param,
                        "The request has " + total + " tokens; at most " + MAX_TOKENS + " go into one. Split it.");
            }
            tokens += (int) total;
            CompletableFuture<float[][]> rows = model.encoder().encode(inputs);
            exchange.whenOver(() -> rows.cancel(false));
            try {
                return rows.join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof EncoderException failure ? error(failure) : e;
            }
        }
    }

    private ApiException error(EncoderException failure) {
        String message = String.valueOf(failure.getMessage());
        return switch (failure.kind()) {
            case INVALID -> ApiException.badBody(message);
            case OVERLOADED, SHUTTING_DOWN -> ApiException.overloaded(limits.retryAfterS(), message);
            case INTERNAL -> ApiException.internal(message);
        };
    }

    /** Refuses a model that does something else. */
    static void require(EncoderModel model, EncoderTask task, String instead) {
        if (model.task() != task) {
            throw ApiException.badField("model", "The model '" + model.id() + "' " + instead);
        }
    }
}
