package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@TestProfile(ScriptedProfile.class)
class HttpErrorsTest {
    @TestHTTPResource
    URI url;

    @ParameterizedTest
    @ValueSource(strings = {"/", "/v1", "/v1/", "/v2/models", "/v1/chat", "/v1/images", "/nothing/here", "/q/health"})
    void aPathThatIsNotThereHasAnErrorOfTheApi(String path) {
        JsonNode error = BadInputTest.error(given().get(path), 404);

        assertThat(error.get("type").textValue()).isEqualTo("invalid_request_error");
        assertThat(error.get("message").textValue()).contains(path);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/images", "/v1/nothing"})
    void aPathThatIsNotThereTakesNoPost(String path) {
        BadInputTest.error(given().contentType(ContentType.JSON).body("{}").post(path), 404);
    }

    @ParameterizedTest
    @CsvSource({"GET, /v1/chat/completions", "PUT, /v1/completions", "DELETE, /v1/models", "POST, /v1/models"})
    void aMethodThatIsNotAllowedHasAnErrorOfTheApi(String method, String path) {
        Response response = given().request(method, path);

        JsonNode error = BadInputTest.error(response, 405);
        assertThat(error.get("code").textValue()).isEqualTo("method_not_allowed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded"})
    void aBodyThatIsNotCalledJsonIsRefused(String type) {
        BadInputTest.error(given().contentType(type).body("{}").post("/v1/chat/completions"), 415);
    }

    @Test
    void aBodyAboveTheLimitIsRefusedBeforeItIsRead() {
        byte[] body = new byte[ScriptedProfile.MAX_BODY_BYTES + 1];

        JsonNode error = BadInputTest.error(
                given().contentType(ContentType.JSON).body(body).post("/v1/chat/completions"), 413);

        assertThat(error.get("code").textValue()).isEqualTo("request_too_large");
        assertThat(error.get("message").textValue()).contains(Integer.toString(ScriptedProfile.MAX_BODY_BYTES));
    }

    @Test
    void aBodyThatDoesNotTellItsSizeIsRefusedAtTheLimit() throws Exception {
        byte[] body = new byte[ScriptedProfile.MAX_BODY_BYTES + 1];
        Arrays.fill(body, (byte) ' ');
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(url.resolve("/v1/chat/completions"))
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());

            assertThat(response.statusCode()).as(response.body()).isEqualTo(413);
            Contract.check("ErrorResponse", response.body());
            assertThat(Sse.parse(response.body()).at("/error/code").textValue()).isEqualTo("request_too_large");
        }
    }

    @Test
    void everyReplyHasAnIdToAskAbout() {
        assertThat(given().get("/v1/models").header("x-request-id")).startsWith("req_");
        assertThat(given().get("/nothing").header("x-request-id")).startsWith("req_");
    }
}
