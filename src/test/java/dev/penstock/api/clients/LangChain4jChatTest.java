package dev.penstock.api.clients;

import static dev.langchain4j.model.chat.Capability.RESPONSE_FORMAT_JSON_SCHEMA;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiChatRequestParameters;
import dev.langchain4j.model.openai.OpenAiChatResponseMetadata;
import dev.langchain4j.model.openai.OpenAiTokenUsage;
import dev.langchain4j.model.output.TokenUsage;
import dev.penstock.api.ContractProxy;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;

/** LangChain4j's own suite for chat models, through its client for OpenAI. */
@QuarkusTest
@TestProfile(CapableProfile.class)
class LangChain4jChatTest extends AbstractChatModelIT {
    @TestHTTPResource("/v1")
    URI url;

    private OpenAiChatModel.OpenAiChatModelBuilder model() {
        return OpenAiChatModel.builder()
                .baseUrl(ContractProxy.before(url).toString())
                .apiKey("none")
                .modelName(CapableModels.MODEL);
    }

    @Override
    protected List<ChatModel> models() {
        return List.of(
                model().build(),
                model().strictTools(true).build(),
                model().supportedCapabilities(RESPONSE_FORMAT_JSON_SCHEMA)
                        .strictJsonSchema(true)
                        .build(),
                model().responseFormat("json_schema").strictJsonSchema(true).build());
    }

    @Override
    protected ChatModel createModelWith(ChatRequestParameters parameters) {
        OpenAiChatModel.OpenAiChatModelBuilder builder = OpenAiChatModel.builder()
                .baseUrl(ContractProxy.before(url).toString())
                .apiKey("none")
                .defaultRequestParameters(parameters);
        if (parameters.modelName() == null) {
            builder.modelName(CapableModels.MODEL);
        }
        return builder.build();
    }

    @Override
    protected String customModelName() {
        return CapableModels.OTHER_MODEL;
    }

    @Override
    protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
        return OpenAiChatRequestParameters.builder()
                .maxOutputTokens(maxOutputTokens)
                .build();
    }

    @Override
    protected Class<? extends ChatResponseMetadata> chatResponseMetadataType(ChatModel model) {
        return OpenAiChatResponseMetadata.class;
    }

    @Override
    protected Class<? extends TokenUsage> tokenUsageType(ChatModel model) {
        return OpenAiTokenUsage.class;
    }

    @Override
    protected boolean supportsSingleImageInputAsBase64EncodedString() {
        return false;
    }

    @Override
    protected boolean supportsSingleImageInputAsPublicURL() {
        return false;
    }

    /** The client leaves it to the server to refuse images: with its exception for a 400. */
    @Override
    protected boolean assertExceptionType() {
        return false;
    }

    @Test
    void anImageIsRefusedByName() {
        InvalidRequestException refused = catchThrowableOfType(
                InvalidRequestException.class, () -> model().build().chat(UserMessage.from(catImageContentBase64())));

        assertThat(refused).hasMessageContaining("messages[0].content[0].type").hasMessageContaining("image_url");
    }

    @Test
    void callsInParallelCanBeForbidden() {
        ChatRequest request = ChatRequest.builder()
                .messages(UserMessage.from("What is the weather in Munich and time in France?"))
                .parameters(OpenAiChatRequestParameters.builder()
                        .toolSpecifications(tool("getWeather", "city"), tool("getTime", "country"))
                        .parallelToolCalls(false)
                        .build())
                .build();

        assertThat(model().strictTools(true).build().chat(request).aiMessage().toolExecutionRequests())
                .hasSize(1);
    }

    private static ToolSpecification tool(String name, String parameter) {
        return ToolSpecification.builder()
                .name(name)
                .parameters(JsonObjectSchema.builder()
                        .addStringProperty(parameter)
                        .required(parameter)
                        .build())
                .build();
    }
}
