package dev.penstock.ops;

import dev.penstock.model.Price;

/**
 * A backend as it was configured.
 *
 * @param settings what it is
 * @param price what it costs
 * @param spill whether it takes requests only where no other backend fits
 */
record Configured<S>(S settings, Price price, boolean spill) {}
