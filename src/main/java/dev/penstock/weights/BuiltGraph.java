package dev.penstock.weights;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import java.util.List;

/** A graph that was laid out here, with the constants that must be written for it. */
sealed interface BuiltGraph permits DecoderGraph, EncoderGraph {
    /** The model's dimensions. */
    DecoderShape shape();

    /** How its weights are stored. */
    Precision precision();

    /** Types of KV cache that there are graphs for; one without a cache has the usual type's file name. */
    List<KvType> kvTypes();

    /** The constants, which must be written before {@link #model} is called. */
    InitializerTable constants();

    /** The graph for a type of KV cache. */
    ModelProto model(KvType kvType);
}
