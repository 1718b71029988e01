package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.engine.RunnerConfig;
import dev.penstock.hardware.Gpu;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.Rounding;
import dev.penstock.weights.TinyModels;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KvSpaceTest {
    /** A block of 16 tokens of it is 16 KiB in fp16: 2 layers of 4 heads of 32 numbers, keys and values. */
    private static final DecoderShape SHAPE = new DecoderShape("llama", 2, 128, 4, 4, 32, 256, 1000, 100);

    private static final int BLOCK_BYTES = 16 << 10;
    private static final long PLENTY = 1L << 40;

    private static ModelFolder folder;

    @BeforeAll
    static void writeModel(@TempDir Path temp) {
        folder = ModelFolder.open(TinyModels.gqa().write(temp));
    }

    /** What it needs of the configuration. */
    private record Engine(OptionalInt blockSize, int maxRunning) implements PenstockConfig.Engine {
        @Override
        public int maxStepTokens() {
            return 256;
        }

        @Override
        public int maxPromptTokensBesideDecodes() {
            return 64;
        }

        @Override
        public int maxWaiting() {
            return 512;
        }

        @Override
        public boolean speculation() {
            return true;
        }

        @Override
        public boolean prefixCache() {
            return true;
        }
    }

    private static KvSpace space(OptionalLong kvCacheBytes, int blockSize, int models) {
        return space(Device.CPU, kvCacheBytes, OptionalInt.of(blockSize), models);
    }

    private static KvSpace space(Device device, OptionalLong kvCacheBytes, OptionalInt blockSize, int models) {
        ModelSettings settings = new ModelSettings(
                "m",
                "m/int4",
                folder,
                device,
                Precision.INT4,
                Rounding.SEARCH,
                KvType.FP16,
                3,
                OptionalInt.empty(),
                kvCacheBytes);
        return new KvSpace(settings, new Engine(blockSize, 8), models);
    }

    @ParameterizedTest
    @CsvSource({"16384, 1", "32767, 1", "32768, 2", "1000000000, 61035"})
    void configuredMemoryIsFilledWithWholeBlocksWhateverTheMachineHas(long bytes, int blocks) {
        KvSpace space = space(OptionalLong.of(bytes), 16, 5);

        assertThat(space.blocks(SHAPE, 0)).isEqualTo(blocks);
        assertThat(space.blocks(SHAPE, PLENTY)).isEqualTo(blocks);
    }

    @ParameterizedTest
    @CsvSource({"96, 6", "97, 7", "112, 7", "1, 1"})
    void otherwiseTheWholeBatchHasRoomAtFullContext(int context, int blocksOfASequence) {
        assertThat(space(OptionalLong.empty(), 16, 1).blocks(SHAPE.withContextLength(context), PLENTY))
                .isEqualTo(8 * blocksOfASequence);
    }

    @ParameterizedTest
    @CsvSource({"1, 10", "2, 5", "3, 3"})
    void modelsShareAQuarterOfTheMachine(int models, int blocks) {
        assertThat(space(OptionalLong.empty(), 16, models).blocks(SHAPE, 4L * 10 * BLOCK_BYTES))
                .isEqualTo(blocks);
    }

    @Test
    void aLargerBlockTakesMoreMemory() {
        assertThat(space(OptionalLong.of(10 * BLOCK_BYTES), 48, 1).blocks(SHAPE, PLENTY))
                .isEqualTo(3);
    }

    @Test
    void moreBlocksThanCanBeNumberedAreLeftOut() {
        assertThat(space(OptionalLong.of(Long.MAX_VALUE), 16, 1).blocks(SHAPE, PLENTY))
                .isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void lessThanABlockIsRefusedWithItsSize() {
        for (long bytes : new long[] {0, BLOCK_BYTES - 1}) {
            assertThatThrownBy(() -> space(OptionalLong.of(bytes), 16, 1).blocks(SHAPE, PLENTY))
                    .isInstanceOf(StartException.class)
                    .hasMessage("The KV cache of the model m is smaller than a block of 16384 bytes; raise kv-cache.");
        }
        assertThatThrownBy(() -> space(OptionalLong.empty(), 16, 1).blocks(SHAPE, 4 * BLOCK_BYTES - 1))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("16384 bytes");
    }

    @ParameterizedTest
    @ValueSource(ints = {-16, 0, 8, 24})
    void aBlockThatTheKernelCannotReadIsRefusedByItsKey(int blockSize) {
        assertThatThrownBy(() -> space(OptionalLong.empty(), blockSize, 1))
                .isInstanceOf(StartException.class)
                .hasMessage("penstock.engine.block-size is " + blockSize + "; it must be a multiple of 16.");
    }

    @Test
    void theRunnerIsOpenedWithWhatWasConfigured() {
        assertThat(space(OptionalLong.of(7 * BLOCK_BYTES), 16, 1).runnerConfig(SHAPE, 0))
                .isEqualTo(new RunnerConfig(3, KvType.FP16, 16, 7, 256, 72));
    }

    @Test
    void blocksHaveTheSizeThatServesTheDeviceBestWhereNoneIsConfigured() {
        OptionalLong bytes = OptionalLong.of(16 * BLOCK_BYTES);
        Device.Cuda cuda = new Device.Cuda(1);

        assertThat(space(Device.CPU, bytes, OptionalInt.empty(), 1).runnerConfig(SHAPE, 0))
                .isEqualTo(new RunnerConfig(3, KvType.FP16, 16, 16, 256, 72));
        assertThat(space(cuda, bytes, OptionalInt.empty(), 1).runnerConfig(SHAPE, 0))
                .isEqualTo(new RunnerConfig(cuda, 3, KvType.FP16, 256, 1, 256, 72));
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 48, 300})
    void aBlockThatCudaCannotReadIsRefused(int blockSize) {
        assertThatThrownBy(() -> space(new Device.Cuda(0), OptionalLong.empty(), OptionalInt.of(blockSize), 1))
                .isInstanceOf(StartException.class)
                .hasMessage("penstock.engine.block-size is " + blockSize
                        + "; it must be a multiple of 16 and a power of two.");
    }

    private static Gpu gpu(int index, long freeBytes) {
        return new Gpu(index, "GPU", 80L << 30, freeBytes, OptionalInt.empty(), OptionalDouble.empty(), "9.0", false);
    }

    @ParameterizedTest
    @CsvSource({"1, 10", "2, 5", "3, 3"})
    void onAGpuModelsShareWhatTheWeightsAndTwoGibibytesLeaveFree(int models, int blocks) {
        long weights = 5L << 30;
        List<Gpu> gpus = List.of(gpu(0, 0), gpu(1, weights + (2L << 30) + 10 * 16 * BLOCK_BYTES));

        KvSpace space = space(new Device.Cuda(1), OptionalLong.empty(), OptionalInt.empty(), models);

        // 8 sequences of 2,000 tokens would be 64 blocks.
        assertThat(space.cudaBlocks(SHAPE.withContextLength(2000), weights, new Device.Cuda(1), gpus))
                .isEqualTo(blocks);
        assertThat(space.cudaBlocks(SHAPE, weights, new Device.Cuda(1), List.of(gpu(1, PLENTY))))
                .isEqualTo(8);
    }

    @Test
    void aGpuWithoutRoomOrThatNobodyKnowsIsRefused() {
        KvSpace space = space(new Device.Cuda(0), OptionalLong.empty(), OptionalInt.empty(), 1);

        assertThatThrownBy(() -> space.cudaBlocks(SHAPE, 1 << 30, new Device.Cuda(0), List.of(gpu(0, 1 << 30))))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("smaller than a block");
        assertThatThrownBy(() -> space.cudaBlocks(SHAPE, 0, new Device.Cuda(0), List.of(gpu(1, PLENTY))))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("cuda:0")
                .hasMessageContaining("set kv-cache");
    }
}
