package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.ExecutionContext;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.dialect.Dialect;
import com.networknt.schema.dialect.Dialects;
import com.networknt.schema.format.Format;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.IDN;
import java.util.regex.Pattern;

/** Another's opinion on what is valid under a schema. */
public final class SchemaJudge {
    static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private static final Dialect DIALECT =
            Dialect.builder(Dialects.getDraft202012()).format(new Email()).build();

    private final Schema schema;

    /** Judges by this schema, formats counted in. */
    public SchemaJudge(JsonNode schema) {
        this.schema = SchemaRegistry.withDefaultDialect(
                        DIALECT,
                        builder -> builder.schemaRegistryConfig(SchemaRegistryConfig.builder()
                                .formatAssertionsEnabled(true)
                                .build()))
                .getSchema(schema);
    }

    /** What is wrong with a text; empty if it is valid. */
    public String errors(String text) {
        try {
            var errors = schema.validate(JSON.readTree(text));
            return errors.isEmpty() ? "" : errors.toString();
        } catch (IOException e) {
            return e.toString();
        }
    }

    static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(text, e);
        }
    }

    /** Mailboxes of RFC 5321 with names, not addresses, of hosts. The library's own takes known top-level domains alone. */
    private static final class Email implements Format {
        private static final Pattern LOCAL_PART =
                Pattern.compile("(?=.{1,64}$)[\\w!#$%&'*+/=?^`{|}~-]+(\\.[\\w!#$%&'*+/=?^`{|}~-]+)*");

        @Override
        public String getName() {
            return "email";
        }

        @Override
        public boolean matches(ExecutionContext context, String value) {
            int at = value.indexOf('@');
            return at > 0 && LOCAL_PART.matcher(value.substring(0, at)).matches() && isHost(value.substring(at + 1));
        }

        private static boolean isHost(String name) {
            try {
                return name.contains(".")
                        && name.length() <= 253
                        && IDN.toASCII(name, IDN.USE_STD3_ASCII_RULES).equals(name);
            } catch (IllegalArgumentException e) {
                return false;
            }
        }
    }
}
