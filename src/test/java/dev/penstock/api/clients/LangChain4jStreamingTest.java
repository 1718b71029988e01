package dev.penstock.api.clients;

import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.argThat;
import static org.mockito.Mockito.atLeastOnce;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatRequestParameters;
import dev.langchain4j.model.openai.OpenAiChatResponseMetadata;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiTokenUsage;
import dev.langchain4j.model.output.TokenUsage;
import dev.penstock.api.ContractProxy;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.net.URI;
import java.util.List;
import org.mockito.InOrder;

/** LangChain4j's own suite for streaming chat models, through its client for OpenAI. */
@QuarkusTest
@TestProfile(CapableProfile.class)
class LangChain4jStreamingTest extends AbstractStreamingChatModelIT {
    @TestHTTPResource("/v1")
    URI url;

    private OpenAiStreamingChatModel.OpenAiStreamingChatModelBuilder model() {
        return OpenAiStreamingChatModel.builder()
                .baseUrl(ContractProxy.before(url).toString())
                .apiKey("none")
                .modelName(CapableModels.MODEL);
    }

    @Override
    protected List<StreamingChatModel> models() {
        return List.of(model().build());
    }

    @Override
    protected List<StreamingChatModel> modelsSupportingTools() {
        return List.of(model().build(), model().strictTools(true).build());
    }

    @Override
    protected List<StreamingChatModel> modelsSupportingStructuredOutputs() {
        return List.of(
                model().build(),
                model().responseFormat("json_schema").strictJsonSchema(true).build());
    }

    @Override
    protected StreamingChatModel createModelWith(ChatRequestParameters parameters) {
        OpenAiStreamingChatModel.OpenAiStreamingChatModelBuilder builder = OpenAiStreamingChatModel.builder()
                .baseUrl(ContractProxy.before(url).toString())
                .apiKey("none")
                .defaultRequestParameters(parameters);
        if (parameters.modelName() == null) {
            builder.modelName(CapableModels.MODEL);
        }
        return builder.build();
    }

    @Override
    public StreamingChatModel createModelWith(ChatModelListener listener) {
        return model().listeners(List.of(listener)).build();
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
    protected Class<? extends ChatResponseMetadata> chatResponseMetadataType(StreamingChatModel model) {
        return OpenAiChatResponseMetadata.class;
    }

    @Override
    protected Class<? extends TokenUsage> tokenUsageType(StreamingChatModel model) {
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

    @Override
    protected void verifyToolCallbacks(StreamingChatResponseHandler handler, InOrder order, String id) {
        verifyCall(handler, order, 0, id, "getWeather", "{\"city\":\"Munich\"}");
    }

    @Override
    protected void verifyToolCallbacks(StreamingChatResponseHandler handler, InOrder order, String id1, String id2) {
        verifyCall(handler, order, 0, id1, "getWeather", "{\"city\":\"Munich\"}");
        verifyCall(handler, order, 1, id2, "getTime", "{\"country\":\"France\"}");
    }

    private static void verifyCall(
            StreamingChatResponseHandler handler,
            InOrder order,
            int index,
            String id,
            String name,
            String argumentsWithoutSpaces) {
        order.verify(handler, atLeastOnce())
                .onPartialToolCall(
                        argThat(call -> call.index() == index
                                && call.id().equals(id)
                                && call.name().equals(name)
                                && !call.partialArguments().isEmpty()),
                        any());
        order.verify(handler).onCompleteToolCall(argThat(call -> {
            ToolExecutionRequest request = call.toolExecutionRequest();
            return call.index() == index
                    && request.id().equals(id)
                    && request.name().equals(name)
                    && request.arguments().replace(" ", "").equals(argumentsWithoutSpaces);
        }));
    }
}
