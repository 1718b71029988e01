package dev.penstock.onnx.attention;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.ChildJvm;
import dev.penstock.model.KvType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/**
 * The attention kernel with narrower vectors than this machine's, a JVM of its own for each width. What is wider than the
 * width, such as the kernel's vectors of eight floats, runs without vector instructions there.
 */
class NarrowVectorsTest {
    private static final List<Integer> WIDTHS = List.of(64, 128, 256);

    @Test
    void everyWidthGivesWhatThePlainWayGives() throws Exception {
        List<Process> processes = new ArrayList<>();
        try {
            for (int bits : WIDTHS) {
                processes.add(start(bits));
            }
            for (int i = 0; i < WIDTHS.size(); i++) {
                int bits = Math.min(WIDTHS.get(i), FloatVector.SPECIES_PREFERRED.vectorBitSize());
                Process process = processes.get(i);
                String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertThat(process.waitFor()).as(output).isZero();
                assertThat(output).contains("right with " + bits + " bits");
            }
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private static Process start(int bits) throws IOException {
        return new ProcessBuilder(ChildJvm.command(List.of("-XX:MaxVectorSize=" + bits / Byte.SIZE), Check.class))
                .redirectErrorStream(true)
                .start();
    }

    /** Runs cases of {@link PagedAttentionTest}; the first that fails ends it. */
    static final class Check {
        /** One vector and several of each width, whole and with a rest. */
        private static final List<Integer> HEAD_SIZES = List.of(8, 24, 40, 64);

        private Check() {}

        public static void main(String[] args) {
            PagedAttentionTest test = new PagedAttentionTest();
            PagedAttentionTest.headSizesAndGroups().forEach(arguments -> {
                Object[] values = arguments.get();
                if (HEAD_SIZES.contains(values[1])) {
                    test.everyHeadSizeAndGroupGivesWhatThePlainWayGives(
                            (KvType) values[0], (int) values[1], (int) values[2], (int) values[3]);
                }
            });
            test.randomRaggedStepsGiveWhatThePlainWayGives(3);
            System.out.println("right with " + FloatVector.SPECIES_PREFERRED.vectorBitSize() + " bits");
        }
    }
}
