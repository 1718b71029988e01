package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.closeTo;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.nullValue;

import dev.penstock.backend.upstream.FakeServer;
import dev.penstock.model.FinishReason;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import java.math.BigDecimal;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@TestProfile(RoutedProfile.class)
class RoutingTest extends Routed {
    private static final String BACKEND = "x-penstock-backend";
    private static final Map<String, String> HURRIED = Map.of("x-llm-d-slo-ttft-ms", "2000");

    private void serveBoth() {
        models.serve(slow(cheap, CHEAP), fast(dear, DEAR));
    }

    @ParameterizedTest
    @CsvSource({
        "x-llm-d-slo-ttft-ms, 2000",
        "x-slo-ttft-ms, 2000",
        "x-llm-d-slo-tpot-ms, 100.5",
        "x-slo-tpot-ms, 100",
        "x-penstock-max-latency-ms, 3000"
    })
    void aBudgetThatOnlyTheDearOneMeetsGoesThereAndTheSameWithoutHurryToTheCheapOne(String header, String ms) {
        serveBoth();

        chat("", Map.of(header, ms)).then().statusCode(200).header(BACKEND, "dear");
        chat("", Map.of(header, "600000")).then().statusCode(200).header(BACKEND, "cheap");
        chat("").then().statusCode(200).header(BACKEND, "cheap");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        {"sort": "price"} | cheap
        {"sort": null} | cheap
        {"sort": "latency"} | dear
        {"sort": "throughput"} | dear
        {"sort": {"by": "latency", "partition": "model"}} | dear
        {"preferred_max_latency": 2} | dear
        {"preferred_max_latency": {"p90": 2.5}} | dear
        {"preferred_max_latency": {"p50": 0.1}} | cheap
        {"preferred_max_latency": 600} | cheap
        {"sort": "latency", "max_price": {"prompt": 0.5, "completion": 2}} | cheap
        {"sort": "latency", "max_price": {"prompt": 5, "completion": 20}} | dear
        {"sort": "latency", "max_price": {"completion": 0.5}} | dear
        {"order": ["x"], "allow_fallbacks": false} | cheap
        """)
    void theProviderObjectIsRead(String provider, String backend) {
        serveBoth();

        chat(", \"provider\": " + provider).then().statusCode(200).header(BACKEND, backend);
    }

    @Test
    void headersGoBeforeTheBody() {
        serveBoth();
        String hurried = ", \"provider\": {\"preferred_max_latency\": 2}";

        chat(hurried, Map.of("x-llm-d-slo-ttft-ms", "600000")).then().header(BACKEND, "cheap");
        chat("", Map.of("x-llm-d-slo-ttft-ms", "600000", "x-slo-ttft-ms", "2000"))
                .then()
                .header(BACKEND, "cheap");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        1 | provider
        {"sort": "speed"} | provider.sort
        {"sort": 1} | provider.sort
        {"sort": {}} | provider.sort.by
        {"sort": {"by": "x"}} | provider.sort.by
        {"max_price": 1} | provider.max_price
        {"max_price": {"prompt": "1"}} | provider.max_price.prompt
        {"max_price": {"completion": -1}} | provider.max_price.completion
        {"preferred_max_latency": "2"} | provider.preferred_max_latency
        {"preferred_max_latency": 0} | provider.preferred_max_latency
        {"preferred_max_latency": {"p90": -1}} | provider.preferred_max_latency.p90
        """)
    void aProviderThatMakesNoSenseIsRefusedByTheFieldsName(String provider, String field) {
        serveBoth();

        for (String path : new String[] {"/v1/chat/completions", "/v1/quotes"}) {
            post(path, CHAT + ", \"provider\": " + provider, Map.of())
                    .then()
                    .statusCode(400)
                    .body("error.param", equalTo(field))
                    .body("error.message", containsString(field));
        }
        assertThat(cheap.unread() + dear.unread()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "x-llm-d-slo-ttft-ms, 0",
        "x-slo-ttft-ms, soon",
        "x-llm-d-slo-tpot-ms, NaN",
        "x-slo-tpot-ms, -1",
        "x-penstock-max-latency-ms, 86400001"
    })
    void aHeaderThatMakesNoSenseIsRefusedByItsName(String header, String value) {
        serveBoth();

        chat("", Map.of(header, value)).then().statusCode(400).body("error.param", equalTo(header));
    }

