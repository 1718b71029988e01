package dev.penstock.ops.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.prompt.Tokenizer;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextWindowsTest {
    /** A character is a token. */
    private static final Tokenizer CHARACTERS = new Tokenizer() {
        @Override
        public int[] encode(String text, boolean addSpecialTokens) {
            return text.chars().toArray();
        }

        @Override
        public String decode(int[] tokens, boolean skipSpecialTokens) {
            return new String(tokens, 0, tokens.length);
        }

        @Override
        public byte[] bytes(int token) {
            return new byte[] {(byte) token};
        }

        @Override
        public boolean isSpecial(int token) {
            return false;
        }

        @Override
        public OptionalInt id(String token) {
            return OptionalInt.empty();
        }

        @Override
        public int vocabSize() {
            return 128;
        }
    };

    @TempDir
    Path temp;

    @Test
    void everyTokenIsPredictedOnceWhereTextsBeginWithATokenOfTheirOwn() {
        TextWindows windows = TextWindows.of("text", "a".repeat(100), CHARACTERS, OptionalInt.of(1), 31, 1000);
        assertThat(windows.windows()).extracting(w -> w.length).containsExactly(31, 31, 31, 11);
        assertThat(windows.windows()).allSatisfy(w -> assertThat(w[0]).isEqualTo(1));
        assertThat(windows.longest()).isEqualTo(31);
    }

    @Test
    void withoutSuchATokenTheFirstOfAWindowIsGiven() {
        TextWindows windows = TextWindows.of("text", "ab".repeat(50), CHARACTERS, OptionalInt.empty(), 33, 1000);
        // The last character alone has nothing before it.
        assertThat(windows.windows()).extracting(w -> w.length).containsExactly(33, 33, 33);
        assertThat(windows.windows().get(1)[0]).isEqualTo('b');
    }

    @Test
    void noMoreTokensAreUsedThanWanted() {
        TextWindows windows = TextWindows.of("text", "a".repeat(5000), CHARACTERS, OptionalInt.of(1), 101, 250);
        assertThat(windows.windows()).extracting(w -> w.length).containsExactly(101, 101, 51);
    }

    @Test
    void whatIsNoTextIsRefusedWithTheFileAndTheReason() throws IOException {
        refused(Files.writeString(temp.resolve("empty"), " \n"), "found it empty");
        refused(Files.writeString(temp.resolve("short"), "Hello!"), "at least 64 tokens, found 6");
        refused(Files.write(temp.resolve("binary"), new byte[] {(byte) 0xC3, 0x28}), "expected UTF-8");
        refused(temp.resolve("none"), "can't be read");
        Path large = temp.resolve("large");
        try (RandomAccessFile file = new RandomAccessFile(large.toFile(), "rw")) {
            file.setLength((16 << 20) + 1);
        }
        refused(large, "at most 16,777,216 bytes");
    }

    private static void refused(Path file, String reason) {
        assertThatThrownBy(() -> TextWindows.read(file, CHARACTERS, OptionalInt.empty(), 32, 1000))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(reason);
    }
}
