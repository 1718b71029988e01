package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ModelSpecTest {
    @Test
    void aNameAndAFolderAreEnough() {
        assertThat(ModelSpec.parse("llama=/models/a=b")).isEqualTo(new ModelSpec("llama", "/models/a=b", Map.of()));
    }

    @Test
    void settingsBecomePropertiesOfTheModelAndItsReplica() {
        assertThat(ModelSpec.parse("lab/llama-3.2=../m,device=cuda:0,precision=INT8,threads=3,context=512")
                        .properties())
                .isEqualTo(Map.of(
                        "penstock.models.\"lab/llama-3.2\".source", "../m",
                        "penstock.models.\"lab/llama-3.2\".context", "512",
                        "penstock.models.\"lab/llama-3.2\".backends[0].kind", "replica",
                        "penstock.models.\"lab/llama-3.2\".backends[0].device", "cuda:0",
                        "penstock.models.\"lab/llama-3.2\".backends[0].precision", "INT8",
                        "penstock.models.\"lab/llama-3.2\".backends[0].threads", "3"));
    }

    @Test
    void whatAnEncoderIsForIsOfTheModel() {
        assertThat(ModelSpec.parse("bge=../m,task=embed,pooling=cls,threads=2").properties())
                .isEqualTo(Map.of(
                        "penstock.models.\"bge\".source", "../m",
                        "penstock.models.\"bge\".task", "embed",
                        "penstock.models.\"bge\".pooling", "cls",
                        "penstock.models.\"bge\".backends[0].kind", "replica",
                        "penstock.models.\"bge\".backends[0].threads", "2"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "llama",
                "=folder",
                "llama=",
                "llama=f,",
                "llama=f,precision",
                "llama=f,precision=",
                "llama=f,precision=int3",
                "llama=f,device=tpu",
                "llama=f,device=cuda:-1",
                "llama=f,device=cuda:x",
                "llama=f,rounding=best",
                "llama=f,kv=fp8",
                "llama=f,threads=0",
                "llama=f,threads=-1",
                "llama=f,threads=2.5",
                "llama=f,context=1e3",
                "llama=f,context=99999999999",
                "llama=f,speed=9",
                "llama=f,task=sing",
                "llama=f,pooling=max",
                "llama=f,threads=1,threads=2",
                "a\"b=f",
                "a\\b=f"
            })
    void whatIsWrongIsRefusedWithTheText(String text) {
        assertThatThrownBy(() -> ModelSpec.parse(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("'" + text + "'");
    }
}
