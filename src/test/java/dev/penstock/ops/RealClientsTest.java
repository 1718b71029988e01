package dev.penstock.ops;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.penstock.api.ContractProxy;
import dev.penstock.api.RequestGate;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The clients that people use, against the server with the embedded model: the whole way, kernels included. */
@QuarkusTest
class RealClientsTest {
    private static final String MODEL = "penstock-tiny";
    private static final String CANCELLED = "outcome=\"cancelled\"";
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    @Inject
    RequestGate gate;

    @TestHTTPResource
    URI url;

    @BeforeEach
    void ready() {
        await().atMost(PATIENCE).until(() -> gate.state() == RequestGate.State.OPEN);
    }

    private String base() {
        return ContractProxy.before(url.resolve("/v1")).toString();
    }

    private OpenAIClient openAi() {
        return OpenAIOkHttpClient.builder()
                .baseUrl(base())
                .apiKey("none")
                .timeout(PATIENCE)
                .maxRetries(0)
                .build();
    }

    private static ChatCompletionCreateParams.Builder chat() {
        return ChatCompletionCreateParams.builder()
                .model(MODEL)
                .addSystemMessage("You are a small model.")
                .addUserMessage("Tell me a story about a fox.")
                .temperature(0)
                .maxCompletionTokens(24);
    }

    @Test
    void openAiJavaReadsAPlainChat() {
        ChatCompletion reply = openAi().chat()
                .completions()
                .create(chat().logprobs(true).topLogprobs(2).build());
        reply.validate();

        ChatCompletion.Choice choice = reply.choices().getFirst();
        String text = choice.message().content().orElseThrow();
        assertThat(text).isNotBlank();
        StringBuilder tokens = new StringBuilder();
        choice.logprobs().orElseThrow().content().orElseThrow().forEach(token -> {
            tokens.append(token.token());
            assertThat(token.logprob()).isLessThanOrEqualTo(0);
            assertThat(token.topLogprobs()).hasSize(2);
        });
        assertThat(tokens.toString()).isEqualTo(text);
        assertThat(reply.usage().orElseThrow().totalTokens())
                .isEqualTo(reply.usage().orElseThrow().promptTokens()
                        + reply.usage().orElseThrow().completionTokens());
    }

    @Test
    void openAiJavaReadsTheSameTextFromAStream() {
        String plain = openAi().chat()
                .completions()
                .create(chat().build())
                .choices()
                .getFirst()
                .message()
                .content()
                .orElseThrow();

        StringBuilder streamed = new StringBuilder();
        long usages = 0;
        try (StreamResponse<ChatCompletionChunk> stream = openAi().chat()
                .completions()
                .createStreaming(chat().streamOptions(ChatCompletionStreamOptions.builder()
                                .includeUsage(true)
                                .build())
                        .build())) {
            for (ChatCompletionChunk chunk : stream.stream().toList()) {
                chunk.validate();
                chunk.choices().forEach(c -> c.delta().content().ifPresent(streamed::append));
                usages += chunk.usage().isPresent() ? 1 : 0;
            }
        }

        assertThat(streamed.toString()).isEqualTo(plain);
        assertThat(usages).isEqualTo(1);
    }

    @Test
    void openAiJavaReadsACompletionWithStopStrings() {
        CompletionCreateParams.Builder params = CompletionCreateParams.builder()
                .model(MODEL)
                .prompt("Once upon a time")
                .temperature(0)
                .maxTokens(24);
        Completion whole = openAi().completions().create(params.build());
        whole.validate();
        String text = whole.choices().getFirst().text();
        assertThat(text.length()).isGreaterThan(8);

        String stop = text.substring(4, 8);
        Completion stopped = openAi().completions().create(params.stop(stop).build());

        assertThat(stopped.choices().getFirst().text()).isEqualTo(text.substring(0, text.indexOf(stop)));
        assertThat(stopped.choices().getFirst().finishReason())
                .isEqualTo(com.openai.models.completions.CompletionChoice.FinishReason.STOP);
    }

