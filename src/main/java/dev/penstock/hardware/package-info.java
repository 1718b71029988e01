/** What this machine has, and what it was measured to do. */
@NullMarked
package dev.penstock.hardware;

import org.jspecify.annotations.NullMarked;
