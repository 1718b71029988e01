package dev.penstock.ops.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.BuildProgress;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.RandomModel;
import dev.penstock.weights.Variant;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelBenchTest {
    private static final DecoderShape SHAPE = new DecoderShape("llama", 2, 64, 4, 2, 16, 128, 96, 1024);

    @TempDir
    Path store;

    @Test
    void everyCaseGetsAResultThroughTheRunnerAndThroughTheStepLoop() throws Exception {
        List<BenchCase> cases = BenchCase.of(List.of(20, 600), List.of(1, 3), List.of(40));
        BenchReport report = ModelBench.run("tiny", variant(), new BenchPlan(cases, KvType.FP16, 2, 2, 4, true));

        assertThat(report.results())
                .extracting(r -> r.kind() + " " + r.batch() + " " + r.context())
                .containsExactly(
                        "prompt 1 20", "prompt 1 600", "decode 1 40", "decode 3 40", "engine 1 40", "engine 3 40");
        assertThat(report.results()).allSatisfy(r -> {
            assertThat(r.ms()).isPositive();
            assertThat(r.tokensPerSecond()).isPositive().isFinite();
            assertThat(r.bandwidthShare()).isPositive().isFinite();
            assertThat(r.computeShare()).isPositive().isFinite();
        });
        assertThat(report.table()).contains("tiny, int4, KV fp16, 2 threads").contains("engine");
    }

    @Test
    void textsThatRepeatTheirPromptsAreSaidWithAndWithoutDrafts() throws Exception {
        List<BenchCase> cases = BenchCase.of(List.of(), List.of(1, 2), List.of(1));
        SpeculationReport report =
                SpeculationBench.run("tiny", variant(), new BenchPlan(cases, KvType.FP16, 2, 2, 1, false), 60);
        assertThat(report.results()).hasSize(2 * RepeatedText.values().length).allSatisfy(r -> {
            assertThat(r.ratio()).isPositive().isFinite();
            assertThat(r.accepted()).isBetween(0.0, r.drafted());
        });
        assertThat(report.table()).contains("quote").contains("fresh");
        assertThatThrownBy(() ->
                        SpeculationBench.run("tiny", variant(), new BenchPlan(cases, KvType.FP16, 2, 2, 1, false), 600))
                .hasMessageContaining("context of 1024");
    }

    @Test
    void aCaseBeyondTheModelsContextIsRefused() {
        BenchPlan plan =
                new BenchPlan(BenchCase.of(List.of(), List.of(1), List.of(1020)), KvType.FP16, 1, 1, 16, false);
        assertThatThrownBy(() -> ModelBench.run("tiny", variant(), plan))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a case takes 1036 tokens of a sequence; tiny has a context of 1024");
    }

    @Test
    void theJsonNamesItsUnits() throws Exception {
        List<BenchCase> cases = BenchCase.of(List.of(8), List.of(), List.of());
        BenchReport report = ModelBench.run("tiny", variant(), new BenchPlan(cases, KvType.FP32, 1, 1, 1, false));
        ObjectMapper json = new ObjectMapper();
        JsonNode tree = json.readTree(json.writeValueAsString(report));

        assertThat(tree.path("kv").asText()).isEqualTo("fp32");
        assertThat(tree.path("machine").path("readBytesPerSecond").asDouble()).isPositive();
        assertThat(tree.path("results").path(0).path("kind").asText()).isEqualTo("prompt");
        assertThat(tree.path("results").path(0).path("ms").asDouble()).isPositive();
        assertThat(tree.path("results").path(0).path("tokensPerSecond").asDouble())
                .isPositive();
    }

    @Test
    void plansOutOfRangeAreRefusedWithTheNumberThatIsWrong() {
        assertThatThrownBy(() -> new BenchPlan(List.of(), KvType.FP16, 2, 1, 1, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nothing to measure");
        assertThatThrownBy(() -> new BenchPlan(List.of(new BenchCase.Decode(0, 256)), KvType.FP16, 2, 1, 1, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("batch must be 1 to 4096, not 0");
    }

    @Test
    void aStepReadsEachWeightOnceAndTheKeysAndValuesOfItsSequences() {
        ModelCost cost = new ModelCost(SHAPE, Precision.FP32, KvType.FP16);
        long layer = 64 * (64 + 2 * 32) + 64 * 64 + 3 * 64 * 128;
        long head = 64 * 96;
        assertThat(cost.weightBytes(1)).isEqualTo(4.0 * (2 * layer + head));
        // 2 layers, keys and values of 2 heads of 16 numbers of 2 bytes.
        assertThat(cost.bytes(new BenchCase.Decode(3, 40)) - cost.weightBytes(3))
                .isEqualTo(3 * 40 * 256.0);
        // The head sees the last row of a prompt only.
        assertThat(cost.operations(new BenchCase.Prompt(20))).isEqualTo(2.0 * (20 * 2 * layer + head));
    }

    @Test
    void aStepOfOneTokenReadsTheExpertsThatItTakesAndAStepOfManyReadsNearlyAll() {
        ModelCost dense = new ModelCost(SHAPE, Precision.FP32, KvType.FP16);
        ModelCost sparse = new ModelCost(SHAPE.withExperts(8, 2), Precision.FP32, KvType.FP16);
        double expert = 4.0 * 2 * 3 * 64 * 128;
        assertThat(sparse.weightBytes(1)).isEqualTo(dense.weightBytes(1) + expert);
        assertThat(sparse.weightBytes(2)).isEqualTo(dense.weightBytes(1) + 2.5 * expert);
        assertThat(sparse.weightBytes(100)).isCloseTo(dense.weightBytes(1) + 7 * expert, within(1.0));
    }

    private Variant variant() {
        return new ModelStore(store)
                .build(
                        RandomModel.ofShape("tiny", SHAPE, false, 1),
                        Precision.INT4,
                        BuildOptions.defaults(),
                        BuildProgress.NONE);
    }
}
