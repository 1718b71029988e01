package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ModelsResourceTest {
    @Test
    void theListHasTheModelsInTheOrderOfTheirNames() {
        JsonNode list = Sse.parse(
                given().get("/v1/models").then().statusCode(200).extract().asString());

        assertThat(list.get("object").textValue()).isEqualTo("list");
        assertThat(list.get("data")).hasSize(3);
        assertThat(list.at("/data/0/id").textValue()).isEqualTo("lab/plain");
        assertThat(list.at("/data/1/id").textValue()).isEqualTo("scripted");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lab/plain", "lab%2Fplain"})
    void aModelIsFoundByANameWithASlash(String path) {
        JsonNode model = Sse.parse(given().urlEncodingEnabled(false)
                .get("/v1/models/" + path)
                .then()
                .statusCode(200)
                .extract()
                .asString());

        assertThat(model.get("id").textValue()).isEqualTo("lab/plain");
        assertThat(model.get("object").textValue()).isEqualTo("model");
        assertThat(model.get("created").longValue()).isEqualTo(1767323045L);
        assertThat(model.get("owned_by").textValue()).isEqualTo("penstock");
        assertThat(model.get("max_model_len").intValue()).isEqualTo(ScriptedModels.CONTEXT);
    }

    @Test
    void aModelThatIsNotThereIsNotFound() {
        JsonNode error = BadInputTest.error(given().get("/v1/models/lab/other"), 404);

        assertThat(error.get("code").textValue()).isEqualTo("model_not_found");
    }
}
