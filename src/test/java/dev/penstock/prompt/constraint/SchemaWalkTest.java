package dev.penstock.prompt.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.OutputFollower;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SchemaWalkTest {
    private static final int SCHEMAS = 2000;
    private static final int TOKENS = 300;

    private final PiecesTokenizer tokenizer = new PiecesTokenizer();

    @Test
    void randomTokensUnderRandomSchemasAreValidAndEndInTime() {
        Constraints constraints = new Constraints(tokenizer);
        List<String> wrong = new ArrayList<>();
        int walked = 0;
        int refused = 0;
        for (int seed = 0; walked < SCHEMAS; seed++) {
            Random random = new Random(seed);
            JsonNode schema = new RandomSchemas(random).next();
            OutputFollower follower;
            try {
                follower = constraints.compile(new OutputForm.Json(schema)).follow();
            } catch (ConstraintException e) {
                refused++;
                continue;
            }
            walked++;
            String text = walk(follower, random);
            String errors = new SchemaJudge(schema).errors(text);
            if (!errors.isEmpty()) {
                wrong.add(seed + ": " + schema + "\n  " + text + "\n  " + errors);
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(refused).as("of %s walked, refused", walked).isLessThan(SCHEMAS / 4);
    }

    /** Tokens drawn evenly until the text ends by chance, or must. */
    private String walk(OutputFollower follower, Random random) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        int left = TOKENS;
        while (!follower.mustEnd() && !(follower.mayEnd() && (random.nextInt(3) == 0 || left == 0))) {
            assertThat(left).as("tokens left after %s", text).isPositive();
            left--;
            int token = draw(follower.allowed(), random, text);
            if (!follower.canEndWithin(token, left)) {
                token = draw(follower.allowedWithin(left), random, text);
            }
            follower.accept(token);
            text.writeBytes(tokenizer.bytes(token));
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    private static int draw(long[] mask, Random random, Object text) {
        int[] tokens = BitSet.valueOf(mask).stream().toArray();
        assertThat(tokens).as("allowed after %s", text).isNotEmpty();
        return tokens[random.nextInt(tokens.length)];
    }
}
