package dev.penstock.ops;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.greaterThan;

import dev.penstock.api.ScriptedProfile;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(ScriptedProfile.class)
class EndpointsTest {
    @Test
    void itIsAliveAndReady() {
        given().get("/health/live").then().statusCode(200).body("status", equalTo("UP"));
        given().get("/health/ready").then().statusCode(200).body("status", equalTo("UP"));
    }

    @Test
    void theMachineIsTold() {
        given().get("/v1/hardware")
                .then()
                .statusCode(200)
                .body("computeThreads", greaterThan(0))
                .body("memory.totalBytes", greaterThan(0L));
    }

    @Test
    void metricsAreInPrometheusForm() {
        String metrics =
                given().get("/metrics").then().statusCode(200).extract().asString();

        assertThat(metrics).contains("jvm_memory_used_bytes");
    }

    @Test
    void theApiIsDescribed() {
        given().get("/openapi")
                .then()
                .statusCode(200)
                .body(containsString("/v1/chat/completions"))
                .body(containsString("/v1/completions"))
                .body(containsString("/v1/embeddings"))
                .body(containsString("/v1/rerank"))
                .body(containsString("/v1/models/{model}"));
        given().get("/docs").then().statusCode(200).body(containsString("Swagger"));
    }
}
