/** Plain records that all rooms share: no framework, no I/O. */
@NullMarked
package dev.penstock.model;

import org.jspecify.annotations.NullMarked;
