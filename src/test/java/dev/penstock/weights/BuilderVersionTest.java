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
        "FP32, STANDARD, fc64b72c73fe9ea7, 76961e9f93c0e611",
        "INT8, STANDARD, 75f9b4607e4a0c31, 16b80ede0ee52909",
        "INT8, PACKED, 4385472c4f2104ae, a61a405ddf415f35",
        "INT4, STANDARD, 1bed8dd66bf860a3, 53473f7a6409a6ac",
        "INT4, PACKED, bd9c0d765c502860, da26a17db7e2f4dc",
        "FP16, CUDA, 4c653fe0becddc89, 0d32b537b8727d22",
        "INT8, CUDA, ab50add702180dd6, 32eaf606d22bfcaa",
        "INT4, CUDA, 9fac431bfd1cbfdb, d9043e8235e932d8",
    })
    void theSameIdMeansTheSameBytes(Precision precision, WeightLayout layout, String knownId, String knownBytes)
            throws IOException {
        MessageDigest ids = FileDigests.sha256();
        MessageDigest contents = FileDigests.sha256();
        // CUDA's operators take no heads as narrow as those of the first.
        TinyModels.Tiny first = layout == WeightLayout.CUDA ? TinyModels.mha() : TinyModels.gqa();
        for (TinyModels.Tiny model : List.of(first, TinyModels.llama3())) {
            ModelFolder folder = ModelFolder.open(model.write(temp.resolve(model.name())));
            Variant variant = new ModelStore(temp.resolve("store"))
                    .build(folder, precision, new BuildOptions(2, 1 << 20, layout), BuildProgress.NONE);
            ids.update(variant.id().getBytes(StandardCharsets.US_ASCII));
            contents.update(Files.readAllBytes(variant.folder().resolve(VariantFolder.DATA_FILE)));
            for (KvType kvType : layout == WeightLayout.CUDA ? List.of(KvType.FP16) : List.of(KvType.values())) {
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
