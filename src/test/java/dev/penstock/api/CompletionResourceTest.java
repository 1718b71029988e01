package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationRequest;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(ScriptedProfile.class)
class CompletionResourceTest {
    @Inject
    ScriptedModels models;

    @BeforeEach
    void reset() {
        models.chat().reset();
    }

    private static Response post(String fields) {
        Response response = given().contentType(ContentType.JSON)
                .body("{\"model\": \"scripted\", " + fields + "}")
                .post("/v1/completions");
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        return response;
    }

    private static JsonNode plain(String fields) {
        return Sse.parse(post(fields).asString());
    }

    private static List<JsonNode> stream(String fields) {
        return Sse.chunks(post("\"stream\": true, " + fields).asString());
    }

    @Test
    void aPlainReplyHasEveryKeyOfTheContract() throws InterruptedException {
        models.chat().play(Script.says(" upon", " a time").cached(2).ends(FinishReason.LENGTH));

        JsonNode reply = plain("\"prompt\": \"Once\"");

        assertThat(reply.get("id").textValue()).startsWith("cmpl-");
        assertThat(reply.get("object").textValue()).isEqualTo("text_completion");
        assertThat(reply.get("model").textValue()).isEqualTo("scripted");
        assertThat(reply.get("system_fingerprint").textValue()).isEqualTo("fp_scripted");
        JsonNode choice = reply.at("/choices/0");
        assertThat(choice.get("text").textValue()).isEqualTo(" upon a time");
        assertThat(choice.get("index").intValue()).isZero();
        assertThat(choice.has("logprobs")).isTrue();
        assertThat(choice.get("logprobs").isNull()).isTrue();
        assertThat(choice.get("finish_reason").textValue()).isEqualTo("length");
        assertThat(reply.at("/usage/prompt_tokens").intValue()).isEqualTo(5);
        assertThat(reply.at("/usage/total_tokens").intValue()).isEqualTo(7);
        assertThat(reply.at("/usage/prompt_tokens_details/cached_tokens").intValue())
                .isEqualTo(2);
        GenerationRequest request = models.chat().request();
        assertThat(request.promptTokens()).containsExactly(ByteTokenizer.BEGIN, 'O', 'n', 'c', 'e');
        assertThat(request.sampling().maxTokens()).isEqualTo(16);
    }

    @Test
    void aStreamIsOfTheSameShape() {
        models.chat().play(Script.says(" upon", " a time").ends(FinishReason.STOP));

        List<JsonNode> chunks = stream("\"prompt\": \"Once\", \"stream_options\": {\"include_usage\": true}");

        JsonNode usage = chunks.getLast();
        assertThat(usage.get("choices").isEmpty()).isTrue();
        assertThat(usage.at("/usage/completion_tokens").intValue()).isEqualTo(2);
        List<JsonNode> before = chunks.subList(0, chunks.size() - 1);
        assertThat(before).allSatisfy(chunk -> {
            assertThat(chunk.get("object").textValue()).isEqualTo("text_completion");
            assertThat(chunk.get("id")).isEqualTo(usage.get("id"));
            assertThat(chunk.at("/choices/0").has("finish_reason")).isTrue();
            assertThat(chunk.at("/choices/0").has("logprobs")).isTrue();
            assertThat(chunk.get("usage").isNull()).isTrue();
        });
        assertThat(before.stream().map(c -> c.at("/choices/0/text").textValue()).reduce("", String::concat))
                .isEqualTo(" upon a time");
        assertThat(before.getLast().at("/choices/0/finish_reason").textValue()).isEqualTo("stop");
    }

    @Test
    void tokenIdsAreThePrompt() throws InterruptedException {
        plain("\"prompt\": [256, 72, 105], \"ignore_eos\": true, \"max_tokens\": 3");

        GenerationRequest request = models.chat().request();
        assertThat(request.promptTokens()).containsExactly(256, 72, 105);
        assertThat(request.sampling().ignoreEos()).isTrue();
        assertThat(request.sampling().maxTokens()).isEqualTo(3);
    }

    @Test
    void eachPromptOfAListGetsItsChoicesInOrder() throws InterruptedException {
        for (String prompts : List.of("[\"a\", \"b\"]", "[[256, 97], [256, 98]]")) {
            reset();
            models.chat()
                    .play(
                            Script.says("0").ends(FinishReason.STOP),
                            Script.says("1").ends(FinishReason.STOP),
                            Script.says("2").ends(FinishReason.STOP),
                            Script.says("3").ends(FinishReason.STOP));

            JsonNode reply = plain("\"n\": 2, \"prompt\": " + prompts);

            assertThat(reply.get("choices")).hasSize(4);
            for (int i = 0; i < 4; i++) {
                assertThat(reply.at("/choices/" + i + "/index").intValue()).isEqualTo(i);
                assertThat(reply.at("/choices/" + i + "/text").textValue()).isEqualTo(Integer.toString(i));
                assertThat(models.chat().request().promptTokens()).containsExactly(256, i < 2 ? 'a' : 'b');
            }
            // Each prompt counts once, though it has two choices.
            assertThat(reply.at("/usage/prompt_tokens").intValue()).isEqualTo(4);
            assertThat(reply.at("/usage/completion_tokens").intValue()).isEqualTo(4);
        }
    }

    @Test
    void logprobsAreParallelArrays() {
        models.chat()
                .play(Script.says()
                        .thenTokens("ab", Script.token("ab", -0.25f, Script.token("ab", -0.25f), Script.token("x", -2)))
                        .thenTokens("c", Script.token("c", -3, Script.token("y", -1), Script.token("z", -2)))
                        .ends(FinishReason.LENGTH));

        JsonNode logprobs = plain("\"prompt\": \"a\", \"logprobs\": 2").at("/choices/0/logprobs");

        assertThat(logprobs.get("tokens").toString()).isEqualTo("[\"ab\",\"c\"]");
        assertThat(logprobs.get("token_logprobs").toString()).isEqualTo("[-0.25,-3.0]");
        assertThat(logprobs.get("text_offset").toString()).isEqualTo("[0,2]");
        assertThat(logprobs.get("top_logprobs").toString())
                .isEqualTo("[{\"ab\":-0.25,\"x\":-2.0},{\"y\":-1.0,\"z\":-2.0,\"c\":-3.0}]");
    }

    @Test
    void offsetsGoOnThroughAStream() {
        models.chat()
                .play(Script.says()
                        .thenTokens("ab", Script.token("ab", -1))
                        .thenTokens("cd", Script.token("c", -1), Script.token("d", -1))
                        .ends(FinishReason.LENGTH));

        StringBuilder offsets = new StringBuilder();
        for (JsonNode chunk : stream("\"prompt\": \"a\", \"logprobs\": 0")) {
            chunk.at("/choices/0/logprobs/text_offset")
                    .forEach(offset -> offsets.append(offset).append(' '));
        }
        assertThat(offsets.toString()).isEqualTo("0 2 3 ");
    }
}
