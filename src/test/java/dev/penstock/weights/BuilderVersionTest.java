package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A variant's id says what it was made from, so the same id must mean the same bytes, on every machine and in every
 * version of this program. Two models stand for all: one with a head of its own and plain rotary embedding, one with both
 * tied and scaled.
 */
class BuilderVersionTest {
    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({
        "FP32, STANDARD, 24c1217c9ed37b33, 9e96bd6a1536f2ca",
        "INT8, STANDARD, 98488834d3f6c2f2, e9653963601d5622",
        "INT8, PACKED, 2c29938a6405681c, 529382c218f36be8",
        "INT4, STANDARD, cc259fa01be7f432, 263c611302679ac5",
        "INT4, PACKED, 173a2f733a0caf91, 22623dfd92ac2d7b",
    })
    void theSameIdMeansTheSameBytes(Precision precision, WeightLayout layout, String knownId, String knownBytes)
            throws IOException {
        MessageDigest ids = FileDigests.sha256();
        MessageDigest contents = FileDigests.sha256();
        for (TinyModels.Tiny model : List.of(TinyModels.gqa(), TinyModels.llama3())) {
            ModelFolder folder = ModelFolder.open(model.write(temp.resolve(model.name())));
            Variant variant = new ModelStore(temp.resolve("store"))
                    .build(folder, precision, new BuildOptions(2, 1 << 20, layout), BuildProgress.NONE);
            ids.update(variant.id().getBytes(StandardCharsets.US_ASCII));
            contents.update(Files.readAllBytes(variant.folder().resolve(VariantFolder.DATA_FILE)));
            for (KvType kvType : KvType.values()) {
                contents.update(Files.readAllBytes(variant.graph(kvType)));
            }
        }
        String id = hex(ids);
        String bytes = hex(contents);

        if (id.equals(knownId)) {
            assertThat(bytes)
                    .as("%s %s: layout changed: raise ModelStore.BUILDER_VERSION", precision, layout)
                    .isEqualTo(knownBytes);
        }
        assertThat(id + ", " + bytes)
                .as("%s %s: a new id: write it down here with its bytes", precision, layout)
                .isEqualTo(knownId + ", " + knownBytes);
    }

    private static String hex(MessageDigest digest) {
        return FileDigests.hex(digest.digest()).substring(0, 16);
    }
}
