package dev.penstock.weights.onnximport;

import dev.penstock.weights.onnximport.Attention.Cache;

/**
 * What a step adds to a layer's cache.
 *
 * @param key new keys
 * @param value new values
 * @param cache the inputs of the graph that bring the old ones
 * @param heads of keys, and of values
 * @param headSize width of a head
 */
record KeysAndValues(Heads key, Heads value, Cache cache, int heads, int headSize) {}
