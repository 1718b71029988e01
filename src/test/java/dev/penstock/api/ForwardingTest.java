package dev.penstock.api;

import static dev.penstock.backend.upstream.FakeServer.event;
import static dev.penstock.backend.upstream.FakeServer.events;
import static dev.penstock.backend.upstream.FakeServer.json;
import static dev.penstock.backend.upstream.FakeServer.says;
import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.nullValue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.penstock.backend.Backend.Load;
import dev.penstock.backend.upstream.FakeServer;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import io.vertx.core.http.HttpServerResponse;
import jakarta.inject.Inject;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@QuarkusTest
@TestProfile(ForwardingTest.Profile.class)
class ForwardingTest {
    private static final String MESSAGES = "\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]";

    @Inject
    ForwardedModels models;

    @Inject
    RequestGate gate;

    @TestHTTPResource
    URI url;

    private FakeServer server;

    @BeforeEach
    void aWellServer() {
        await().until(() -> gate.state() == RequestGate.State.OPEN);
        server = models.server();
        // So that failures of one test don't add to those of another.
        stream().then().statusCode(200);
        server.forget();
    }

    private static Response post(String endpoint, String fields) {
        return given().contentType(ContentType.JSON)
                .header("Authorization", "Bearer callers")
                .header("Cookie", "callers=1")
                .body("{\"model\": \"lab/remote\", " + fields + "}")
                .post("/v1/" + endpoint);
    }

    private static Response stream() {
        return post("chat/completions", MESSAGES + ", \"stream\": true");
    }

    @Test
    void aStreamIsPassedOnUnderTheNameThatTheCallerKnows() {
        Response response = stream();

        response.then().statusCode(200).contentType("text/event-stream;charset=utf-8");
        List<JsonNode> chunks = Sse.chunks(response.asString());
        assertThat(chunks)
                .hasSize(4)
                .allMatch(chunk -> chunk.path("model").asText().equals("lab/remote"));
        assertThat(chunks.get(1).at("/choices/0/delta/content").asText()).isEqualTo("Once");
    }

    @Test
    void theUpstreamGetsWhatTheCallerWroteButNothingOfItsHeaders() throws Exception {
        server.next(request -> json(request, 200, FakeServer.completion("b")));

        post("completions", "\"prompt\": \"a\", \"tools\": [{\"x\": 1.50}], \"url\": \"http://elsewhere\"")
                .then()
                .statusCode(200)
                .body("model", equalTo("lab/remote"));

        FakeServer.Got got = server.request();
        assertThat(got.request().path()).isEqualTo("/v1/completions");
        assertThat(got.body())
                .isEqualTo(
                        "{\"model\": \"theirs\", \"prompt\": \"a\", \"tools\": [{\"x\": 1.50}], \"url\": \"http://elsewhere\"}");
        assertThat(got.request().getHeader("Authorization")).isEqualTo("Bearer secret");
        assertThat(got.request().getHeader("Cookie")).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '~',
            delimiter = '|',
            value = {
                "embeddings | 'input': ['a', 'b'] | 'object':'list','data':[{'object':'embedding','index':0,'embedding':'AAAA'}],'usage':{'prompt_tokens':4,'total_tokens':4}",
                "rerank | 'query': 'a', 'documents': ['b'] | 'id':'r','results':[{'index':0,'relevance_score':0.5}],'usage':{'total_tokens':4}",
            })
    void whatIsForAnEncoderElsewhereIsPassedOn(String endpoint, String fields, String reply) throws Exception {
        server.next(request -> json(request, 200, ("{'model':'theirs'," + reply + "}").replace('\'', '"')));

        post(endpoint, fields.replace('\'', '"'))
                .then()
                .statusCode(200)
                .body(equalTo(("{'model':'lab/remote'," + reply + "}").replace('\'', '"')));

        FakeServer.Got got = server.request();
        assertThat(got.request().path()).isEqualTo("/v1/" + endpoint);
        assertThat(got.body()).isEqualTo(("{'model': 'theirs', " + fields + "}").replace('\'', '"'));
    }

    @Test
    void anEncodersReplyWithoutItsResultsIsTheUpstreamsFault() {
        server.next(request -> json(request, 200, "{\"model\":\"theirs\",\"choices\":[]}"));

        post("embeddings", "\"input\": \"a\"").then().statusCode(502);
    }

    @Test
    void aStreamOfVectorsIsRefusedHere() {
        post("embeddings", "\"input\": \"a\", \"stream\": true")
                .then()
                .statusCode(400)
                .body("error.param", equalTo("stream"));
    }

    @Test
    void aLargeRequestIsPassedOnAsASmallOneIs() throws Exception {
        String prompt = "a".repeat(200_000);
        server.next(request -> json(request, 200, FakeServer.completion("b")));

        post("completions", "\"prompt\": \"" + prompt + "\"")
                .then()
                .statusCode(200)
                .body("model", equalTo("lab/remote"));

        assertThat(server.request().body()).isEqualTo("{\"model\": \"theirs\", \"prompt\": \"" + prompt + "\"}");
    }

