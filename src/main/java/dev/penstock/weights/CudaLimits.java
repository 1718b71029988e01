package dev.penstock.weights;

import dev.penstock.model.Precision;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Attention;
import dev.penstock.weights.DecoderSpec.Experts;
import dev.penstock.weights.DecoderSpec.Layer;

/**
 * What ONNX Runtime's CUDA operators ask of a model (onnxruntime, contrib_ops/cuda: paged_attention_helper.h, moe.cc,
 * moe_quantization.cc).
 */
final class CudaLimits {
    /** Rotated numbers of a head come in pairs, and the kernel takes eight pairs at a time. */
    private static final int HEAD_UNIT = 16;

    private static final int MAX_HEAD = 256;

    private CudaLimits() {}

    /** Throws ModelFolderException with what can't be had. */
    static void check(DecoderSpec spec, Precision precision) {
        int head = spec.shape().headSize();
        if (head % HEAD_UNIT != 0 || head > MAX_HEAD) {
            throw refusal(
                    "heads of %d numbers; they must be multiples of %d up to %d".formatted(head, HEAD_UNIT, MAX_HEAD));
        }
        for (Layer layer : spec.layers()) {
            Attention attention = layer.attention();
            if (attention.rotary().width() % HEAD_UNIT != 0) {
                throw refusal("heads of which %d numbers turn; it must be a multiple of %d"
                        .formatted(attention.rotary().width(), HEAD_UNIT));
            }
            if (layer.mlp() instanceof Experts mlp) {
                check(mlp, precision);
            }
        }
    }

    private static void check(Experts mlp, Precision precision) {
        if (precision != Precision.FP16) {
            throw refusal("experts in " + precision.label() + "; they are there in fp16");
        }
        if (mlp.experts().getFirst().activation() != Activation.SILU) {
            throw refusal("experts with GELU; they are there with SiLU");
        }
    }

    private static ModelFolderException refusal(String what) {
        return new ModelFolderException("CUDA can't run this model: it has " + what + ", or take device=cpu");
    }
}
