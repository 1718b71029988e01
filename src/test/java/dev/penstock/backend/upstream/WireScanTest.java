package dev.penstock.backend.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.penstock.model.Usage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WireScanTest {
    private static final byte[] MODEL = "\"new\"".getBytes(StandardCharsets.UTF_8);

    private static WireScan scan(String json) throws IOException {
        return WireScan.of(json.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Test
    void nothingButTheModelOfTheObjectItselfIsReplaced() throws IOException {
        assertThat(text(scan("{ \"a\" : {\"model\":\"x\"},\"é🦊\":[1.50,1e400], \"model\" : \"o\\\"ld\" , \"z\":null}")
                        .withModel(MODEL)))
                .isEqualTo("{ \"a\" : {\"model\":\"x\"},\"é🦊\":[1.50,1e400], \"model\" : \"new\" , \"z\":null}");
        assertThat(text(scan("{\"model\":{\"x\":[1]}}").withModel(MODEL))).isEqualTo("{\"model\":\"new\"}");
        assertThat(text(scan("{\"model\":12345,\"a\":1}").withModel(MODEL))).isEqualTo("{\"model\":\"new\",\"a\":1}");
        assertThat(text(scan("{\"a\":1}").withModel(MODEL))).isEqualTo("{\"a\":1}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"model\":\"old\"}",
                "{\"a\":1,\"model\":\"a much longer name than the new one\",\"b\":[]}",
                "{\"model\":\"old\",\"stream_options\":{\"include_usage\":false}}",
                "{\"stream_options\":{\"include_usage\":false},\"model\":\"old\"}",
                "{\"stream_options\":null,\"model\":\"old\"}",
                "{\"stream_options\":{},\"x\":\"é\",\"model\":\"old\"}",
            })
    void aRequestAsksForItsTokensOnceWhereverItsOptionsStand(String json) throws IOException {
        ObjectMapper strict = new ObjectMapper()
                .enable(com.fasterxml.jackson.databind.DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);
        JsonNode before = strict.readTree(json);
        JsonNode after = strict.readTree(scan(json).withModelAndUsage(MODEL));

        assertThat(after.path("model").asText()).isEqualTo("new");
        assertThat(after.path("stream_options").path("include_usage").asBoolean())
                .isTrue();
        before.properties().stream()
                .filter(e -> !List.of("model", "stream_options").contains(e.getKey()))
                .forEach(e -> assertThat(after.get(e.getKey())).isEqualTo(e.getValue()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        {"provider":{"sort":"price"}} | {}
        { "provider" : null } | { }
        {"provider":1,"a":2} | {"a":2}
        {"a":2,"provider":"x,}"} | {"a":2}
        {"é":"provider" , "provider" : {"provider":[{}]} , "b": 3} | {"é":"provider" , "b": 3}
        {"a":{"provider":1},"prov\\u0069der":true } | {"a":{"provider":1}}
        """)
    void whatIsForUsAloneIsTakenOutWhereverItStands(String json, String without) throws IOException {
        WireScan scan = scan(json);
        ObjectMapper mapper = new ObjectMapper();

        assertThat(scan.hasProvider()).isTrue();
        assertThat(mapper.readTree(scan.withoutProvider())).isEqualTo(mapper.readTree(without));
        assertThat(scan(without).hasProvider()).isFalse();
    }

    @Test
    void onlyWhatAChoiceBringsBesideItsRoleIsOutput() throws IOException {
        assertThat(scan("{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}")
                        .carriesOutput())
                .isFalse();
        assertThat(scan("{\"id\":\"x\",\"choices\":[]}").carriesOutput()).isFalse();
        for (String delta : List.of(
                "\"content\":\"a\"",
                "\"reasoning_content\":\"a\"",
                "\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]")) {
            assertThat(scan("{\"choices\":[{\"delta\":{" + delta + "}}]}").carriesOutput())
                    .isTrue();
        }
        assertThat(scan("{\"choices\":[{\"text\":\"a\",\"finish_reason\":null}]}")
                        .finishes())
                .isFalse();
        assertThat(scan("{\"choices\":[{\"text\":\"\",\"finish_reason\":\"length\"}]}")
                        .finishes())
                .isTrue();
    }

    @Test
    void tokensAreCountedWithinReason() throws IOException {
        assertThat(
                        scan("{\"choices\":[],\"usage\":{\"x\":{},\"prompt_tokens\":5,\"prompt_tokens_details\":{\"a\":[1],\"cached_tokens\":9},\"completion_tokens\":-3}}")
                                .usage())
                .isEqualTo(new Usage(5, 5, 0));
        assertThat(scan("{\"choices\":[{}],\"usage\":null}").usage()).isNull();
        assertThat(scan("{\"choices\":[],\"usage\":{\"prompt_tokens\":\"5\"}}").usage())
                .isEqualTo(new Usage(0, 0, 0));
        assertThat(scan("{\"choices\":[],\"usage\":{}}").countsOnly()).isTrue();
        assertThat(scan("{\"choices\":[{}],\"usage\":{}}").countsOnly()).isFalse();
        assertThatThrownBy(() -> scan("{\"usage\":{\"prompt_tokens\":99999999999}}"))
                .isInstanceOf(IOException.class);
    }

    @Test
    void errorsComeAsObjectsAndAsText() throws IOException {
        assertThat(scan("{\"error\":{\"message\":\"m\",\"type\":\"t\",\"param\":null,\"code\":429}}")
                        .error())
                .isEqualTo(new WireScan.Error("m", null, null));
        assertThat(scan("{\"error\":\"m\"}").error()).isEqualTo(new WireScan.Error("m", null, null));
        assertThat(scan("{\"error\":null,\"choices\":[]}").error()).isNull();
        assertThat(scan("{\"error\":[{}]}").error()).isEqualTo(new WireScan.Error(null, null, null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "1",
                "null",
                "[]",
                "{",
                "{\"a\":}",
                "{} {}",
                "{\"choices\":[{]",
                "{\"choices\":[{",
                "{\"choices\":1}"
            })
    void whatIsNotOneObjectIsRefused(String json) {
        assertThatThrownBy(() -> scan(json)).isInstanceOf(IOException.class);
    }

    @Test
    void depthIsBounded() {
        assertThatThrownBy(() -> scan("{\"choices\":" + "[".repeat(100_000))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> scan("{\"a\":" + "[".repeat(100_000))).isInstanceOf(IOException.class);
    }
}
