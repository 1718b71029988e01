package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.onnx.GraphContract;
import dev.penstock.weights.ClassicAttention.Form;
import dev.penstock.weights.ClassicDecoder.Matrices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * An imported variant's id says what graph it was made from and by which version of the import, so the same version must
 * rewrite the same graph in the same way. Paths differ from machine to machine, and are left out.
 */
class ImportVersionTest {
    /** The version that the bytes below are of. */
    private static final int KNOWN_VERSION = 1;

    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({
        "GROUP_QUERY_PACKED, 2ffc62f8d73a7a95",
        "GROUP_QUERY, bd10f658622c54a8",
        "GROUP_QUERY_ROTARY_NODES, dbfa2bc9d9504c30",
        "MULTI_HEAD, e20e42d610825305",
        "STANDARD, 4800453eb99b36f5",
        "STANDARD_AFTER_CONCAT, 668ffa08b7f6a1fa",
        "DECOMPOSED, 31800c854637f340",
    })
    void theSameVersionMeansTheSameGraph(Form form, String knownBytes) throws IOException {
        MessageDigest contents = FileDigests.sha256();
        TinyModel stretched = TinyFamilies.longPhi3("phi3", 128, 32).build();
        for (TinyModel model : List.of(TinyModels.gqa(), stretched)) {
            HuggingFaceFolder source = HuggingFaceFolder.read(model.write(temp.resolve("model" + model.seed())));
            for (Matrices matrices : Matrices.values()) {
                Path genai = ClassicFolders.genai(source, form, matrices, temp.resolve(matrices + "-" + model.seed()));
                ModelFolder folder = ModelFolder.open(genai);
                Variant variant = new ModelStore(temp.resolve("store"))
                        .build(
                                folder,
                                folder.precisions(Device.CPU).getFirst(),
                                BuildOptions.defaults(),
                                BuildProgress.NONE);
                for (KvType kvType : KvType.values()) {
                    contents.update(withoutPaths(variant.graph(kvType), genai.toRealPath()));
                }
            }
        }
        String bytes = FileDigests.hex(contents.digest()).substring(0, 16);

        assertThat(ModelStore.IMPORT_VERSION + ", " + bytes)
                .as("%s: the import changed: raise ModelStore.IMPORT_VERSION, write it down here with its bytes", form)
                .isEqualTo(KNOWN_VERSION + ", " + knownBytes);
    }

    /** A graph file in the store, with the folder of its data relative to another. */
    private static byte[] withoutPaths(Path graph, Path folder) throws IOException {
        ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(graph)).toBuilder();
        model.getMetadataPropsBuilderList().stream()
                .filter(p -> p.getKey().equals(GraphContract.DATA_FOLDER))
                .forEach(
                        p -> p.setValue(folder.relativize(Path.of(p.getValue())).toString()));
        return model.build().toByteArray();
    }
}
