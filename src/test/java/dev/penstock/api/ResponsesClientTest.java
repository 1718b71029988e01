package dev.penstock.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.responses.FunctionTool;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseFunctionToolCall;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.ResponseStatus;
import com.openai.models.responses.ResponseStreamEvent;
import dev.penstock.model.FinishReason;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** OpenAI's own client against {@code /v1/responses}. */
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ResponsesClientTest {
    private static final String CALL =
            "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}\n</tool_call>";

    @Inject
    ScriptedModels models;

    @TestHTTPResource
    URI url;

    private OpenAIClient client;

    @BeforeEach
    void reset() {
        models.chat().reset();
        models.thinker().reset();
        client = OpenAIOkHttpClient.builder()
                .baseUrl(ContractProxy.before(url.resolve("/v1")).toString())
                .apiKey("none")
                .maxRetries(0)
                .build();
    }

    private static ResponseCreateParams.Builder params(String model, String input) {
        return ResponseCreateParams.builder().model(model).input(input);
    }

    private static ResponseCreateParams.Builder withTool(ResponseCreateParams.Builder params) {
        return params.addTool(FunctionTool.builder()
                .name("weather")
                .strict(false)
                .parameters(FunctionTool.Parameters.builder()
                        .putAdditionalProperty("type", JsonValue.from("object"))
                        .putAdditionalProperty("properties", JsonValue.from(Map.of("city", Map.of("type", "string"))))
                        .build())
                .build());
    }

    private static String text(Response response) {
        return response.output().stream()
                .flatMap(item -> item.message().stream())
                .flatMap(message -> message.content().stream())
                .map(content -> content.asOutputText().text())
                .reduce("", String::concat);
    }

    @Test
    void aResponseIsRead() {
        Response response = client.responses().create(params("scripted", "Hi").build());

        response.validate();
        assertThat(text(response)).isEqualTo("Hello, world");
        assertThat(response.status()).contains(ResponseStatus.COMPLETED);
        assertThat(response.usage().orElseThrow().outputTokens()).isEqualTo(2);
        assertThat(client.responses().retrieve(response.id())).isEqualTo(response);
        assertThat(client.responses().inputItems().list(response.id()).items()).hasSize(1);
        client.responses().delete(response.id());
        assertThatThrownBy(() -> client.responses().retrieve(response.id())).isInstanceOf(NotFoundException.class);
    }

    @Test
    void aStreamAddsUpToTheResponse() {
        String said = "<think>Let me look.</think>I look.\n" + CALL;
        models.thinker().play(Script.says(said.split("(?<=\\G...)")).ends(FinishReason.STOP));
        ResponseAccumulator accumulator = ResponseAccumulator.create();

        try (StreamResponse<ResponseStreamEvent> stream = client.responses()
                .createStreaming(withTool(params("thinker", "Weather?")).build())) {
            stream.stream().forEach(event -> {
                event.validate();
                accumulator.accumulate(event);
            });
        }

        Response response = accumulator.response();
        response.validate();
        assertThat(response.output()).hasSize(3);
        assertThat(response.output().get(0).isReasoning()).isTrue();
        assertThat(text(response).strip()).isEqualTo("I look.");
        assertThat(response.output().get(2).asFunctionCall().arguments()).contains("Bonn");
        assertThat(client.responses().retrieve(response.id())).isEqualTo(response);
    }

    @Test
    void aToolIsCalledAndItsResultGoesBack() throws InterruptedException {
        models.chat()
                .play(
                        Script.says(CALL).ends(FinishReason.STOP),
                        Script.says("Sunny.").ends(FinishReason.STOP));

        Response asked = client.responses()
                .create(withTool(params("scripted", "Weather?")).build());
        ResponseFunctionToolCall call = asked.output().getFirst().asFunctionCall();
        Response told = client.responses()
                .create(withTool(ResponseCreateParams.builder()
                                .model("scripted")
                                .previousResponseId(asked.id())
                                .inputOfResponse(List.of(ResponseInputItem.ofFunctionCallOutput(
                                        ResponseInputItem.FunctionCallOutput.builder()
                                                .callId(call.callId())
                                                .output("sunny")
                                                .build()))))
                        .build());

        assertThat(call.name()).isEqualTo("weather");
        assertThat(text(told)).isEqualTo("Sunny.");
        models.chat().request();
        assertThat(new ByteTokenizer().decode(models.chat().request().promptTokens(), true))
                .isEqualTo("<s>[user]Weather?\n[assistant]\n[tool]sunny\n{tools 1}[assistant]");
    }

    /** What a structured response is read as. */
    public record City(String name, int inhabitants) {}

    @Test
    void aStructuredResponseIsReadAsARecord() throws InterruptedException {
        models.chat()
                .play(Script.says("{\"name\": \"Bonn\", \"inhabitants\": 330000}")
                        .ends(FinishReason.STOP));

        City city = client.responses()
                .create(params("scripted", "Bonn?").text(City.class).build())
                .output()
                .getFirst()
                .asMessage()
                .content()
                .getFirst()
                .asOutputText();

        assertThat(city).isEqualTo(new City("Bonn", 330_000));
        assertThat(models.chat().request().sampling().constraint()).isNotNull();
    }

    @Test
    void errorsAreUnderstood() {
        BadRequestException unknown = catchThrowableOfType(
                BadRequestException.class,
                () -> client.responses()
                        .create(params("scripted", "Hi")
                                .previousResponseId("resp_nothing")
                                .build()));

        assertThat(unknown.code()).contains("previous_response_not_found");
    }
}
