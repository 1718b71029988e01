package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.engine.RunnerConfig;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.Rounding;
import dev.penstock.weights.TinyModels;
import java.nio.file.Path;
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
    private record Engine(int blockSize, int maxRunning) implements PenstockConfig.Engine {
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
        public boolean prefixCache() {
            return true;
        }
    }

    private static KvSpace space(OptionalLong kvCacheBytes, int blockSize, int models) {
        ModelSettings settings = new ModelSettings(
                "m", folder, Precision.INT4, Rounding.SEARCH, KvType.FP16, 3, OptionalInt.empty(), kvCacheBytes);
        return KvSpace.of(settings, new Engine(blockSize, 8), models);
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
        assertThat(space(OptionalLong.of(7 * BLOCK_BYTES), 16, 1).runnerConfig(SHAPE))
                .isEqualTo(new RunnerConfig(3, KvType.FP16, 16, 7, 256, 8));
    }
}
