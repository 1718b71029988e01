package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.TokenLogprob;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ChatResourceTest {
    private static final String HI = "\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]";

    @Inject
    ScriptedModels models;

    @TestHTTPResource
    URI url;

    @BeforeEach
    void reset() {
        models.chat().reset();
        models.plain().reset();
    }

    private static String body(String fields) {
        return "{\"model\": \"scripted\", " + HI + (fields.isEmpty() ? "" : ", " + fields) + "}";
    }

    private static Response post(String fields) {
        return given().contentType(ContentType.JSON).body(body(fields)).post("/v1/chat/completions");
    }

    private static JsonNode plain(String fields) {
        Response response = post(fields);
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        assertThat(response.contentType()).startsWith("application/json");
        return Sse.parse(response.asString());
    }

    private static List<JsonNode> stream(String fields) {
        Response response = post("\"stream\": true" + (fields.isEmpty() ? "" : ", " + fields));
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        assertThat(response.contentType()).isEqualToIgnoringCase("text/event-stream;charset=utf-8");
        List<JsonNode> chunks = Sse.chunks(response.asString());
        return chunks;
    }

    @Test
    void aPlainReplyHasEveryKeyOfTheContract() {
        models.chat().play(Script.says("Hello", ", ", "you!").cached(3).ends(FinishReason.STOP));

        JsonNode reply = plain("");

        assertThat(reply.get("id").textValue()).startsWith("chatcmpl-");
        assertThat(reply.get("object").textValue()).isEqualTo("chat.completion");
        assertThat(reply.get("created").isIntegralNumber()).isTrue();
        assertThat(reply.get("model").textValue()).isEqualTo("scripted");
        assertThat(reply.get("system_fingerprint").textValue()).isEqualTo("fp_scripted");
        JsonNode choice = reply.at("/choices/0");
        assertThat(choice.get("index").intValue()).isZero();
        assertThat(choice.get("finish_reason").textValue()).isEqualTo("stop");
        assertThat(choice.get("logprobs").isNull()).isTrue();
        assertThat(choice.at("/message/role").textValue()).isEqualTo("assistant");
        assertThat(choice.at("/message/content").textValue()).isEqualTo("Hello, you!");
        assertThat(choice.get("message").has("refusal")).isTrue();
        assertThat(choice.at("/message/refusal").isNull()).isTrue();
        int promptTokens = "<s>[user]Hi\n[assistant]".length();
        assertThat(reply.at("/usage/prompt_tokens").intValue()).isEqualTo(promptTokens);
        assertThat(reply.at("/usage/completion_tokens").intValue()).isEqualTo(3);
        assertThat(reply.at("/usage/total_tokens").intValue()).isEqualTo(promptTokens + 3);
        assertThat(reply.at("/usage/prompt_tokens_details/cached_tokens").intValue())
                .isEqualTo(3);
    }

    @Test
    void aStreamBeginsWithTheRoleAndEndsWithAnEmptyDelta() {
        models.chat().play(Script.says("Grüße", " 🙂").ends(FinishReason.LENGTH));

        List<JsonNode> chunks = stream("");

        assertThat(chunks).allSatisfy(chunk -> {
            assertThat(chunk.get("id")).isEqualTo(chunks.getFirst().get("id"));
            assertThat(chunk.get("created")).isEqualTo(chunks.getFirst().get("created"));
            assertThat(chunk.get("object").textValue()).isEqualTo("chat.completion.chunk");
            assertThat(chunk.get("model").textValue()).isEqualTo("scripted");
            assertThat(chunk.get("system_fingerprint").textValue()).isEqualTo("fp_scripted");
            assertThat(chunk.at("/choices/0").has("finish_reason")).isTrue();
            assertThat(chunk.has("usage")).isFalse();
        });
        assertThat(chunks.getFirst().at("/choices/0/delta/role").textValue()).isEqualTo("assistant");
        assertThat(chunks.stream().skip(1))
                .noneMatch(c -> c.at("/choices/0/delta").has("role"));
        assertThat(text(chunks, 0)).isEqualTo("Grüße 🙂");
        assertThat(chunks.getLast().at("/choices/0/delta").isEmpty()).isTrue();
        assertThat(chunks.getLast().at("/choices/0/finish_reason").textValue()).isEqualTo("length");
        assertThat(chunks.subList(0, chunks.size() - 1))
                .allMatch(c -> c.at("/choices/0/finish_reason").isNull());
    }

    @Test
    void usageInAStreamIsOneMoreChunkAndNullBefore() {
        models.chat().play(Script.says("a", "b").ends(FinishReason.STOP));

        List<JsonNode> chunks = stream("\"stream_options\": {\"include_usage\": true}");

        JsonNode last = chunks.getLast();
        assertThat(last.get("choices").isEmpty()).isTrue();
        assertThat(last.at("/usage/completion_tokens").intValue()).isEqualTo(2);
        assertThat(chunks.subList(0, chunks.size() - 1)).allSatisfy(c -> {
            assertThat(c.has("usage")).isTrue();
            assertThat(c.get("usage").isNull()).isTrue();
        });
    }

    @Test
    void choicesInterleaveWithOneEndEachAndOneUsage() {
        models.chat()
                .play(
                        Script.says("a", "b").ends(FinishReason.STOP),
                        Script.says("c").ends(FinishReason.LENGTH),
                        Script.says("d").ends(FinishReason.STOP));

        List<JsonNode> chunks = stream("\"n\": 3, \"stream_options\": {\"include_usage\": true}");

        assertThat(List.of(text(chunks, 0), text(chunks, 1), text(chunks, 2))).containsExactly("ab", "c", "d");
        for (int i = 0; i < 3; i++) {
            int index = i;
            assertThat(chunks.stream()
                            .filter(c -> c.at("/choices/0/index").asInt(-1) == index)
                            .filter(c -> c.at("/choices/0/finish_reason").isTextual()))
                    .hasSize(1);
        }
        assertThat(chunks.stream().filter(c -> c.at("/usage/total_tokens").isNumber()))
                .hasSize(1);
        int promptTokens = "<s>[user]Hi\n[assistant]".length();
        assertThat(chunks.getLast().at("/usage/prompt_tokens").intValue()).isEqualTo(promptTokens);
        assertThat(chunks.getLast().at("/usage/completion_tokens").intValue()).isEqualTo(4);
    }

    @Test
    void choicesOfAPlainReplyComeInTheirOrderWithSeedsOfTheirOwn() throws InterruptedException {
        models.chat()
                .play(Script.says("a").ends(FinishReason.STOP), Script.says("b").ends(FinishReason.LENGTH));

        JsonNode reply = plain("\"n\": 2, \"seed\": 7");

        assertThat(reply.at("/choices/0/message/content").textValue()).isEqualTo("a");
        assertThat(reply.at("/choices/1/message/content").textValue()).isEqualTo("b");
        assertThat(reply.at("/choices/1/index").intValue()).isEqualTo(1);
        assertThat(reply.at("/choices/1/finish_reason").textValue()).isEqualTo("length");
        assertThat(List.of(seed(), seed())).containsExactlyInAnyOrder(7L, 8L);
    }

    private long seed() throws InterruptedException {
        return models.chat().request().sampling().seed().orElseThrow();
    }

    @Test
    void logprobsHoldTheTokensOfTheTextWithTheirBytes() {
        models.chat()
                .play(Script.says()
                        .thenTokens("h", Script.token("h", -0.5f, Script.token("h", -0.5f), Script.token("H", -1.5f)))
                        .thenTokens("", new TokenLogprob(0xC3, "\uFFFD", new byte[] {(byte) 0xC3}, -0.1f, List.of()))
                        .thenTokens(
                                "é",
                                new TokenLogprob(
                                        0xA9, "\uFFFD", new byte[] {(byte) 0xA9}, Float.NEGATIVE_INFINITY, List.of()))
                        .thenTokens(
                                "", new TokenLogprob(ByteTokenizer.END, "</s>", "</s>".getBytes(), -0.1f, List.of()))
                        .ends(FinishReason.STOP));

        JsonNode logprobs = plain("\"logprobs\": true, \"top_logprobs\": 2").at("/choices/0/logprobs");

        assertThat(logprobs.get("refusal").isNull()).isTrue();
        JsonNode content = logprobs.get("content");
        assertThat(content).hasSize(3);
        assertThat(content.at("/0/token").textValue()).isEqualTo("h");
        assertThat(content.at("/0/logprob").floatValue()).isEqualTo(-0.5f);
        assertThat(content.at("/0/bytes/0").intValue()).isEqualTo('h');
        assertThat(content.at("/0/top_logprobs")).hasSize(2);
        assertThat(content.at("/0/top_logprobs/1/token").textValue()).isEqualTo("H");
        assertThat(content.at("/1/bytes/0").intValue()).isEqualTo(0xC3);
        assertThat(content.at("/2/logprob").doubleValue()).isEqualTo(-9999.0);
    }

    @Test
    void tokensOfAStopStringAreNoPartOfTheLogprobsOfAStream() {
        models.chat()
                .play(Script.says()
                        .thenTokens("ab", Script.token("a", -1), Script.token("b.E", -1), Script.token("ND", -1))
                        .stopsAt(".END"));

        List<JsonNode> chunks = stream("\"logprobs\": true, \"stop\": \".END\"");

        StringBuilder tokens = new StringBuilder();
        for (JsonNode chunk : chunks) {
            chunk.at("/choices/0/logprobs/content")
                    .forEach(t -> tokens.append(t.get("token").textValue()));
        }
        assertThat(tokens.toString()).isEqualTo(text(chunks, 0)).isEqualTo("ab");
    }

    @Test
    void samplingDefaultsAreTheModelsOwn() throws InterruptedException {
        plain("");

        GenerationRequest request = models.chat().request();
        assertThat(request.sampling().temperature()).isEqualTo(0.6f);
        assertThat(request.sampling().topP()).isEqualTo(0.9f);
        assertThat(request.sampling().topK()).isEqualTo(40);
        assertThat(request.sampling().minP()).isEqualTo(0.05f);
        assertThat(request.sampling().repetitionPenalty()).isEqualTo(1.1f);
        assertThat(request.sampling().eosTokens()).containsExactly(ByteTokenizer.END);
        // Without a limit a reply may fill the context.
        assertThat(request.sampling().maxTokens()).isEqualTo(ScriptedModels.CONTEXT - request.promptTokens().length);
    }

    @Test
    void everySamplingFieldReachesTheModel() throws InterruptedException {
        plain("""
                "temperature": 0, "top_p": 0.5, "top_k": -1, "min_p": 0.1, "repetition_penalty": 1.3,
                "frequency_penalty": -1.5, "presence_penalty": 2, "logit_bias": {"65": -100, "66": 1.5},
                "seed": -9223372036854775808, "max_tokens": 9, "min_tokens": 2, "ignore_eos": true,
                "stop": ["x", "yz"], "stop_token_ids": [10, 11], "logprobs": true, "top_logprobs": 3""");

        var sampling = models.chat().request().sampling();
        assertThat(sampling.temperature()).isZero();
        assertThat(sampling.topP()).isEqualTo(0.5f);
        assertThat(sampling.topK()).isZero();
        assertThat(sampling.minP()).isEqualTo(0.1f);
        assertThat(sampling.repetitionPenalty()).isEqualTo(1.3f);
        assertThat(sampling.frequencyPenalty()).isEqualTo(-1.5f);
        assertThat(sampling.presencePenalty()).isEqualTo(2f);
        assertThat(sampling.logitBias()).containsEntry(65, -100f).containsEntry(66, 1.5f);
        assertThat(sampling.seed()).hasValue(Long.MIN_VALUE);
        assertThat(sampling.maxTokens()).isEqualTo(9);
        assertThat(sampling.minTokens()).isEqualTo(2);
        assertThat(sampling.ignoreEos()).isTrue();
        assertThat(sampling.stop()).containsExactly("x", "yz");
        assertThat(sampling.stopTokens()).containsExactlyInAnyOrder(10, 11);
        assertThat(sampling.topLogprobs()).hasValue(3);
    }

    @Test
    void theNewerLimitOfTokensWins() throws InterruptedException {
        plain("\"max_tokens\": 3, \"max_completion_tokens\": 5");

        assertThat(models.chat().request().sampling().maxTokens()).isEqualTo(5);
    }

    @Test
    void aLimitBeyondTheContextEndsThere() throws InterruptedException {
        plain("\"max_tokens\": 2147483647");

        GenerationRequest request = models.chat().request();
        assertThat(request.sampling().maxTokens() + request.promptTokens().length)
                .isEqualTo(ScriptedModels.CONTEXT);
    }

    @Test
    void messagesReachTheTemplateAsTexts() throws InterruptedException {
        given().contentType(ContentType.JSON)
                .body("""
                        {"model": "scripted", "chat_template_kwargs": {"mood": "gay"}, "messages": [
                          {"role": "developer", "content": "Be brief."},
                          {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                          {"role": "assistant", "content": null, "refusal": "No."},
                          {"role": "user", "content": "half an emoji: \\ud83d"}]}""")
                .post("/v1/chat/completions")
                .then()
                .statusCode(200);

        String prompt = new ByteTokenizer().decode(models.chat().request().promptTokens(), true);
        assertThat(prompt)
                .isEqualTo("<s>[system]Be brief.\n[user]a\nb\n[assistant]No.\n[user]half an emoji: \uFFFD\n"
                        + "{mood gay}[assistant]");
    }

    @Test
    void aModelWithoutATemplateTakesParagraphs() throws InterruptedException {
        given().contentType(ContentType.JSON)
                .body("{\"model\": \"lab/plain\", " + HI + "}")
                .post("/v1/chat/completions")
                .then()
                .statusCode(200);

        GenerationRequest request = models.plain().request();
        assertThat(request.promptTokens()[0]).isEqualTo(ByteTokenizer.BEGIN);
        assertThat(new ByteTokenizer().decode(request.promptTokens(), true)).isEqualTo("user: Hi\n\nassistant:");
        assertThat(request.sampling().stop()).contains("\n\nuser:");
    }

    @Test
    void whatFailsBeforeTheFirstTokenGetsItsStatusInAStreamToo() {
        models.chat().play(Script.says().fails(Cause.OVERLOADED, "512 requests wait already."));

        Response response = post("\"stream\": true");

        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.header("Retry-After")).isEqualTo("1");
        JsonNode error = Sse.parse(response.asString()).get("error");
        assertThat(error.get("code").textValue()).isEqualTo("server_is_overloaded");
        assertThat(error.get("message").textValue()).isEqualTo("512 requests wait already.");
        assertThat(error.has("param")).isTrue();
        assertThat(error.get("type").textValue()).isEqualTo("server_error");
    }

    @Test
    void whatFailsInTheMiddleEndsTheStreamWithAnError() throws Exception {
        CountDownLatch read = new CountDownLatch(1);
        models.chat().play(Script.says("Once").awaits(read).fails(Cause.INTERNAL, "The step failed."));

        List<String> data = new ArrayList<>();
        try (LiveStream stream = LiveStream.open(url, "/v1/chat/completions", body("\"stream\": true"))) {
            assertThat(stream.status()).isEqualTo(200);
            data.add(stream.nextData());
            read.countDown();
            data.addAll(rest(stream));
        }
        assertThat(data).doesNotContain("[DONE]");
        JsonNode last = Sse.parse(data.getLast());
        assertThat(last.at("/error/message").textValue()).isEqualTo("The step failed.");
        assertThat(last.at("/error/code").textValue()).isEqualTo("internal_error");
    }

    @Test
    void aStreamWithNothingToSaySendsComments() throws Exception {
        CountDownLatch read = new CountDownLatch(1);
        models.chat().play(Script.says("Once").awaits(read).then(" upon").ends(FinishReason.STOP));

        try (LiveStream stream = LiveStream.open(url, "/v1/chat/completions", body("\"stream\": true"))) {
            String line = "";
            while (line != null && !line.equals(": keep-alive")) {
                line = stream.nextLine();
            }
            assertThat(line).isNotNull();
            read.countDown();
            assertThat(rest(stream).getLast()).isEqualTo("[DONE]");
        }
    }

    @Test
    void aStreamThatWaitsLongForItsFirstTokenBeginsWithComments() throws Exception {
        CountDownLatch prefill = new CountDownLatch(1);
        models.chat().play(Script.says().awaits(prefill).then("Once").ends(FinishReason.STOP));

        try (LiveStream stream = LiveStream.open(url, "/v1/chat/completions", body("\"stream\": true"))) {
            assertThat(stream.status()).isEqualTo(200);
            for (int i = 0; i < 2; i++) {
                assertThat(stream.nextLine()).isEqualTo(": keep-alive");
                assertThat(stream.nextLine()).isEmpty();
            }
            prefill.countDown();
            String first = stream.nextData();
            assertThat(first).contains("\"role\":\"assistant\"");
            assertThat(rest(stream).getLast()).isEqualTo("[DONE]");
        }
    }

    @Test
    void whatFailsAfterTheFirstCommentEndsTheStreamWithAnError() throws Exception {
        CountDownLatch prefill = new CountDownLatch(1);
        models.chat().play(Script.says().awaits(prefill).fails(Cause.SHUTTING_DOWN, "The server is shutting down."));

        try (LiveStream stream = LiveStream.open(url, "/v1/chat/completions", body("\"stream\": true"))) {
            assertThat(stream.status()).isEqualTo(200);
            prefill.countDown();
            List<String> data = rest(stream);
            assertThat(data).hasSize(1);
            assertThat(Sse.parse(data.getFirst()).at("/error/message").textValue())
                    .isEqualTo("The server is shutting down.");
        }
    }

    @Test
    void oneFailingChoiceFailsAPlainReplyAndFreesTheOthers() {
        var never = new CountDownLatch(1);
        models.chat()
                .play(
                        Script.says("a").awaits(never).ends(FinishReason.STOP),
                        Script.says("b").fails(Cause.INTERNAL, "The step failed."));

        assertThat(post("\"n\": 2").statusCode()).isEqualTo(500);
        org.awaitility.Awaitility.await().until(() -> models.chat().running() == 0);
        assertThat(models.chat().cancelled()).isEqualTo(1);
    }

    /** The data of all events that are left. */
    private static List<String> rest(LiveStream stream) throws IOException {
        List<String> data = new ArrayList<>();
        String next;
        while ((next = stream.nextData()) != null) {
            data.add(next);
        }
        return data;
    }

    private static String text(List<JsonNode> chunks, int index) {
        return chunks.stream()
                .flatMap(c -> StreamSupport.stream(c.get("choices").spliterator(), false))
                .filter(c -> c.get("index").intValue() == index)
                .map(c -> c.at("/delta/content").asText(""))
                .reduce("", String::concat);
    }
}
