package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The tokenizer and the template of a model, as seen from outside. */
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class TokensResourceTest {
    private static Response post(String path, String body) {
        return given().contentType(ContentType.JSON).body(body).post(path);
    }

    private static JsonNode ok(String path, String body) {
        Response response = post(path, body);
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        return Sse.parse(response.asString());
    }

    @Test
    void textBecomesTokensAndTextAgain() {
        JsonNode tokens = ok(
                "/tokenize",
                "{\"model\": \"scripted\", \"prompt\": \"Hé\", \"add_special_tokens\": false, \"return_token_strs\": true}");

        assertThat(tokens.get("tokens").toString()).isEqualTo("[72,195,169]");
        assertThat(tokens.get("count").intValue()).isEqualTo(3);
        assertThat(tokens.get("token_strs").size()).isEqualTo(3);
        assertThat(tokens.get("max_model_len").intValue()).isEqualTo(ScriptedModels.CONTEXT);
        JsonNode text = ok("/detokenize", "{\"model\": \"scripted\", \"tokens\": [72, 195, 169]}");
        assertThat(text.get("prompt").textValue()).isEqualTo("Hé");
    }

    @Test
    void theFormOfLlamaCppIsUnderstood() {
        JsonNode tokens = ok("/tokenize", "{\"model\": \"scripted\", \"content\": \"Hi\"}");

        assertThat(tokens.get("tokens").toString()).isEqualTo("[72,105]");
        assertThat(ok("/detokenize", "{\"model\": \"scripted\", \"tokens\": [72, 105]}")
                        .get("content")
                        .textValue())
                .isEqualTo("Hi");
    }

    @Test
    void aConversationIsShownAsItWouldBeSent() {
        String body = """
                {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}],
                 "tools": [{"type": "function", "function": {"name": "f"}}]}""";

        JsonNode rendered = ok("/v1/chat/completions/render", body);

        assertThat(rendered.get("prompt").textValue()).isEqualTo("<s>[user]Hi\n{tools 1}[assistant]");
        assertThat(ok("/tokenize", body).get("tokens")).isEqualTo(rendered.get("tokens"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
        /tokenize | 400 | model | {"prompt": "a"}
        /tokenize | 404 | model | {"model": "nobody", "prompt": "a"}
        /tokenize | 400 | prompt | {"model": "scripted"}
        /tokenize | 400 | prompt | {"model": "scripted", "prompt": 7}
        /detokenize | 400 | tokens | {"model": "scripted"}
        /detokenize | 400 | tokens[0] | {"model": "scripted", "tokens": ["a"]}
        /detokenize | 400 | tokens[1] | {"model": "scripted", "tokens": [1, 1000]}
        /detokenize | 400 | tokens[0] | {"model": "scripted", "tokens": [-1]}
        /v1/chat/completions/render | 400 | messages | {"model": "scripted"}
        """)
    void whatIsWrongIsNamed(String path, int status, String param, String body) {
        Response response = post(path, body);

        assertThat(response.statusCode()).as(response.asString()).isEqualTo(status);
        assertThat(Sse.parse(response.asString()).at("/error/param").textValue())
                .isEqualTo(param);
    }
}
