package dev.penstock.ops.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.ops.Penstock;
import dev.penstock.ops.quality.ModelQuality.Way;
import dev.penstock.prompt.tokenizer.HfTokenizer;
import dev.penstock.prompt.tokenizer.Tokenizers;
import dev.penstock.weights.EmbeddedModel;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.Rounding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What rounding may cost real models, on forty stories that neither of them was trained on. */
class ModelQualityTest {
    private static final Way HALF_CACHE = new Way(Precision.FP32, Rounding.SEARCH, KvType.FP16);
    private static final Way INT8_CACHE = new Way(Precision.FP32, Rounding.SEARCH, KvType.INT8);
    private static final Way INT8 = new Way(Precision.INT8, Rounding.SEARCH, KvType.FP32);
    private static final Way MIXED = new Way(Precision.MIXED, Rounding.SEARCH, KvType.FP32);
    private static final Way SEARCHED = new Way(Precision.INT4, Rounding.SEARCH, KvType.FP32);
    private static final Way NEAREST = new Way(Precision.INT4, Rounding.NEAREST, KvType.FP32);

    @TempDir
    Path temp;

    @Test
    void theEmbeddedModelKeepsItsQuality() throws IOException {
        ModelStore store = new ModelStore(temp);
        holds(store, EmbeddedModel.unpack(store, "/penstock-tiny/", Penstock.class));
    }

    @Test
    void aModelOfOthersKeepsItsQuality() throws IOException {
        Path folder =
                Path.of(System.getProperty("penstock.shared", "../shared")).resolve("models/stories260k");
        Assumptions.assumeTrue(Files.isDirectory(folder));
        holds(new ModelStore(temp), ModelFolder.open(folder));
    }

    private static void holds(ModelStore store, ModelFolder folder) throws IOException {
        List<QualityReport.Result> results = measure(store, folder);
        QualityReport.Result full = results.get(0);
        QualityReport.Result int8 = results.get(1);
        QualityReport.Result mixed = results.get(2);
        QualityReport.Result searched = results.get(3);
        QualityReport.Result nearest = results.get(4);
        QualityReport.Result halfCache = results.get(5);
        QualityReport.Result int8Cache = results.get(6);

        // Sums of floats differ from session to session.
        assertThat(full.loss()).isCloseTo(0, within(1e-6));
        assertThat(full.divergence()).isCloseTo(0, within(1e-6));
        assertThat(full.agreement()).isGreaterThan(0.999);
        assertThat(int8.loss()).isBetween(-0.005, 0.005);
        assertThat(halfCache.loss()).isBetween(-0.0005, 0.0005);
        assertThat(int8Cache.loss()).isBetween(-0.005, 0.005);
        assertThat(int8Cache.divergence()).isLessThan(0.005);
        assertThat(int8Cache.kvBytesPerToken()).isLessThan(halfCache.kvBytesPerToken());
        assertThat(mixed.loss()).isLessThan(nearest.loss() / 2);
        assertThat(mixed.divergence()).isLessThan(nearest.divergence() / 2);
        assertThat(searched.loss()).isLessThan(nearest.loss());
        assertThat(searched.weightBytes()).isEqualTo(nearest.weightBytes()).isLessThan(mixed.weightBytes());
        assertThat(mixed.weightBytes()).isLessThan(int8.weightBytes());
        assertThat(results).allSatisfy(r -> {
            assertThat(r.prefillTokensPerSecond()).isPositive();
            assertThat(r.decodeTokensPerSecond()).isPositive();
        });
    }

    private static List<QualityReport.Result> measure(ModelStore store, ModelFolder folder) throws IOException {
        Path text = Path.of(Objects.requireNonNull(ModelQualityTest.class.getResource("stories.txt"))
                .getPath());
        try (HfTokenizer tokenizer = Tokenizers.load(folder.tokenizerJson().orElseThrow())) {
            TextWindows windows = TextWindows.read(
                    text, tokenizer, tokenizer.id(folder.tokenizer().bosToken().orElseThrow()), 512, 1 << 20);
            return new ModelQuality(store, folder, windows, 2)
                    .measure(List.of(Way.reference(folder), INT8, MIXED, SEARCHED, NEAREST, HALF_CACHE, INT8_CACHE));
        }
    }
}
