package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class ReferenceModelTest {
    @Test
    void storiesModelTellsTheKnownStory() throws IOException {
        Path folder = Path.of(System.getProperty("penstock.shared", "../shared"), "models", "stories260k");
        Assumptions.assumeTrue(Files.isDirectory(folder));
        Map<Integer, String> pieces = new HashMap<>();
        for (Map.Entry<String, JsonNode> e : new ObjectMapper()
                .readTree(folder.resolve("tokenizer.json").toFile())
                .at("/model/vocab")
                .properties()) {
            pieces.put(e.getValue().asInt(), e.getKey());
        }
        StringBuilder text = new StringBuilder();
        for (int token : ReferenceModel.read(folder).greedy(List.of(1, 403, 407, 261, 378), 24)) {
            text.append(pieces.get(token));
        }
        assertThat(text.toString().replace('▁', ' ')).startsWith(", there was a little girl named Lily. She loved to");
    }
}
