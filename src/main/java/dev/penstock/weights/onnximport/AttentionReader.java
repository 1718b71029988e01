package dev.penstock.weights.onnximport;

/** Understands attention nodes of one operator. */
interface AttentionReader {
    /**
     * What a node computes.
     *
     * @throws GraphImportException the paged operator can't compute that
     */
    Attention read(AttentionContext context, int node);
}
