package dev.penstock.prompt.constraint;

import java.math.BigDecimal;
import java.util.Map;
import java.util.Set;

/** Formats of strings (JSON Schema 2020-12, section 7.3), and those of OpenAPI that say something of numbers. */
final class StringFormats {
    /** These only tell what a value is for. */
    private static final Set<String> NOTES = Set.of("float", "double", "password", "binary", "byte");

    // The calendar of RFC 3339: February has 29 days in years that 4 divides, but for those that 100 divides and 400
    // does not.
    private static final String LEAP_YEAR =
            "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[048]|[2468][048]|[13579][26])00)";
    private static final String DATE = "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
            + "|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|" + LEAP_YEAR + "-02-29)";
    // Readers refuse offsets of 18 hours and more, which no place has, and -00:00, which says that the offset is not
    // known.
    private static final String TIME =
            "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+](0[0-9]|1[0-7]):[0-5][0-9]|-((0[1-9]|1[0-7]):[0-5][0-9]|00:(0[1-9]|[1-5][0-9])))";

    // RFC 3339, appendix A.
    private static final String CLOCK =
            "T([0-9]{1,9}H([0-9]{1,9}M([0-9]{1,9}S)?)?|[0-9]{1,9}M([0-9]{1,9}S)?|[0-9]{1,9}S)";
    private static final String DAYS =
            "([0-9]{1,9}Y([0-9]{1,9}M([0-9]{1,9}D)?)?|[0-9]{1,9}M([0-9]{1,9}D)?|[0-9]{1,9}D)";
    private static final String DURATION = "P([0-9]{1,9}W|" + DAYS + "(" + CLOCK + ")?|" + CLOCK + ")";

    private static final String BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    private static final String IPV4 = "(" + BYTE + "\\.){3}" + BYTE;
    private static final String GROUP = "[0-9A-Fa-f]{1,4}";
    private static final String IPV6 = ipv6();

    // RFC 1123, without hyphens in a row, so that no label is taken for one of RFC 5891, and at most 253 characters.
    private static final String LABEL = "[0-9A-Za-z](-?[0-9A-Za-z]){0,30}";
    private static final String HOSTNAME = LABEL + "(\\." + LABEL + "){0,3}";

    private static final String ATOM = "[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]";
    private static final String EMAIL =
            ATOM + "(\\.?" + ATOM + "){0,31}@" + LABEL + "(\\." + LABEL + "){0,2}\\.[A-Za-z]{2,24}";

    // RFC 3986.
    private static final String PATH_CHAR = "([0-9A-Za-z._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
    private static final String HOST = "((" + HOSTNAME + ")|\\[" + IPV6 + "\\])";
    private static final String USER = "(([0-9A-Za-z._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})+@)?";
    private static final String AFTER = "(\\?(" + PATH_CHAR + "|[/?])*)?(#(" + PATH_CHAR + "|[/?])*)?";
    private static final String URI = "[A-Za-z][0-9A-Za-z+.-]*:(//" + USER + HOST + "(:[0-9]{1,5})?(/" + PATH_CHAR
            + "*)*|(///|/)?" + PATH_CHAR + "+(/" + PATH_CHAR + "*)*)" + AFTER;

    private static final String HEX = "[0-9A-Fa-f]";

    private static final Map<String, String> PATTERNS = Map.of(
            "date", DATE,
            "time", TIME,
            "date-time", DATE + "T" + TIME,
            "duration", DURATION,
            "uuid", HEX + "{8}(-" + HEX + "{4}){3}-" + HEX + "{12}",
            "email", EMAIL,
            "hostname", HOSTNAME,
            "ipv4", IPV4,
            "ipv6", IPV6,
            "uri", URI);

    private StringFormats() {}

    private static String ipv6() {
        String pair = "(" + GROUP + ":" + GROUP + "|" + IPV4 + ")";
        StringBuilder all = new StringBuilder("((" + GROUP + ":){6}" + pair);
        // Two colons stand for a run of groups of zeros; so many groups before it, at most so many after it.
        for (int before = 0; before <= 7; before++) {
            int after = 7 - before;
            String head = before == 0 ? "" : GROUP + "(:" + GROUP + "){" + (before - 1) + "}";
            String tail = after == 0 ? "" : "(" + GROUP + "(:" + GROUP + "){0," + (after - 1) + "})?";
            all.append('|').append(head).append("::").append(tail);
            if (after >= 2) {
                all.append('|')
                        .append(head)
                        .append("::(")
                        .append(GROUP)
                        .append(":){0,")
                        .append(after - 2)
                        .append('}')
                        .append(IPV4);
            }
        }
        return all.append(')').toString();
    }

    /** What a format asks. */
    static Conjunction read(Place place, String format) {
        if (NOTES.contains(format)) {
            return Conjunction.ANY;
        }
        if (format.equals("int32") || format.equals("int64")) {
            long most = format.equals("int32") ? Integer.MAX_VALUE : Long.MAX_VALUE;
            return Conjunction.of(NumberFacts.atLeast(BigDecimal.valueOf(-most - 1), false)
                    .and(NumberFacts.atMost(BigDecimal.valueOf(most), false)));
        }
        String pattern = PATTERNS.get(format);
        if (pattern == null) {
            throw place.refused("format", "the format '" + Place.shown(format) + "' can't be held");
        }
        return Conjunction.of(StringFacts.matching(RegexParser.somewhere("^(" + pattern + ")$", JsonText::chars)));
    }
}
