package dev.penstock.api;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** A request that gets an error for an answer: the status, and the four keys that OpenAI's clients read. */
public final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private static final String INVALID_REQUEST = "invalid_request_error";
    private static final String SERVER = "server_error";

    /** The code of {@link #promptTooLong}. */
    static final String TOO_LONG = "context_length_exceeded";

    /** The code of {@link #overloaded}. */
    static final String OVERLOADED = "server_is_overloaded";

    private final int status;
    private final String type;
    private final @Nullable String param;
    private final @Nullable String code;
    private final int retryAfterS;

    private ApiException(
            int status, String type, @Nullable String param, @Nullable String code, int retryAfterS, String message) {
        // An answer to the caller, not a fault of the program: nobody reads its stack.
        super(message, null, false, false);
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
        this.retryAfterS = retryAfterS;
    }

    /** 400: a field that is missing, of the wrong type, out of range or not supported. */
    public static ApiException badField(String param, String message) {
        return new ApiException(400, INVALID_REQUEST, param, null, 0, message);
    }

    /** 400: the body as a whole can't be read. */
    public static ApiException badBody(String message) {
        return new ApiException(400, INVALID_REQUEST, null, null, 0, message);
    }

    /** 400: a field that this server knows but can't honour. */
    public static ApiException unsupported(String param, String message) {
        return new ApiException(400, INVALID_REQUEST, param, "unsupported_parameter", 0, message);
    }

    /** 400: the prompt does not fit into the model's context. */
    public static ApiException promptTooLong(String param, String promptTokens, int contextLength) {
        return new ApiException(
                400,
                INVALID_REQUEST,
                param,
                TOO_LONG,
                0,
                "This model's maximum context length is " + contextLength + " tokens, of which at least one is for the"
                        + " reply; the prompt has " + promptTokens + ". Shorten it.");
    }

    /** 400: an input does not fit into an encoder's context. */
    public static ApiException inputTooLong(String param, String tokens, int contextLength) {
        return new ApiException(
                400,
                INVALID_REQUEST,
                param,
                "context_length_exceeded",
                0,
                "This model's maximum context length is " + contextLength + " tokens; '" + param + "' has " + tokens
                        + ". Shorten it.");
    }

    /** 400: the response that a request goes on from is not kept. */
    public static ApiException unknownPrevious(String message) {
        return new ApiException(
                400, INVALID_REQUEST, "previous_response_id", "previous_response_not_found", 0, message);
    }

    /** 404: no such model. */
    public static ApiException unknownModel(String model) {
        return new ApiException(
                404,
                INVALID_REQUEST,
                "model",
                "model_not_found",
                0,
                "The model '" + model + "' does not exist here; GET /v1/models lists those that do.");
    }

    /** What a server elsewhere finds wrong with a request. */
    public static ApiException rejected(int status, @Nullable String param, @Nullable String code, String message) {
        return new ApiException(status, INVALID_REQUEST, param, code, 0, message);
    }

    /** Any other status that the fault of a request leads to, such as 404 for a path. */
    public static ApiException ofStatus(int status, @Nullable String code, String message) {
        return new ApiException(status, status >= 500 ? SERVER : INVALID_REQUEST, null, code, 0, message);
    }

    /** 503: the caller may try again after that many seconds. */
    public static ApiException overloaded(int retryAfterS, String message) {
        return new ApiException(503, SERVER, null, OVERLOADED, retryAfterS, message);
    }

    /** 500: something failed here; the message must tell nothing of the server's insides. */
    public static ApiException internal(String message) {
        return new ApiException(500, SERVER, null, "internal_error", 0, message);
    }

    /** The HTTP status. */
    public int status() {
        return status;
    }

    /** The broad kind of error. */
    public String type() {
        return type;
    }

    /** The field at fault, such as {@code messages[0].content}. */
    public @Nullable String param() {
        return param;
    }

    /** A word for programs. */
    public @Nullable String code() {
        return code;
    }

    /** Seconds for {@code Retry-After}, if trying again makes sense. */
    public OptionalInt retryAfterS() {
        return retryAfterS > 0 ? OptionalInt.of(retryAfterS) : OptionalInt.empty();
    }

    /** The message, which is never absent. */
    @Override
    public String getMessage() {
        String message = super.getMessage();
        return message == null ? type : message;
    }
}
