package dev.penstock.ops.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penstock.model.DecoderShape;
import dev.penstock.ops.plan.PlanReport.Option;
import dev.penstock.ops.plan.PlanReport.Speed;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.RandomModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlannerTest {
    private static final long GIB = 1 << 30;

    @TempDir
    Path temp;

    @Test
    void theMostExactThatIsFastEnoughIsChosen() {
        Planner planner = planner(10);
        List<Option> options = List.of(option("fp32", 9, true), option("int8", 40, true), option("int4", 80, true));
        assertThat(planner.choice(options)).contains(options.get(1));
        assertThat(planner.reason(options, planner.choice(options), 8 * GIB))
                .isEqualTo(
                        "Take int8: the most exact that fits and decodes 10.0 tokens/s for each sequence; 10.0 are wanted.");
    }

    @Test
    void withoutOneTheFastestIs() {
        Planner planner = planner(30);
        List<Option> options = List.of(option("fp32", 9, true), option("int8", 40, true), option("int4", 200, false));
        assertThat(planner.choice(options)).contains(options.get(1));
        assertThat(planner.reason(options, planner.choice(options), 8 * GIB)).contains("the fastest that fits");
    }

    @Test
    void whereNothingFitsThePlanSaysWhatIsMissing() {
        Planner planner = planner(1);
        Option large = new Option("fp32", "fp32", 40 * GIB, GIB, null, false, 0);
        Option small = new Option("int4", "fp16", 10 * GIB, GIB, null, false, 0);
        List<Option> options = List.of(large, small);
        assertThat(planner.choice(options)).isEmpty();
        assertThat(planner.reason(options, planner.choice(options), 8 * GIB))
                .isEqualTo("Nothing fits: the smallest, int4, takes 11.00 GiB of the 8.00 GiB that are free.");
    }

    @Test
    void aModelIsMeasuredAtEveryPrecision() throws IOException {
        DecoderShape shape = new DecoderShape("llama", 3, 64, 4, 2, 16, 128, 96, 1024);
        PlanReport report = new Planner(new ModelStore(temp), 2, 3, 40, 1)
                .plan("tiny", RandomModel.ofShape("tiny", shape, false, 1));

        assertThat(report.options()).extracting(Option::precision).containsExactly("fp32", "int8", "mixed", "int4");
        assertThat(report.options()).allSatisfy(o -> {
            assertThat(o.fits()).isTrue();
            assertThat(o.mostSequences()).isGreaterThan(3);
            Speed speed = o.usable().orElseThrow();
            assertThat(speed.prefillTokensPerSecond()).isPositive().isFinite();
            assertThat(speed.decodeTokensPerSecond()).isPositive().isFinite();
            assertThat(speed.decodeTokensPerSecondOfAll()).isPositive().isFinite();
        });
        // 3 sequences of 40 tokens, 3 layers, keys and values of 2 heads of 16 numbers.
        assertThat(report.options().getFirst().kvBytes()).isEqualTo(3L * 40 * 3 * 2 * 2 * 16 * 4);
        assertThat(report.choice()).isEqualTo("fp32");
        assertThat(report.table()).contains("tiny, 3 sequences of 40 tokens").contains("Take fp32");
    }

    @Test
    void ofAModelsExpertsAllAreHeldAndThoseThatAStepTakesAreRead() throws IOException {
        DecoderShape shape = new DecoderShape("mixtral", 3, 64, 4, 2, 16, 128, 96, 1024);
        Planner planner = new Planner(new ModelStore(temp), 2, 3, 40, 1);
        PlanReport dense = planner.plan("dense", RandomModel.ofShape("dense", shape, false, 1));
        PlanReport sparse = planner.plan("sparse", RandomModel.ofShape("sparse", shape.withExperts(8, 2), false, 1));

        long expert = 3L * 3 * 64 * 128 * 4;
        long router = 3L * 64 * 8 * 4;
        assertThat(sparse.options().getFirst().weightBytes()
                        - dense.options().getFirst().weightBytes())
                .isBetween(7 * expert, 7 * expert + 2 * router);
        // Of 8 experts three tokens leave 8 (1 - 2 / 8)^3 unread.
        assertThat(stepBytes(sparse) - stepBytes(dense)).isCloseTo((8 - 8 * 0.421875 - 1) * expert, within(1.0));
        assertThat(sparse.options()).allSatisfy(o -> {
            assertThat(o.fits()).isTrue();
            assertThat(o.usable().orElseThrow().decodeTokensPerSecond())
                    .isPositive()
                    .isFinite();
        });
    }

    /** What a step of all sequences reads at the most exact precision, as its bound has it. */
    private static double stepBytes(PlanReport report) {
        double bound =
                report.options().getFirst().usable().map(Speed::decodeBound).orElseThrow();
        return report.sequences() * report.device().readBytesPerSecond() / bound;
    }

    @Test
    void whatCannotFitIsNotMeasured() throws IOException {
        DecoderShape shape = new DecoderShape("llama", 96, 12_288, 96, 96, 128, 32_768, 128_000, 8192);
        PlanReport report = new Planner(new ModelStore(temp), 2, 4096, 8192, 1)
                .plan("huge", RandomModel.ofShape("huge", shape, false, 1));
        assertThat(report.choice()).isNull();
        assertThat(report.options()).allSatisfy(o -> assertThat(o.speed()).isNull());
        assertThat(report.reason()).startsWith("Nothing fits: the smallest, int4,");
    }

    private Planner planner(double wanted) {
        return new Planner(new ModelStore(temp), 2, 4, 100, wanted);
    }

    private static Option option(String precision, double decodeOfAll, boolean fits) {
        return new Option(precision, "fp16", GIB, GIB, new Speed(0, 100, decodeOfAll / 2, decodeOfAll, 100), fits, 9);
    }
}