    @Test
    void responsesArePassedOnWithTheNamesOfTheirEvents() throws Exception {
        server.next(request -> events(
                request,
                "{\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"output_index\":0,\"content_index\":0,"
                        + "\"delta\":\"Hi\",\"logprobs\":[],\"sequence_number\":0}",
                "{\"type\":\"error\",\"code\":null,\"message\":\"no\",\"param\":null,\"sequence_number\":1}"));

        Response response = post("responses", "\"input\": \"a\", \"stream\": true, \"background\": false");

        List<JsonNode> events = Sse.named(response.asString());
        assertThat(events.stream().map(e -> e.path("type").asText()))
                .containsExactly("response.output_text.delta", "error");
        FakeServer.Got got = server.request();
        assertThat(got.request().path()).isEqualTo("/v1/responses");
        assertThat(got.body()).contains("\"input\": \"a\"");
    }

    @Test
    void messagesArePassedOnAndFailInTheirOwnForm() throws Exception {
        server.next(request -> events(
                        request,
                        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}",
                        "{\"type\":\"message_stop\"}"))
                .next(request -> json(request, 400, "{\"type\":\"error\",\"error\":{\"message\":\"too long\"}}"));

        List<JsonNode> events = Sse.named(
                post("messages", "\"max_tokens\": 5, \"stream\": true").asString());
        Response refused = post("messages", "\"max_tokens\": 5");

        assertThat(events.stream().map(e -> e.path("type").asText()))
                .containsExactly("content_block_delta", "message_stop");
        refused.then()
                .statusCode(400)
                .body("type", equalTo("error"))
                .body("error.type", equalTo("invalid_request_error"))
                .body("error.message", equalTo("too long"));
        assertThat(server.request().request().path()).isEqualTo("/v1/messages");
    }

    @Test
    void whatTheUpstreamRefusesIsRefusedInItsWords() {
        server.next(request -> json(
                request,
                400,
                "{\"error\":{\"message\":\"too long\",\"param\":\"messages\",\"code\":\"context_length_exceeded\"}}"));

        stream()
                .then()
                .statusCode(400)
                .body("error.message", equalTo("too long"))
                .body("error.type", equalTo("invalid_request_error"))
                .body("error.param", equalTo("messages"))
                .body("error.code", equalTo("context_length_exceeded"));
    }

    @Test
    void whatTheUpstreamDoesWrongIsNotShown() {
        server.next(request -> json(request, 500, "{\"error\":{\"message\":\"at db-7.internal\"}}"));

        stream()
                .then()
                .statusCode(502)
                .body("error.code", equalTo("backend_failed"))
                .body("error.param", nullValue())
                .body("error.message", not(containsString("db-7")));
    }

    @Test
    void aFullUpstreamSaysWhenToComeBack() {
        server.next(request -> {
            request.response().putHeader("Retry-After", "1");
            json(request, 429, "{}");
        });

        stream().then().statusCode(503).header("Retry-After", "1").body("error.code", equalTo("server_is_overloaded"));
        await().until(models.upstream()::available);
    }

    @Test
    void aStreamThatBreaksOffEndsWithAnError() throws Exception {
        server.next(request -> events(request, says("Hi"))
                .write("")
                .onComplete(n -> request.connection().close()));

        List<String> data = Sse.data(stream().asString());

        assertThat(data).hasSize(2);
        assertThat(new ObjectMapper().readTree(data.getLast()).at("/error/code").asText())
                .isEqualTo("server_is_overloaded");
    }

    @Test
    void aCallerWhoGoesIsGoneForTheUpstreamToo() throws Exception {
        int closed = server.closed.get();
        server.next(request -> events(request, says("Hi")));
        try (RawConnection caller = RawConnection.post(
                url,
                "/v1/chat/completions",
                Map.of(),
                "{\"model\": \"lab/remote\", " + MESSAGES + ", \"stream\": true}")) {
            assertThat(caller.read(12)).isEqualTo("HTTP/1.1 200");
        }

        await().until(() -> server.closed.get() == closed + 1);
        assertThat(models.upstream().load()).isEqualTo(new Load(0, 0, 0));
    }

    @Test
    void aStreamInSilenceSaysSoAndThenGoesOn() {
        server.next(request -> {
            HttpServerResponse response = FakeServer.stream(request);
            response.write(event(FakeServer.ROLE));
            // More than the interval of the profile.
            models.after(
                    1500,
                    () -> response.end(event(says("Hi"))
                            .appendBuffer(event(FakeServer.FINISH))
                            .appendBuffer(event("[DONE]"))));
        });

        String body = stream().asString();

        assertThat(body).startsWith(": keep-alive\n\n");
        assertThat(Sse.chunks(body)).hasSize(3);
    }

    @Test
    void theModelIsListedWithWhatIsKnownOfIt() {
        given().get("/v1/models/lab/remote")
                .then()
                .statusCode(200)
                .body("id", equalTo("lab/remote"))
                .body("max_model_len", nullValue());
        given().get("/v1/models").then().body("data.id", equalTo(List.of("lab/remote")));
    }

    @Test
    void whatHasToBeKnownHereIsChecked() throws Exception {
        post("chat/completions", MESSAGES + ", \"stream\": 1")
                .then()
                .statusCode(400)
                .body("error.param", equalTo("stream"));
        given().contentType(ContentType.JSON)
                .body("{\"model\": \"theirs\", " + MESSAGES + "}")
                .post("/v1/chat/completions")
                .then()
                .statusCode(404);
    }

    public static final class Profile implements QuarkusTestProfile {
        @Override
        public Set<Class<?>> getEnabledAlternatives() {
            return Set.of(ForwardedModels.class);
        }

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("quarkus.http.test-port", "0", "penstock.http.keep-alive", "1s");
        }
    }
}
