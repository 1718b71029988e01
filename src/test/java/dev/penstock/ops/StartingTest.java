package dev.penstock.ops;

import static io.restassured.RestAssured.given;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;

import dev.penstock.api.RequestGate;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(StartingTest.Profile.class)
class StartingTest {
    @Inject
    SlowModels models;

    @Inject
    RequestGate gate;

    private static Response post() {
        return given().contentType(ContentType.JSON)
                .body("{\"model\": \"m\", \"prompt\": \"a\"}")
                .post("/v1/completions");
    }

    @Test
    void itIsReadyFromTheLoadedModelsToTheShutdownAndAliveThroughout() {
        given().get("/health/live").then().statusCode(200);
        given().get("/health/ready").then().statusCode(503).body("status", equalTo("DOWN"));
        post().then()
                .statusCode(503)
                .header("Retry-After", "7")
                .body("error.code", equalTo("server_is_overloaded"))
                .body("error.message", containsString("loading"));

        models.loaded.countDown();

        await().until(() -> given().get("/health/ready").statusCode() == 200);
        post().then().statusCode(404).body("error.code", equalTo("model_not_found"));

        gate.close();

        given().get("/health/live").then().statusCode(200);
        given().get("/health/ready").then().statusCode(503);
        post().then()
                .statusCode(503)
                .header("Retry-After", not(""))
                .body("error.code", equalTo("server_is_overloaded"))
                .body("error.message", containsString("shutting down"));
        given().get("/v1/models").then().statusCode(200);
    }

    /** Loads when the test says so. */
    @Alternative
    @Singleton
    static class SlowModels implements ModelLoader {
        final CountDownLatch loaded = new CountDownLatch(1);

        @Override
        public void reload(PenstockConfig wanted, ModelRegistry registry) {}

        @Override
        public void load(ModelRegistry registry) {
            try {
                loaded.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public List<String> descriptions() {
            return List.of();
        }

        @Override
        public void close() {
            loaded.countDown();
        }
    }

    public static final class Profile implements QuarkusTestProfile {
        @Override
        public Set<Class<?>> getEnabledAlternatives() {
            return Set.of(SlowModels.class);
        }

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("penstock.http.retry-after", "7s");
        }
    }
}
