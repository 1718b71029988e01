package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.prompt.ChatTemplate;
import dev.penstock.weights.TinyModels;
import io.smallrye.config.PropertiesConfigSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelTextTest {
    @TempDir
    Path temp;

    @Test
    void aModelMayHaveATemplateForConversationsWithTools() throws IOException {
        ChatTemplate template = Objects.requireNonNull(ModelText.template(settings("""
                [{"name": "default", "template": "plain"}, {"name": "rag", "template": "{{"},
                 {"name": "tool_use", "template": "tools: {{ tools | length }}"}]""")));
        Map<String, @Nullable Object> variables = new HashMap<>();
        variables.put("tools", null);
        assertThat(template.render(variables)).isEqualTo("plain");
        variables.put("tools", List.of(Map.of()));
        assertThat(template.render(variables)).isEqualTo("tools: 1");
    }

    @Test
    void aTemplateForToolsThatCannotBeReadIsRefused() {
        assertThatThrownBy(() -> ModelText.template(settings("""
                        [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "{{"}]""")))
                .isInstanceOf(StartException.class)
                .hasMessageStartingWith("The model m can't be served: ");
    }

    @Test
    void aTemplateForToolsAloneIsNone() throws IOException {
        assertThat(ModelText.template(settings("[{\"name\": \"tool_use\", \"template\": \"tools\"}]")))
                .isNull();
    }

    private ModelSettings settings(String chatTemplate) throws IOException {
        Path folder = TinyModels.mha().write(temp.resolve("model"));
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"chat_template\": " + chatTemplate + "}");
        var source = new PropertiesConfigSource(ModelSpec.parse("m=" + folder).properties(), "test", 400);
        return ConfiguredModel.of(PenstockConfigTest.read(source), Map.of())
                .getFirst()
                .replicas()
                .getFirst()
                .settings();
    }
}