    @Test
    void aReplyTellsWhatWasForetoldAndWhatItCostAndSaved() {
        serveBoth();
        JsonPath quotes = post("/v1/quotes", CHAT, Map.of()).jsonPath();

        Response reply = chat("");

        reply.then().header("x-penstock-predicted-ttft-ms", Float::parseFloat, greaterThan(10_000f));
        int prompt = reply.jsonPath().getInt("usage.prompt_tokens");
        assertThat(new BigDecimal(reply.header("x-penstock-cost-usd")))
                .isEqualByComparingTo(usd(100L * prompt + 400L * 2));
        BigDecimal saved = new BigDecimal(quotes.getString("data[1].cost_usd"))
                .subtract(new BigDecimal(quotes.getString("data[0].cost_usd")));
        assertThat(new BigDecimal(reply.header("x-penstock-saved-usd")))
                .isEqualByComparingTo(saved)
                .isPositive();
    }

    private static BigDecimal usd(long nanos) {
        return BigDecimal.valueOf(nanos, 9);
    }

    @Test
    void aStreamTellsItsCostInATrailer() throws Exception {
        serveBoth();

        String reply = send(", \"stream\": true", Map.of("Connection", "close")).readAll();

        assertThat(reply)
                .startsWith("HTTP/1.1 200")
                .containsIgnoringCase("\r\ntrailer: x-penstock-cost-usd\r\n")
                .containsIgnoringCase("\r\nx-penstock-saved-usd: 0.0000")
                .contains("data: [DONE]");
        int prompt = post("/v1/quotes", CHAT, Map.of()).jsonPath().getInt("prompt_tokens");
        assertThat(reply.substring(reply.indexOf("\r\n0\r\n")))
                .isEqualToIgnoringCase("\r\n0\r\nx-penstock-cost-usd: "
                        + usd(100L * prompt + 400L * 2).toPlainString() + "\r\n\r\n");
    }

    @Test
    void anUpstreamsReplyTellsItsCostByTheTokensThatItCounts() throws Exception {
        FakeServer server = server();
        models.serve(slow(upstream("there", server.url()), CHEAP), fast(dear, DEAR));
        // 5 prompt tokens, 4 cached ones and 2 of the completion.
        String cost = usd(100 * 5 + 50 * 4 + 400 * 2).toPlainString();

        String stream =
                send(", \"stream\": true", Map.of("Connection", "close")).readAll();
        assertThat(stream).containsIgnoringCase("x-penstock-backend: there");
        assertThat(stream.substring(stream.indexOf("\r\n0\r\n")))
                .isEqualToIgnoringCase("\r\n0\r\nx-penstock-cost-usd: " + cost + "\r\n\r\n");

        server.next(request -> FakeServer.json(request, 200, FakeServer.chat("Once")));
        chat("").then().header(BACKEND, "there").header("x-penstock-cost-usd", cost);
    }

    @ParameterizedTest
    @ValueSource(strings = {CHAT, "\"prompt\": \"Hi\", \"max_tokens\": 20"})
    void quotesAreGivenWithoutRunningAnything(String request) {
        serveBoth();

        post("/v1/quotes", request, HURRIED)
                .then()
                .statusCode(200)
                .body("object", equalTo("list"))
                .body("model", equalTo("routed"))
                .body("prompt_tokens", greaterThan(1))
                .body("data", hasSize(2))
                .body("data[0].backend", equalTo("cheap"))
                .body("data[0].feasible", equalTo(false))
                .body("data[0].reason", equalTo("ttft"))
                .body("data[0].tpot_ms.mean", greaterThan(499f))
                .body("data[0].ttft_ms.p90", greaterThan(5000f))
                .body("data[1].backend", equalTo("dear"))
                .body("data[1].feasible", equalTo(true))
                .body("data[1].reason", nullValue())
                .body("data[1].end_to_end_ms.p90", greaterThan(0f));
        assertThat(cheap.unread() + dear.unread()).isZero();
    }

    @Test
    void aCompletionIsRoutedAsAConversationIs() {
        serveBoth();

        for (String[] c : new String[][] {{"2000", "dear"}, {"600000", "cheap"}}) {
            post("/v1/completions", "\"prompt\": [\"Hi\", \"Ho\"]", Map.of("x-llm-d-slo-ttft-ms", c[0]))
                    .then()
                    .statusCode(200)
                    .header(BACKEND, c[1])
                    .body("choices", hasSize(2));
        }
    }

    @Test
    void whatNoBackendCanEverMeetIsRefusedWithWhatEachCouldDo() {
        serveBoth();

        Response refused = chat("", Map.of("x-llm-d-slo-tpot-ms", "0.001"));

        refused.then()
                .statusCode(503)
                .header("Retry-After", nullValue())
                .header("x-llm-d-request-dropped-reason", "rejected-no-endpoints")
                .body("error.code", equalTo("budget_not_feasible"))
                .body("error.message", containsString("cheap: TPOT of 750.0 ms at p90"))
                .body("error.message", containsString("dear: TPOT of 0.0 ms at p90"));
        chat(
                        ", \"provider\": {\"max_price\": {\"prompt\": 0.5, \"completion\": 2}}",
                        Map.of("x-llm-d-slo-ttft-ms", "20"))
                .then()
                .statusCode(503)
                .body("error.message", containsString("above max_price"));
    }

