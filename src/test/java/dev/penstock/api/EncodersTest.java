package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@TestProfile(EncodersTest.Profile.class)
class EncodersTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Offset<Double> CLOSE = Offset.offset(1e-6);

    /** Runs the server with encoders. */
    public static final class Profile implements QuarkusTestProfile {
        @Override
        public Set<Class<?>> getEnabledAlternatives() {
            return Set.of(EncoderModels.class);
        }

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("quarkus.http.test-port", "0");
        }
    }

    @Inject
    EncoderModels models;

    @Inject
    RequestGate gate;

    @TestHTTPResource
    URI url;

    @BeforeAll
    static void read() throws IOException {
        assumeTrue(Contract.isThere(), "the document is not there");
    }

    @BeforeEach
    void isOpen() {
        await().until(() -> gate.state() == RequestGate.State.OPEN);
    }

    @AfterEach
    void letGo() {
        models.vectors().held = false;
        models.vectors().let.release();
        await().until(() -> models.vectorLoop().open() == 0);
        models.vectors().let.drainPermits();
        models.vectors().begun.drainPermits();
    }

    private static String post(String path, String model, String fields, int status) {
        return given().contentType(ContentType.JSON)
                .body("{\"model\": \"" + model + "\", " + fields + "}")
                .post(path)
                .then()
                .statusCode(status)
                .contentType(ContentType.JSON)
                .extract()
                .asString();
    }

    private static JsonNode embed(String fields) throws IOException {
        String json = post("/v1/embeddings", "vectors", fields, 200);
        if (!fields.contains("base64")) {
            Contract.check("CreateEmbeddingResponse", json);
        }
        return JSON.readTree(json);
    }

    private static List<Double> vector(JsonNode reply, int place) {
        assertThat(reply.at("/data/" + place + "/index").asInt()).isEqualTo(place);
        List<Double> vector = new ArrayList<>();
        reply.at("/data/" + place + "/embedding").forEach(x -> vector.add(x.doubleValue()));
        return vector;
    }

    private static JsonNode refused(String path, String model, String fields) throws IOException {
        String json = post(path, model, fields, 400);
        Contract.check("ErrorResponse", json);
        return JSON.readTree(json).get("error");
    }

    @Test
    void aTextGetsAVectorAndItsTokensAreCounted() throws IOException {
        JsonNode reply = embed("\"input\": \"hello\", \"user\": \"u\"");

        assertThat(vector(reply, 0)).hasSize(EncoderModels.WIDTH);
        assertThat(reply.get("model").asText()).isEqualTo("vectors");
        assertThat(reply.at("/usage/prompt_tokens").asInt()).isEqualTo(6);
        assertThat(reply.at("/usage/total_tokens").asInt()).isEqualTo(6);
    }

    @Test
    void inputsOfAllFormsKeepTheirOrder() throws IOException {
        JsonNode texts = embed("\"input\": [\"one\", \"two\", \"three\"]");
        JsonNode tokens = embed("\"input\": [[256, 111, 110, 101], [256, 116, 119, 111]]");
        JsonNode oneText = embed("\"input\": [256, 111, 110, 101]");

        assertThat(texts.get("data")).hasSize(3);
        assertThat(vector(texts, 0)).isNotEqualTo(vector(texts, 1)).isEqualTo(vector(tokens, 0));
        assertThat(vector(texts, 1)).isEqualTo(vector(tokens, 1));
        assertThat(vector(oneText, 0)).isEqualTo(vector(tokens, 0));
        assertThat(tokens.at("/usage/prompt_tokens").asInt()).isEqualTo(8);
    }

    @Test
    void base64HoldsTheSameFloats() throws IOException {
        List<Double> floats = vector(embed("\"input\": \"hello\", \"encoding_format\": \"float\""), 0);
        JsonNode reply = embed("\"input\": \"hello\", \"encoding_format\": \"base64\"");
        ByteBuffer bytes = ByteBuffer.wrap(
                        Base64.getDecoder().decode(reply.at("/data/0/embedding").asText()))
                .order(ByteOrder.LITTLE_ENDIAN);

        assertThat(bytes.remaining()).isEqualTo(EncoderModels.WIDTH * Float.BYTES);
        for (double x : floats) {
            assertThat(bytes.getFloat()).isEqualTo((float) x);
        }
    }

    @Test
    void fewerDimensionsAreTheFirstOnesAtLengthOne() throws IOException {
        List<Double> whole = vector(embed("\"input\": \"hello\""), 0);
        List<Double> head = vector(embed("\"input\": \"hello\", \"dimensions\": 4"), 0);
        double length =
                Math.sqrt(whole.subList(0, 4).stream().mapToDouble(x -> x * x).sum());

        assertThat(head).hasSize(4);
        for (int i = 0; i < 4; i++) {
            assertThat(head.get(i)).isCloseTo(whole.get(i) / length, CLOSE);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'input': 7 | input",
                "'input': {} | input",
                "'input': null | input",
                "'user': 'u' | input",
                "'input': [] | input",
                "'input': '' | input",
                "'input': ['a', ''] | input[1]",
                "'input': ['a', 7] | input[1]",
                "'input': [[1], 'a'] | input[1]",
                "'input': [[1], []] | input[1]",
                "'input': [1, 'a'] | input",
                "'input': [1.5] | input",
                "'input': [-1] | input",
                "'input': [99999] | input",
                "'input': [[99999999999]] | input[0]",
                "'input': 'a', 'dimensions': 0 | dimensions",
                "'input': 'a', 'dimensions': 7 | dimensions",
                "'input': 'a', 'dimensions': 'all' | dimensions",
                "'input': 'a', 'encoding_format': 'int8' | encoding_format",
                "'input': 'a', 'encoding_format': 3 | encoding_format",
                "'input': 'a', 'stream': true | stream",
            },
            quoteCharacter = '~')
    void whatMakesNoSenseIsRefusedByName(String fields, String param) throws IOException {
        assertThat(refused("/v1/embeddings", "vectors", fields.replace('\'', '"'))
                        .get("param")
                        .asText())
                .isEqualTo(param);
    }

    @Test
    void moreInputsThanTheContractHasAreRefused() throws IOException {
        String many = "\"a\", ".repeat(2048) + "\"a\"";

        assertThat(refused("/v1/embeddings", "vectors", "\"input\": [" + many + "]")
                        .get("message")
                        .asText())
                .contains("2048");
        assertThat(embed("\"input\": [" + many.substring(5) + "]").get("data")).hasSize(2048);
    }

    @Test
    void aTextBeyondTheContextIsRefusedWithItsLength() throws IOException {
        JsonNode error = refused(
                "/v1/embeddings", "vectors", "\"input\": [\"a\", \"" + "b".repeat(EncoderModels.CONTEXT) + "\"]");

        assertThat(error.get("code").asText()).isEqualTo("context_length_exceeded");
        assertThat(error.get("param").asText()).isEqualTo("input[1]");
        assertThat(error.get("message").asText()).contains("41").contains("40");
    }

    @Test
    void modelsThatDoSomethingElseSayWhat() throws IOException {
        assertThat(refused("/v1/embeddings", "scripted", "\"input\": \"a\"").toString())
                .contains("generates text");
        assertThat(refused("/v1/embeddings", "scores", "\"input\": \"a\"").toString())
                .contains("/v1/rerank");
        assertThat(refused("/v1/completions", "vectors", "\"prompt\": \"a\"").toString())
                .contains("/v1/embeddings");
        assertThat(refused("/v1/chat/completions", "scores", "\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]")
                        .toString())
                .contains("/v1/rerank");
        assertThat(post("/v1/embeddings", "nobody", "\"input\": \"a\"", 404)).contains("model_not_found");
    }

    @Test
    void documentsComeBackByTheirScores() throws IOException {
        JsonNode reply = JSON.readTree(post(
                "/v1/rerank",
                "scores",
                "\"query\": \"q\", \"documents\": [\"aaaa\", {\"text\": \"xxxx\"}, \"axxa\"], \"return_documents\": true",
                200));

        assertThat(reply.get("id").asText()).startsWith("rerank-");
        assertThat(reply.get("model").asText()).isEqualTo("scores");
        assertThat(reply.at("/usage/total_tokens").asInt()).isEqualTo(3 * 7);
        assertThat(reply.get("results").findValuesAsText("index")).containsExactly("1", "2", "0");
        assertThat(reply.at("/results/0/document/text").asText()).isEqualTo("xxxx");
        assertThat(reply.at("/results/0/relevance_score").asDouble()).isCloseTo(4 / 7.0, CLOSE);
    }

    @Test
    void onlyTheBestComeBackWhereSoManyAreWanted() throws IOException {
        JsonNode reply = JSON.readTree(post(
                "/v1/rerank", "scores", "\"query\": \"q\", \"documents\": [\"a\", \"x\", \"ax\"], \"top_n\": 2", 200));

        assertThat(reply.get("results").findValuesAsText("index")).containsExactly("1", "2");
        assertThat(reply.at("/results/0").has("document")).isFalse();
    }

    @Test
    void withoutARerankerTheCosineOfVectorsDecides() throws IOException {
        JsonNode reply = JSON.readTree(
                post("/v1/rerank", "vectors", "\"query\": \"q\", \"documents\": [\"r\", \"q\", \"s\"]", 200));

        assertThat(reply.at("/results/0/index").asInt()).isEqualTo(1);
        assertThat(reply.at("/results/0/relevance_score").asDouble()).isCloseTo(1, CLOSE);
        assertThat(reply.at("/results/1/relevance_score").asDouble())
                .isLessThan(1)
                .isGreaterThanOrEqualTo(reply.at("/results/2/relevance_score").asDouble());
    }

    @Test
    void aDocumentThatIsTooLongIsCutAndAQueryIsNot() throws IOException {
        String cut = post("/v1/rerank", "scores", "\"query\": \"q\", \"documents\": [\"" + "a".repeat(99) + "\"]", 200);
        assertThat(JSON.readTree(cut).at("/usage/total_tokens").asInt()).isEqualTo(EncoderModels.CONTEXT);

        JsonNode error =
                refused("/v1/rerank", "scores", "\"query\": \"" + "q".repeat(40) + "\", \"documents\": [\"a\"]");
        assertThat(error.get("param").asText()).isEqualTo("query");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'documents': ['a'] | query",
                "'query': 'q' | documents",
                "'query': 7, 'documents': ['a'] | query",
                "'query': '', 'documents': ['a'] | query",
                "'query': 'q', 'documents': 'a' | documents",
                "'query': 'q', 'documents': [] | documents",
                "'query': 'q', 'documents': ['a', ''] | documents[1]",
                "'query': 'q', 'documents': [7] | documents[0]",
                "'query': 'q', 'documents': [{'title': 'a'}] | documents[0].text",
                "'query': 'q', 'documents': ['a'], 'top_n': 0 | top_n",
                "'query': 'q', 'documents': ['a'], 'return_documents': 'yes' | return_documents",
            },
            quoteCharacter = '~')
    void rankingsThatMakeNoSenseAreRefusedByName(String fields, String param) throws IOException {
        assertThat(refused("/v1/rerank", "scores", fields.replace('\'', '"'))
                        .get("param")
                        .asText())
                .isEqualTo(param);
    }

    @ParameterizedTest
    @ValueSource(strings = {"vectors", "scores"})
    void encodersAreListedWithTheirContext(String model) {
        String json = given().get("/v1/models/" + model).asString();

        Contract.check("Model", json);
        assertThat(json).contains("\"max_model_len\":" + EncoderModels.CONTEXT);
        assertThat(given().get("/v1/models").asString()).contains("\"" + model + "\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"vectors", "scores"})
    void theTokensOfAnEncoderCanBeAskedFor(String model) throws IOException {
        JsonNode tokens = JSON.readTree(post("/tokenize", model, "\"prompt\": \"hello\"", 200));
        JsonNode bare =
                JSON.readTree(post("/tokenize", model, "\"prompt\": \"hello\", \"add_special_tokens\": false", 200));
        JsonNode text = JSON.readTree(post("/detokenize", model, "\"tokens\": " + bare.get("tokens"), 200));

        // As many as the vector of the same text is paid for.
        assertThat(tokens.get("count").asInt()).isEqualTo(6);
        assertThat(bare.get("count").asInt()).isEqualTo(5);
        assertThat(tokens.get("max_model_len").asInt()).isEqualTo(EncoderModels.CONTEXT);
        assertThat(text.get("prompt").asText()).isEqualTo("hello");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
        /tokenize | prompt | "prompt": "%s"
        /tokenize | model | "messages": [{"role": "user", "content": "a"}]
        /v1/chat/completions/render | model | "messages": [{"role": "user", "content": "a"}]
        /detokenize | tokens[0] | "tokens": [100000]
        """)
    void whatAnEncoderCanNotReadIsNamed(String path, String param, String fields) throws IOException {
        JsonNode error = refused(path, "vectors", fields.replace("%s", "x".repeat(EncoderModels.CONTEXT * 256 + 1)));

        assertThat(error.get("param").asText()).isEqualTo(param);
        assertThat(error.get("message").asText()).doesNotContain("reply");
    }

    @Test
    void aClientThatGoesFreesItsPlace() throws Exception {
        models.vectors().held = true;
        RawConnection first = send("{\"model\": \"vectors\", \"input\": \"first\"}");
        models.vectors().begun.acquire();
        RawConnection second = send("{\"model\": \"vectors\", \"input\": \"second\"}");
        await().until(() -> models.vectorLoop().open() == 2);

        second.close();

        await().until(() -> models.vectorLoop().open() == 1);
        first.close();
        await().until(() -> models.vectorLoop().open() == 0);
        assertThat(gate.awaitIdle(Duration.ofSeconds(30))).isTrue();
    }

    private RawConnection send(String body) throws IOException {
        return RawConnection.post(url, "/v1/embeddings", Map.of(), body);
    }
}
