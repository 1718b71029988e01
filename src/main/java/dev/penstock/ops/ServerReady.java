package dev.penstock.ops;

import java.net.URI;

/**
 * The event that the server answers.
 *
 * @param url where
 */
record ServerReady(URI url) {}
