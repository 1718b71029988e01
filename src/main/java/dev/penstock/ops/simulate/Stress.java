package dev.penstock.ops.simulate;

import java.util.Locale;

/** What goes wrong in a simulation. */
enum Stress {
    /** Nothing. */
    NONE,
    /** For half a minute in the middle, five times as many requests. */
    BURST,
    /** After a third of the time one of the fastest replicas dies. */
    DEATH,
    /** From the middle on every second replica takes 1.5 times as long. */
    SLOWDOWN,
    /** From the middle on prices are the other way round. */
    PRICE_FLIP,
    /** Reports of load are 1 to 15 s old. */
    STALE_REPORTS,
    /** From the middle on outputs are three times as long. */
    WRONG_LENGTHS,
    /** Step times were not measured before. */
    COLD_START;

    /** The name in reports. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
