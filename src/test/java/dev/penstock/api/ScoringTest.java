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

/** What says something of prompts, and what chooses among completions: echo, prompt_logprobs, best_of. */
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ScoringTest {
    @Inject
    ScriptedModels models;

    @BeforeEach
    void reset() {
        models.chat().reset();
    }

    private static Response post(String path, String fields) {
        Response response = given().contentType(ContentType.JSON)
                .body("{\"model\": \"scripted\", " + fields + "}")
                .post(path);
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        return response;
    }

    private static JsonNode completion(String fields) {
        return Sse.parse(post("/v1/completions", fields).asString());
    }

    @Test
    void echoPutsThePromptAheadOfTheText() {
        models.chat()
                .play(
                        Script.says("cd").ends(FinishReason.STOP),
                        Script.says("cd").ends(FinishReason.STOP));
        String fields = "\"prompt\": \"ab\", \"echo\": true";

        assertThat(completion(fields).at("/choices/0/text").textValue()).isEqualTo("abcd");
        StringBuilder text = new StringBuilder();
        Sse.chunks(post("/v1/completions", fields + ", \"stream\": true").asString())
                .forEach(c -> text.append(c.at("/choices/0/text").asText("")));
        assertThat(text.toString()).isEqualTo("abcd");
    }

    @Test
    void echoedTokensHaveLogprobsButTheFirst() throws InterruptedException {
        models.chat()
                .play(Script.scores(Script.token("a", -0.5f), Script.token("b", -1.5f))
                        .thenTokens("c", Script.token("c", -2f))
                        .ends(FinishReason.LENGTH));

        JsonNode choice = completion("\"prompt\": \"ab\", \"echo\": true, \"logprobs\": 0, \"max_tokens\": 1")
                .at("/choices/0");

        assertThat(choice.at("/logprobs/tokens").size()).isEqualTo(4);
        assertThat(choice.at("/logprobs/token_logprobs").toString()).isEqualTo("[null,-0.5,-1.5,-2.0]");
        GenerationRequest request = models.chat().request();
        assertThat(request.sampling().promptLogprobs()).hasValue(0);
        assertThat(request.sampling().maxTokens()).isEqualTo(1);
    }

    @Test
    void nothingIsMadeWhereOnlyThePromptIsWanted() {
        models.chat()
                .play(Script.scores(Script.token("a", -0.5f), Script.token("b", -1.5f))
                        .thenTokens("x", Script.token("x", -2f))
                        .ends(FinishReason.LENGTH));

        JsonNode reply = completion("\"prompt\": \"ab\", \"echo\": true, \"logprobs\": 1, \"max_tokens\": 0");

        assertThat(reply.at("/choices/0/text").textValue()).isEqualTo("ab");
        assertThat(reply.at("/choices/0/logprobs/tokens").size()).isEqualTo(3);
        assertThat(reply.at("/choices/0/finish_reason").textValue()).isEqualTo("length");
        assertThat(reply.at("/usage/completion_tokens").intValue()).isZero();
    }

    @Test
    void theMostLikelyCandidatesByTokenAreTheChoices() throws InterruptedException {
        models.chat()
                .play(
                        candidate("long but sure", -0.1f, -0.2f, -0.1f),
                        candidate("short", -0.9f),
                        candidate("sure", -0.05f));

        JsonNode reply = completion("\"prompt\": \"ab\", \"best_of\": 3, \"n\": 2, \"seed\": 7");

        assertThat(reply.get("choices").size()).isEqualTo(2);
        assertThat(List.of(
                        reply.at("/choices/0/text").textValue(),
                        reply.at("/choices/1/text").textValue()))
                .containsExactly("sure", "long but sure");
        assertThat(reply.at("/choices/1/index").intValue()).isEqualTo(1);
        assertThat(reply.at("/choices/0/logprobs").isNull()).isTrue();
        assertThat(reply.at("/usage/completion_tokens").intValue()).isEqualTo(5);
        assertThat(models.chat().request().sampling().topLogprobs()).hasValue(0);
    }

    private static Script candidate(String text, float... logprobs) {
        Script script = Script.says();
        for (int i = 0; i < logprobs.length; i++) {
            script.thenTokens(i == 0 ? text : "", Script.token("?", logprobs[i]));
        }
        return script.ends(FinishReason.STOP);
    }

    @Test
    void promptLogprobsStandBesideTheChoices() {
        models.chat()
                .play(
                        Script.scores(Script.token("a", -0.5f, Script.token("b", -0.1f), Script.token("a", -0.5f)))
                                .then("Hi")
                                .ends(FinishReason.STOP),
                        Script.scores(Script.token("a", -0.5f, Script.token("b", -0.1f)))
                                .then("Hi")
                                .ends(FinishReason.STOP));

        JsonNode chat = Sse.parse(post(
                        "/v1/chat/completions",
                        "\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"prompt_logprobs\": 2")
                .asString());
        JsonNode completion = completion("\"prompt\": \"a\", \"prompt_logprobs\": 1");

        assertThat(chat.at("/prompt_logprobs/0").isNull()).isTrue();
        assertThat(chat.at("/prompt_logprobs/1/97/rank").intValue()).isEqualTo(2);
        assertThat(chat.at("/prompt_logprobs/1/98/decoded_token").textValue()).isEqualTo("b");
        assertThat(completion.at("/choices/0/prompt_logprobs/1/97/logprob").floatValue())
                .isEqualTo(-0.5f);
    }
}
