package dev.penstock.ops;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import dev.penstock.api.RequestGate;
import dev.penstock.embed.EncoderFolders;
import dev.penstock.embed.TinyEncoder;
import dev.penstock.prompt.EncoderInput;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.path.json.JsonPath;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Folders of encoders the whole way: configuration, tokenizer, graph, batches, HTTP. */
@QuarkusTest
@TestProfile(EncoderServingTest.Profile.class)
class EncoderServingTest {
    private static final TinyEncoder ENCODER = new TinyEncoder(11);
    private static final Offset<Double> CLOSE = Offset.offset(1e-4);

    /** Runs the server with folders that are written for it. */
    public static final class Profile implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            try {
                Path root = Files.createTempDirectory("penstock-encoders");
                return Map.of(
                        "quarkus.http.test-port", "0",
                        "penstock.models.vectors.source",
                                EncoderFolders.embedder(root.resolve("vectors"), ENCODER)
                                        .toString(),
                        "penstock.models.mean.source",
                                EncoderFolders.embedder(root.resolve("mean"), ENCODER)
                                        .toString(),
                        "penstock.models.mean.pooling", "mean",
                        "penstock.models.scores.source",
                                EncoderFolders.reranker(root.resolve("scores"), ENCODER)
                                        .toString());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Inject
    RequestGate gate;

    @TestHTTPResource
    URI url;

    @BeforeEach
    void isOpen() {
        await().until(() -> gate.state() == RequestGate.State.OPEN);
    }

    private static JsonPath post(String path, String body) {
        return given().contentType(ContentType.JSON)
                .body(body.replace('\'', '"'))
                .post(path)
                .then()
                .statusCode(200)
                .extract()
                .jsonPath();
    }

    private static double[] normalized(double[] vector) {
        double length = Math.sqrt(Arrays.stream(vector).map(x -> x * x).sum());
        return Arrays.stream(vector).map(x -> x / length).toArray();
    }

    private static void assertClose(List<? extends Number> vector, double[] expected) {
        assertThat(vector).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat(vector.get(i).doubleValue()).isCloseTo(expected[i], CLOSE);
        }
    }

    @Test
    void theFoldersModulesSayHowATextBecomesAVector() {
        // [CLS] the fox ##s sleeps [SEP]
        EncoderInput input = new EncoderInput(new int[] {2, 4, 5, 11, 8, 3});

        JsonPath reply = post("/v1/embeddings", "{'model': 'vectors', 'input': ['dog', 'The foxs sleeps']}");

        assertClose(reply.getList("data[1].embedding"), normalized(ENCODER.vectors(input)[0]));
        assertThat(reply.getInt("usage.prompt_tokens")).isEqualTo(3 + 6);
    }

    @Test
    void configurationGoesBeforeTheFoldersModules() {
        double[][] vectors = ENCODER.vectors(new EncoderInput(new int[] {2, 6, 3}));
        double[] mean = new double[TinyEncoder.WIDTH];
        for (double[] vector : vectors) {
            Arrays.setAll(mean, i -> mean[i] + vector[i] / 3);
        }

        JsonPath reply = post("/v1/embeddings", "{'model': 'mean', 'input': 'dog'}");

        assertClose(reply.getList("data[0].embedding"), normalized(mean));
    }

    @Test
    void aRerankerReadsQueryAndDocumentTogether() {
        double[] scores = new double[2];
        for (int d = 0; d < 2; d++) {
            // [CLS] fox [SEP] mouse|dog [SEP]
            EncoderInput pair = new EncoderInput(new int[] {2, 5, 3, d == 0 ? 9 : 6, 3}, new int[] {0, 0, 0, 1, 1});
            scores[d] = 1 / (1 + Math.exp(-ENCODER.logit(pair)));
        }
        int best = scores[0] > scores[1] ? 0 : 1;

        JsonPath reply = post("/v1/rerank", "{'model': 'scores', 'query': 'fox', 'documents': ['mouse', 'dog']}");

        assertThat(reply.getInt("results[0].index")).isEqualTo(best);
        assertThat(reply.getDouble("results[0].relevance_score")).isCloseTo(scores[best], CLOSE);
        assertThat(reply.getDouble("results[1].relevance_score")).isCloseTo(scores[1 - best], CLOSE);
    }

    @Test
    void aDocumentThatIsTooLongLosesItsEnd() {
        String document = "dog ".repeat(100);
        String body = "{'model': 'scores', 'query': 'fox', 'documents': ['%s']}";

        JsonPath whole = post("/v1/rerank", body.formatted(document));
        JsonPath cut = post("/v1/rerank", body.formatted("dog ".repeat(26)));

        assertThat(whole.getInt("usage.total_tokens")).isEqualTo(30);
        assertThat(whole.getDouble("results[0].relevance_score"))
                .isEqualTo(cut.getDouble("results[0].relevance_score"));
    }

    @Test
    void openAisOwnClientReadsTheVectors() {
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(url.resolve("/v1").toString())
                .apiKey("none")
                .maxRetries(0)
                .build();
        try {
            CreateEmbeddingResponse reply = client.embeddings()
                    .create(EmbeddingCreateParams.builder()
                            .model("vectors")
                            .inputOfArrayOfStrings(List.of("fox", "dog"))
                            .build());

            assertThat(reply.data()).hasSize(2);
            assertClose(
                    reply.data().get(1).embedding(),
                    normalized(ENCODER.vectors(new EncoderInput(new int[] {2, 6, 3}))[0]));
            assertThat(reply.usage().promptTokens()).isEqualTo(6);
        } finally {
            client.close();
        }
    }

    @Test
    void encodersAreListedAndMeasured() {
        post("/v1/embeddings", "{'model': 'vectors', 'input': 'dog'}");

        assertThat(given().get("/v1/models").jsonPath().getList("data.id")).contains("mean", "scores", "vectors");
        assertThat(given().get("/v1/models/vectors").jsonPath().getInt("max_model_len"))
                .isEqualTo(20);
        assertThat(given().get("/metrics").asString())
                .contains("penstock_encoder_requests_total{model=\"vectors\",outcome=\"done\"}")
                .contains("penstock_encoder_tokens_total{model=\"vectors\"}")
                .contains("penstock_encoder_batch_time_seconds_bucket{model=\"vectors\"")
                .contains("penstock_encoder_requests_open{model=\"vectors\"}");
    }
}
