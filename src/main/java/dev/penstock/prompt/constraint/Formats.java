package dev.penstock.prompt.constraint;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The formats of strings that are held to, as regular expressions (JSON Schema 2020-12, Validation, section 7.3). */
final class Formats {
    private static final String DAY =
            "(?:(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
                    + "|02-(?:0[1-9]|1[0-9]|2[0-8])))"
                    + "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)";
    private static final String TIME =
            "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
    private static final String OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private static final String IPV4 = OCTET + "(?:\\." + OCTET + "){3}";
    private static final String LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
    private static final String HOST = LABEL + "(?:\\." + LABEL + "){0,8}";
    private static final String H16 = "[0-9a-fA-F]{1,4}";
    private static final String PCHAR = "(?:[a-zA-Z0-9._~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2})";

    private static final Map<String, String> PATTERNS = Map.ofEntries(
            Map.entry("date", DAY),
            Map.entry("time", TIME),
            Map.entry("date-time", DAY + "T" + TIME),
            Map.entry(
                    "duration",
                    "P(?:[0-9]{1,9}W|(?:[0-9]{1,9}Y(?:[0-9]{1,9}M(?:[0-9]{1,9}D)?)?|[0-9]{1,9}M(?:[0-9]{1,9}D)?"
                            + "|[0-9]{1,9}D)(?:T(?:[0-9]{1,9}H(?:[0-9]{1,9}M(?:[0-9]{1,9}S)?)?|[0-9]{1,9}M(?:[0-9]{1,9}S)?"
                            + "|[0-9]{1,9}S))?|T(?:[0-9]{1,9}H(?:[0-9]{1,9}M(?:[0-9]{1,9}S)?)?|[0-9]{1,9}M"
                            + "(?:[0-9]{1,9}S)?|[0-9]{1,9}S))"),
            Map.entry("uuid", "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"),
            Map.entry("ipv4", IPV4),
            Map.entry("ipv6", ipv6()),
            Map.entry("hostname", HOST),
            Map.entry(
                    "email",
                    "[a-zA-Z0-9_+-]{1,30}(?:\\.[a-zA-Z0-9_+-]{1,30}){0,1}@" + LABEL + "(?:\\." + LABEL
                            + "){0,3}\\.[a-zA-Z]{2,24}"),
            Map.entry(
                    "uri",
                    "[a-zA-Z][a-zA-Z0-9+-]{0,30}:(?://(?:[a-zA-Z0-9._-]{1,64}@)?" + HOST + "(?::[0-9]{1,4})?(?:/" + PCHAR
                            + "{0,64}){0,32}|" + "(?:/?" + PCHAR + "{1,64}(?:/" + PCHAR + "{0,64}){0,32}))(?:\\?(?:" + PCHAR
                            + "|[/?]){0,256})?(?:#(?:" + PCHAR + "|[/?]){0,256})?"));

    /** Formats that say how a value is to be used, not how it is written. */
    private static final Set<String> NOTES =
            Set.of("password", "byte", "binary", "int32", "int64", "float", "double", "text", "markdown", "html", "color");

    private Formats() {}

    private static String ipv6() {
        StringBuilder all = new StringBuilder();
        all.append("(?:").append(H16).append(":){7}").append(H16);
        for (int before = 0; before <= 6; before++) {
            int after = 6 - before;
            all.append('|');
            if (before > 0) {
                all.append("(?:").append(H16).append(":){").append(before - 1).append("}").append(H16);
            }
            all.append("::");
            if (after > 0) {
                all.append("(?:").append(H16).append("(?::").append(H16).append("){0,").append(after - 1).append("})?");
            }
        }
        return all.append("|(?:").append(H16).append(":){6}").append(IPV4).toString();
    }

    /**
     * What strings of a format are between their quotes; null where the format does not tell.
     *
     * @throws ConstraintException it is a format that is not known here
     */
    static @Nullable Regex body(String format, String where) {
        String pattern = PATTERNS.get(format);
        if (pattern != null) {
            return RegexParser.whole(pattern);
        }
        if (NOTES.contains(format)) {
            return null;
        }
        throw new ConstraintException("the format '" + format + "' at " + where + " can't be enforced.");
    }
}