    @Test
    void withTheOnlyOneFullAHurriedRequestIsRefusedWithTheTimeAfterWhichItWouldFit() throws Exception {
        // A step takes 2 s and a prompt nearly nothing: idle the first token is there in 3 s at p90.
        models.serve(member(cheap, CHEAP, 1, 2, 1e-3));
        cheap.play(Script.says("Once").awaits(NEVER).ends(FinishReason.STOP));
        RawConnection running = send(", \"stream\": true", Map.of());
        cheap.request();

        chat("", Map.of("x-llm-d-slo-ttft-ms", "5000"))
                .then()
                .statusCode(503)
                .header("Retry-After", Double::parseDouble, closeTo(50, 45))
                .header("x-llm-d-request-dropped-reason", "rejected-saturated")
                .body("error.code", equalTo("server_is_overloaded"));

        running.close();
    }

    @Test
    void withTheCheapOneFullAHurriedRequestGoesToTheDearOneAndWithoutHurryItQueues() throws Exception {
        models.serve(member(cheap, CHEAP, 1, 2, 1e-3), fast(dear, DEAR));
        CountDownLatch end = new CountDownLatch(1);
        cheap.play(Script.says("Once").awaits(end).ends(FinishReason.STOP));
        RawConnection running =
                send(", \"stream\": true", Map.of("Connection", "close", "x-llm-d-slo-ttft-ms", "5000"));
        cheap.request();

        chat("", Map.of("x-llm-d-slo-ttft-ms", "5000")).then().statusCode(200).header(BACKEND, "dear");
        chat("").then().statusCode(200).header(BACKEND, "cheap");

        end.countDown();
        assertThat(running.readAll())
                .containsIgnoringCase("x-penstock-backend: cheap")
                .contains("[DONE]");
    }

    @Test
    void aChangeOfPriceReordersAtOnceAndWhatRunsGoesOn() throws Exception {
        serveBoth();
        CountDownLatch end = new CountDownLatch(1);
        cheap.play(Script.says("Once").awaits(end).ends(FinishReason.STOP));
        RawConnection running = send(", \"stream\": true", Map.of("Connection", "close"));
        cheap.request();

        models.serve(slow(cheap, DEAR), fast(dear, CHEAP));

        chat("").then().statusCode(200).header(BACKEND, "dear");
        end.countDown();
        assertThat(running.readAll()).contains("Once").contains("[DONE]");
    }

    @Test
    void aModelWhoseOnlyBackendIsDownSaysWhenToComeBack() {
        models.serve(slow(upstream("there", java.net.URI.create("http://127.0.0.1:1/v1")), CHEAP));

        for (int i = 0; i < 3; i++) {
            chat("").then()
                    .statusCode(503)
                    .header("Retry-After", "1")
                    .body("error.code", equalTo("server_is_overloaded"));
        }
        chat("").then()
                .statusCode(503)
                .header("Retry-After", "1")
                .header("x-llm-d-request-dropped-reason", "rejected-no-endpoints")
                .body("error.message", containsString("No backend serves the model 'routed'"));
        post("/v1/quotes", CHAT, Map.of()).then().body("data.reason", equalTo(java.util.List.of("down")));
    }

    @Test
    void neitherTheCallersKeyNorItsProviderGoesToAnUpstreamAndItsAddressIsNotTheCallers() throws Exception {
        FakeServer server = server();
        models.serve(slow(upstream("there", server.url()), CHEAP));

        given().contentType("application/json")
                .header("Authorization", "Bearer callers")
                .header("X-Upstream-Url", "http://elsewhere/v1")
                .header("X-Forwarded-Host", "elsewhere")
                .body(body(
                        "\"provider\": {\"sort\": \"latency\"}, \"base_url\": \"http://elsewhere/v1\", \"stream\": true, "
                                + CHAT))
                .post("/v1/chat/completions")
                .then()
                .statusCode(200)
                .header(BACKEND, "there");

        FakeServer.Got got = server.request();
        assertThat(got.request().getHeader("Authorization")).isEqualTo("Bearer secret");
        assertThat(got.request().headers().toString()).doesNotContain("callers", "elsewhere");
        assertThat(got.request().path()).isEqualTo("/v1/chat/completions");
        assertThat(got.body()).doesNotContain("provider").contains("\"model\": \"theirs\"", "\"base_url\"");
    }
}