    @Test
    void openAiJavaUnderstandsErrors() {
        NotFoundException unknown = catchThrowableOfType(
                NotFoundException.class,
                () -> openAi().chat().completions().create(chat().model("gpt-9").build()));
        assertThat(unknown.code()).hasValue("model_not_found");

        BadRequestException tooLong = catchThrowableOfType(
                BadRequestException.class,
                () -> openAi().chat()
                        .completions()
                        .create(chat().addUserMessage("a fox ".repeat(5_000)).build()));
        assertThat(tooLong.code()).hasValue("context_length_exceeded");

        assertThat(catchThrowable(() -> openAi().chat()
                        .completions()
                        .create(chat().maxCompletionTokens(0).build())))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("max_completion_tokens");
    }

    @Test
    void openAiJavaListsTheModel() {
        assertThat(openAi().models().list().data()).anyMatch(m -> m.id().equals(MODEL));
        assertThat(openAi().models().retrieve(MODEL).id()).isEqualTo(MODEL);
    }

    @Test
    void langChain4jReadsAPlainChat() {
        OpenAiChatModel model = OpenAiChatModel.builder()
                .baseUrl(base())
                .apiKey("none")
                .modelName(MODEL)
                .temperature(0.0)
                .maxTokens(24)
                .timeout(PATIENCE)
                .build();

        ChatResponse response =
                model.chat(List.of(SystemMessage.from("You are a small model."), UserMessage.from("Hello!")));

        assertThat(response.aiMessage().text()).isNotBlank();
        assertThat(response.tokenUsage().totalTokenCount()).isPositive();
        assertThat(response.modelName()).isEqualTo(MODEL);
    }

    @Test
    void langChain4jReadsAStream() throws Exception {
        OpenAiStreamingChatModel model = OpenAiStreamingChatModel.builder()
                .baseUrl(base())
                .apiKey("none")
                .modelName(MODEL)
                .temperature(0.0)
                .maxTokens(24)
                .timeout(PATIENCE)
                .build();
        StringBuilder streamed = new StringBuilder();
        CompletableFuture<ChatResponse> whole = new CompletableFuture<>();

        model.chat("Tell me a story about a fox.", new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(String partial) {
                streamed.append(partial);
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
                whole.complete(response);
            }

            @Override
            public void onError(Throwable error) {
                whole.completeExceptionally(error);
            }
        });

        ChatResponse response = whole.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        assertThat(streamed.toString())
                .isNotBlank()
                .isEqualTo(response.aiMessage().text());
        assertThat(response.tokenUsage().outputTokenCount()).isPositive();
    }

    @Test
    void aClientThatGoesAwayFreesItsPlacesAndItsBlocks() throws Exception {
        double cancelled = metric("penstock_requests_total", CANCELLED);
        HttpRequest request = HttpRequest.newBuilder(url.resolve("/v1/completions"))
                .version(HttpClient.Version.HTTP_1_1)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("""
                        {"model": "penstock-tiny", "prompt": "Once upon a time", "stream": true, "n": 8,
                         "ignore_eos": true, "max_tokens": 450}"""))
                .build();
        try (HttpClient client = HttpClient.newHttpClient();
                InputStream reply = client.send(request, HttpResponse.BodyHandlers.ofInputStream())
                        .body()) {
            assertThat(reply.read()).isEqualTo('d');
        }

        await().atMost(PATIENCE).until(() -> metric("penstock_requests_total", CANCELLED) == cancelled + 8);
        assertThat(metric("penstock_requests_running", "")).isZero();
        assertThat(metric("penstock_requests_waiting", "")).isZero();
        assertThat(metric("penstock_kv_usage", "")).isZero();
    }

    /** The only value of that name with this in its labels. */
    private static double metric(String name, String label) {
        return given().get("/metrics")
                .asString()
                .lines()
                .filter(line -> line.startsWith(name + "{") && line.contains(label))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .reduce((one, other) -> {
                    throw new AssertionError("more than one " + name);
                })
                .orElseThrow();
    }
}
