package dev.penstock.routing;

/**
 * The beginnings of a prompt, block after block, each by a hash of all up to its end: prompts that begin alike have the same
 * first hashes.
 *
 * @param hashes of the full blocks, in order
 * @param blockTokens tokens of a block, about
 */
public record Prefix(long[] hashes, int blockTokens) {
    /** Nothing is known of the prompt. */
    public static final Prefix NONE = new Prefix(new long[0], 1);

    private static final int BLOCK_TOKENS = 64;
    private static final int BLOCK_BYTES = 256;
    private static final int MOST_BLOCKS = 512;

    /** Of token ids. */
    public static Prefix ofTokens(int[] tokens) {
        long[] hashes = new long[Math.min(MOST_BLOCKS, tokens.length / BLOCK_TOKENS)];
        long hash = 0;
        for (int i = 0; i < hashes.length * BLOCK_TOKENS; i++) {
            hash = mix(hash + tokens[i]);
            hashes[i / BLOCK_TOKENS] = hash;
        }
        return new Prefix(hashes, BLOCK_TOKENS);
    }

    /** Of a request as it was written, where its tokens are not known. */
    public static Prefix ofBytes(byte[] body) {
        long[] hashes = new long[Math.min(MOST_BLOCKS, body.length / BLOCK_BYTES)];
        long hash = 0;
        for (int i = 0; i < hashes.length * BLOCK_BYTES; i++) {
            hash = hash * 31 + body[i];
            if ((i + 1) % BLOCK_BYTES == 0) {
                hash = mix(hash);
                hashes[i / BLOCK_BYTES] = hash;
            }
        }
        return new Prefix(hashes, BLOCK_TOKENS);
    }

    /** SplitMix64's finaliser (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
    static long mix(long z) {
        z += 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
