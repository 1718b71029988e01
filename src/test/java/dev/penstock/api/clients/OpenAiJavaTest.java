package dev.penstock.api.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonTypeName;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletion.Choice.FinishReason;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessage;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionNamedToolChoice;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import dev.penstock.api.ContractProxy;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;

/** OpenAI's client for Java where it wants a model that knows something: calls of tools, structured output, errors. */
@QuarkusTest
@TestProfile(CapableProfile.class)
class OpenAiJavaTest {
    private static final String CAPITAL = "What is the capital of Germany?";

    @TestHTTPResource("/v1")
    URI url;

    /** A tool whose arguments the client reads into this class. */
    @JsonClassDescription("Tells the weather of a city")
    @JsonTypeName("getWeather")
    public static class GetWeather {
        public String city = "";
    }

    /** An answer in the form of this class. */
    public static class Answer {
        public String city = "";
    }

    private OpenAIClient client() {
        return OpenAIOkHttpClient.builder()
                .baseUrl(ContractProxy.before(url).toString())
                .apiKey("none")
                .maxRetries(0)
                .build();
    }

    private static ChatCompletionCreateParams.Builder asks(String question) {
        return ChatCompletionCreateParams.builder().model(CapableModels.MODEL).addUserMessage(question);
    }

    private ChatCompletion create(ChatCompletionCreateParams.Builder params) {
        ChatCompletion reply = client().chat().completions().create(params.build());
        reply.validate();
        return reply;
    }

    private ChatCompletion stream(ChatCompletionCreateParams.Builder params) {
        ChatCompletionAccumulator whole = ChatCompletionAccumulator.create();
        ChatCompletionCreateParams streamed = params.streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .build();
        try (StreamResponse<ChatCompletionChunk> chunks =
                client().chat().completions().createStreaming(streamed)) {
            chunks.stream().forEach(chunk -> {
                chunk.validate();
                whole.accumulate(chunk);
            });
        }
        return whole.chatCompletion();
    }

    private static ChatCompletionMessageFunctionToolCall onlyCall(ChatCompletion reply) {
        ChatCompletion.Choice choice = reply.choices().getFirst();
        assertThat(choice.finishReason()).isEqualTo(FinishReason.TOOL_CALLS);
        assertThat(choice.message().toolCalls().orElseThrow()).hasSize(1);
        return choice.message().toolCalls().orElseThrow().getFirst().asFunction();
    }

    @Test
    void choicesOfAStreamAddUpToThoseOfAPlainReply() {
        ChatCompletion plain = create(asks(CAPITAL).n(2));
        ChatCompletion streamed = stream(asks(CAPITAL).n(2));

        assertThat(plain.choices()).extracting(ChatCompletion.Choice::index).containsExactly(0L, 1L);
        assertThat(summaries(plain))
                .containsExactly(
                        "0 stop The capital of Germany is Berlin.", "1 stop The capital of Germany is Berlin.");
        assertThat(summaries(streamed)).isEqualTo(summaries(plain));
        assertThat(streamed.usage()).isEqualTo(plain.usage());
    }

    private static List<String> summaries(ChatCompletion reply) {
        return reply.choices().stream()
                .map(choice -> choice.index() + " " + choice.finishReason() + " "
                        + choice.message().content().orElseThrow())
                .toList();
    }

    @Test
    void aToolIsCalledAndItsResultRead() {
        String question = "What is the weather in Munich?";
        ChatCompletion reply = create(asks(question).addTool(GetWeather.class));
        ChatCompletionMessage message = reply.choices().getFirst().message();
        ChatCompletionMessageFunctionToolCall call = onlyCall(reply);

        assertThat(message.content()).isEmpty();
        assertThat(call.function().name()).isEqualTo("getWeather");
        assertThat(call.function().arguments(GetWeather.class).city).isEqualTo("Munich");

        ChatCompletion answer = create(asks(question)
                .addTool(GetWeather.class)
                .addMessage(message)
                .addMessage(ChatCompletionToolMessageParam.builder()
                        .toolCallId(call.id())
                        .content("sunny")
                        .build()));

        assertThat(answer.choices().getFirst().message().content().orElseThrow())
                .contains("sunny");
    }

    @Test
    void aStreamedCallAddsUp() {
        ChatCompletionMessageFunctionToolCall call =
                onlyCall(stream(asks("What is the weather in Munich?").addTool(GetWeather.class)));

        assertThat(call.function().arguments(GetWeather.class).city).isEqualTo("Munich");
    }

    @Test
    void aToolThatMustBeCalledIs() {
        ChatCompletionCreateParams.Builder params = asks("I live in Munich").addTool(GetWeather.class);

        assertThat(create(params).choices().getFirst().message().toolCalls()).isEmpty();
        assertThat(onlyCall(create(params.toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)))
                        .function()
                        .name())
                .isEqualTo("getWeather");
        assertThat(onlyCall(create(params.toolChoice(named("getWeather"))))
                        .function()
                        .name())
                .isEqualTo("getWeather");
    }

    private static ChatCompletionNamedToolChoice named(String function) {
        return ChatCompletionNamedToolChoice.builder()
                .function(ChatCompletionNamedToolChoice.Function.builder()
                        .name(function)
                        .build())
                .build();
    }

    @Test
    void anAnswerComesInTheFormOfAClass() {
        List<String> cities =
                client()
                        .chat()
                        .completions()
                        .create(asks(CAPITAL).responseFormat(Answer.class).build())
                        .choices()
                        .stream()
                        .flatMap(choice -> choice.message().content().stream())
                        .map(answer -> answer.city)
                        .toList();

        assertThat(cities).containsExactly("Berlin");
    }

    @Test
    void errorsNameTheFieldThatIsWrong() {
        BadRequestException unknownTool = catchThrowableOfType(
                BadRequestException.class,
                () -> create(asks(CAPITAL).addTool(GetWeather.class).toolChoice(named("getTime"))));
        assertThat(unknownTool.param()).hasValue("tool_choice.function.name");

        BadRequestException image = catchThrowableOfType(
                BadRequestException.class,
                () -> create(ChatCompletionCreateParams.builder()
                        .model(CapableModels.MODEL)
                        .addUserMessageOfArrayOfContentParts(
                                List.of(ChatCompletionContentPart.ofImageUrl(ChatCompletionContentPartImage.builder()
                                        .imageUrl(ChatCompletionContentPartImage.ImageUrl.builder()
                                                .url("https://example.com/cat.png")
                                                .build())
                                        .build())))));
        assertThat(image.param()).hasValue("messages[0].content[0].type");
        assertThat(image.type()).hasValue("invalid_request_error");

        BadRequestException temperature = catchThrowableOfType(
                BadRequestException.class, () -> create(asks(CAPITAL).temperature(3)));
        assertThat(temperature.param()).hasValue("temperature");

        NotFoundException model = catchThrowableOfType(
                NotFoundException.class, () -> create(asks(CAPITAL).model("gpt-9")));
        assertThat(model.code()).hasValue("model_not_found");
        assertThat(model.param()).hasValue("model");
    }
}
